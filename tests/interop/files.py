"""Files in both directions: docs/PROTOCOL.md, section 8.7."""

import hashlib
import os

CHUNK, PULL_MAX = 32_768, 32
# S29: a receiver asks again after this long without a chunk.
PATIENCE_S = 5
# S29 and S32: what is asked for and has not come, and parts that were sent and not taken.
ASKED_MAX, PARTS_MAX = 48, 6


class Receiver:
    """A file that was offered to this client. `session` sends, `room` is where it was offered."""

    def __init__(self, offer):
        self.offer = offer
        self._chunks = {}
        self._asked = 0

    def begin(self, chat):
        chat.send("receipt", chat.room, self.offer["client"], self.offer["file"], "accepted")
        self._ask(chat)
        return self.offer["chunks"] == 0

    def _first_missing(self):
        return next((i for i in range(self.offer["chunks"]) if i not in self._chunks), self.offer["chunks"])

    def _pull(self, chat, index, count):
        chat.send("pull", chat.room, self.offer["client"], self.offer["file"], index, count)

    def _ask(self, chat):
        """Asks on where the last `pull` ended, which adds to it (S28), as far as its bound allows."""
        while self._asked < self.offer["chunks"] and self._asked - len(self._chunks) <= ASKED_MAX - PULL_MAX // 2:
            count = min(PULL_MAX // 2, self.offer["chunks"] - self._asked)
            self._pull(chat, self._asked, count)
            self._asked += count

    def ask_again(self, chat):
        """From the first chunk that has not come. Chunks behind it may come twice: each counts once."""
        self._asked = first = self._first_missing()
        self._chunks = {i: data for i, data in self._chunks.items() if i < first}
        self._ask(chat)

    def is_of(self, event):
        return event["kind"] == "chunk" and event["file"] == self.offer["file"]

    def take(self, chat, event):
        """Whether all chunks are here."""
        if event["data"] == b"":
            raise ValueError("the sender gave the file up")
        self._chunks.setdefault(event["index"], event["data"])
        self._ask(chat)
        return len(self._chunks) == self.offer["chunks"]

    def count(self):
        return len(self._chunks)

    def finish(self, chat, path):
        """Writes the file where it is the one that was offered, and says what became of it."""
        data = b"".join(self._chunks[i] for i in range(self.offer["chunks"]))
        is_right = len(data) == self.offer["size"] and hashlib.sha256(data).digest() == self.offer["hash"]
        if is_right:
            with open(path, "xb") as out:
                out.write(data)
        self._pull(chat, self.offer["chunks"], 0)
        chat.send("receipt", chat.room, self.offer["client"], self.offer["file"], "saved" if is_right else "failed")
        return is_right


class Sender:
    """A file that this client offers, to as many receivers as ask for it."""

    def __init__(self, path):
        with open(path, "rb") as source:
            self._data = source.read()
        self.file, self.name = os.urandom(16).hex(), os.path.basename(path)
        self.chunks = -(-len(self._data) // CHUNK)
        self.saved = []
        # What each receiver waits for: the next chunk, and where its `pull` ends.
        self._wanted = {}
        # Parts that were sent and not taken, in order; and the most at any time.
        self._open = []
        self.most_open = 0

    def offer(self):
        """The fields of an `offer` behind the room."""
        digest = hashlib.sha256(self._data).digest()
        return self.file, self.name, len(self._data), self.chunks, digest, 0, False

    def is_of(self, event):
        return event["kind"] in ("pull", "taken", "receipt") and event["file"] == self.file

    def take(self, chat, event):
        getattr(self, "_" + event["kind"])(event)
        self._serve(chat)

    def _pull(self, event):
        begin, count = event["index"], event["count"]
        former = self._wanted.pop(event["client"], None)
        if count > 0:
            # S28: one that begins where the last one ended adds to it, any other one replaces it.
            first = former[0] if former is not None and former[1] == begin else begin
            self._wanted[event["client"]] = [first, min(self.chunks, begin + count)]

    def _taken(self, event):
        # S31: it stands for all parts that were sent before it as well; of two with this index, for both.
        places = [at for at, index in enumerate(self._open) if index == event["index"]]
        if places:
            del self._open[:places[-1] + 1]

    def _receipt(self, event):
        if event["state"] == "saved":
            self.saved.append(event["name"])

    def _serve(self, chat):
        while len(self._open) < PARTS_MAX:
            waiting = {client: next for client, (next, end) in self._wanted.items() if next < end}
            if not waiting:
                return
            index = min(waiting.values())
            to = [client for client, next in waiting.items() if next == index]
            chat.send("part", to, self.file, index, self._data[index * CHUNK:(index + 1) * CHUNK])
            for client in to:
                self._wanted[client][0] += 1
            self._open.append(index)
            self.most_open = max(self.most_open, len(self._open))
