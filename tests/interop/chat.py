"""A small client: python3 chat.py HOST PORT NAME ROOM [--fingerprint FP] [--ca-file FILE] [--token TOKEN]

Each line of standard input is a command, done to its end before the next one is read:

  say TEXT         says TEXT, and waits for its echo
  hear TEXT        waits for somebody's TEXT
  take FILE        waits for an offer, accepts it, and writes it to FILE
  send FILE        offers FILE, and serves it until somebody has all of it
  cut              loses the connection and takes the session up again
  rekey            moves its keys on
  react EMOJI      puts EMOJI under the newest chat of somebody else
  reacted EMOJI    waits for somebody's EMOJI under the newest own chat
  tell TEXT        sends TEXT to the sender of the newest chat of somebody else, and to nobody else
  told TEXT        waits for somebody's TEXT for this client alone
  change TEXT      changes the newest own chat
  pin              pins the newest chat of somebody else; a refusal is printed
  backlog N        has the server keep the last N lines for newcomers; a refusal is printed
  closed           waits until the server ends the session, and prints why
  bye              leaves

It prints one line for each thing that happened.
"""

import argparse
import hashlib
import os
import sys
import time

from session_v2 import Busy, ProtocolError, Session

CHUNK, PULL_MAX = 32_768, 32


COMMANDS = (
    "say hear take send cut rekey react reacted tell told change pin backlog closed bye".split()
)


class Refused(Exception):
    """The server declined a request, or ended the session."""


class Chat:
    def __init__(self, options):
        self._options = options
        self._id = 0
        self._at = 0
        self._unread = []
        # The newest chat of this client, and that of somebody else: events.
        self._own, self._other = None, None
        self._enter(None, None)

    def _enter(self, ticket, secret):
        o = self._options
        self._session = self._connect()
        self._session.send("hello", o.name, o.token, ticket, secret, [[o.room, self._at]])
        welcome = self._session.receive()
        if welcome["kind"] != "welcome":
            raise ProtocolError(f"not let in: {welcome}")
        self._client, self._ticket = welcome["client"], (welcome["session"], welcome["secret"])
        entered = self._wait("entered")
        self._room = entered["room"]
        if ticket is None:
            self._at = entered["at"]
        print("resumed" if welcome["resumed"] else "in", entered["title"], "as", entered["name"], flush=True)

    def _connect(self):
        o = self._options
        while True:
            try:
                return Session(o.host, o.port, o.fingerprint, o.ca_file)
            except Busy as busy:
                print("busy", flush=True)
                time.sleep(busy.pause)

    def _receive(self):
        event = self._session.receive()
        if event["kind"] == "earlier":
            # S22c: what was said before this client came, each once, and nothing new.
            for _sequence, _client, name, _time, text, _action, _reply in event["list"]:
                print("earlier", name, text, flush=True)
        at = event.get("at", 0)
        if event["kind"] != "entered" and at > 0:
            if at <= self._at:
                return self._receive()
            self._at = at
        return event

    def _wait(self, kind, fits=lambda event: True):
        """The first event that fits; what comes before it is kept for later commands."""
        for event in self._unread:
            if event["kind"] == kind and fits(event):
                self._unread.remove(event)
                return event
        while True:
            event = self._receive()
            if event["kind"] == kind and fits(event):
                return event
            if event["kind"] in ("declined", "closing"):
                raise Refused(str(event["why"]))
            self._unread.append(event)

    def _next_id(self):
        self._id += 1
        return self._id

    def _is_answer(self, id):
        return lambda event: event["client"] == self._client and event["request"] == id

    def say(self, text):
        id = self._next_id()
        self._session.send("chat", id, self._room, text, False, 0)
        said = self._own = self._wait("chat", self._is_answer(id))
        print("said", said["text"], flush=True)

    def hear(self, text):
        heard = self._other = self._wait("chat", lambda event: event["text"] == text)
        print("heard", heard["name"], heard["text"], flush=True)

    def take(self, path):
        offer = self._wait("offer", lambda event: event["client"] != self._client)
        file, to, count = offer["file"], offer["client"], offer["chunks"]
        self._session.send("receipt", self._room, to, file, "accepted")
        chunks = []
        while len(chunks) < count:
            if len(chunks) % PULL_MAX == 0:
                self._session.send("pull", self._room, to, file, len(chunks), min(PULL_MAX, count - len(chunks)))
            chunk = self._wait("chunk", lambda event: event["file"] == file and event["index"] == len(chunks))
            if chunk["data"] == b"":
                raise ProtocolError("the sender gave the file up")
            chunks.append(chunk["data"])
        self._session.send("pull", self._room, to, file, count, 0)
        data = b"".join(chunks)
        if len(data) != offer["size"] or hashlib.sha256(data).digest() != offer["hash"]:
            self._session.send("receipt", self._room, to, file, "failed")
            raise ProtocolError("another file than the offered one")
        with open(path, "xb") as out:
            out.write(data)
        self._session.send("receipt", self._room, to, file, "saved")
        print("took", offer["filename"], "of", offer["name"], flush=True)

    def send(self, path):
        with open(path, "rb") as source:
            data = source.read()
        count = -(-len(data) // CHUNK)
        file, id = os.urandom(16).hex(), self._next_id()
        digest = hashlib.sha256(data).digest()
        self._session.send("offer", id, self._room, file, os.path.basename(path), len(data), count, digest, 0, False)
        self._wait("offer", self._is_answer(id))
        while True:
            pull = self._wait("pull", lambda event: event["file"] == file)
            if pull["count"] == 0:
                if pull["index"] == count:
                    break
                continue
            for index in range(pull["index"], min(count, pull["index"] + pull["count"])):
                part = data[index * CHUNK:(index + 1) * CHUNK]
                self._session.send("part", [pull["client"]], file, index, part)
                # S32: no more than one part is on its way.
                self._wait("taken", lambda event: event["file"] == file and event["index"] == index)
        receipt = self._wait("receipt", lambda event: event["file"] == file and event["state"] == "saved")
        print("sent", os.path.basename(path), "to", receipt["name"], flush=True)

    def cut(self):
        self._session.close()
        self._enter(*self._ticket)

    def rekey(self):
        self._session.update_keys()

    def react(self, emoji):
        id = self._next_id()
        self._session.send("react", id, self._room, self._other["sequence"], emoji, True)
        self._wait("reacted", self._is_answer(id))
        print("put", emoji, flush=True)

    def reacted(self, emoji):
        fits = lambda event: event["sequence"] == self._own["sequence"] and event["emoji"] == emoji and event["on"]
        print("got", emoji, "of", self._wait("reacted", fits)["name"], flush=True)

    def tell(self, text):
        id = self._next_id()
        self._session.send("direct", id, self._other["client"], text)
        print("told", self._wait("direct", self._is_answer(id))["toName"], flush=True)

    def told(self, text):
        heard = self._wait("direct", lambda event: event["to"] == self._client and event["text"] == text)
        print("alone", heard["name"], heard["text"], flush=True)

    def change(self, text):
        id = self._next_id()
        self._session.send("revise", id, self._room, self._own["sequence"], text)
        print("changed", self._wait("revised", self._is_answer(id))["text"], flush=True)

    def pin(self):
        other = self._other
        self._ask("pin", "pinned", self._room, other["sequence"], other["name"], other["text"])

    def backlog(self, lines):
        self._ask("backlog", "backlog", self._room, int(lines))

    def _ask(self, request, event, *fields):
        """A request that is answered `done`, and that all members are told of."""
        id = self._next_id()
        self._session.send(request, id, *fields)
        try:
            self._wait("done", lambda answer: answer["id"] == id)
            self._wait(event, lambda told: told["client"] == self._client)
            print("done", request, flush=True)
        except Refused as refusal:
            print("declined", refusal, flush=True)

    def closed(self):
        closing = self._wait("closing")
        print("closed", closing["why"], "come back" if closing["retry"] else "for good", flush=True)
        self._session.end()

    def bye(self):
        self._session.send("bye")
        self._session.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("name")
    parser.add_argument("room")
    for option in ("--fingerprint", "--ca-file", "--token"):
        parser.add_argument(option)
    chat = Chat(parser.parse_args())
    for line in sys.stdin:
        command, _, argument = line.rstrip("\n").partition(" ")
        if command not in COMMANDS:
            raise SystemExit(f"no such command: {command}")
        getattr(chat, command)(*([argument] if argument else []))


if __name__ == "__main__":
    main()
