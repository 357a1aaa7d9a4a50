"""A small client: python3 chat.py HOST PORT NAME ROOM [--fingerprint FP] [--ca-file FILE] [--token TOKEN] [--web]
or python3 chat.py LINK NAME [--ca-file FILE]

Each line of standard input is a command, done to its end before the next one is read:

  say TEXT         says TEXT, and waits for its echo
  hear TEXT        waits for somebody's TEXT
  take FILE        waits for an offer, accepts it, and writes it to FILE
  broken FILE      the same, and loses the connection in the middle of it
  send FILE        offers FILE, and serves it until somebody has all of it
  share N FILE     offers FILE, and serves it until N members have all of it
  cut              loses the connection and takes the session up again
  lose TEXT        says TEXT, loses the connection before the answer, and takes the session up again
  moved            waits until the server asks it to go on at another one of its cluster, and does
  rekey            moves its keys on
  react EMOJI      puts EMOJI under the newest chat of somebody else
  reacted EMOJI    waits for somebody's EMOJI under the newest own chat
  tell TEXT        sends TEXT to the sender of the newest chat of somebody else, and to nobody else
  told TEXT        waits for somebody's TEXT for this client alone
  change TEXT      changes the newest own chat
  pin              pins the newest chat of somebody else; a refusal is printed
  backlog N        has the server keep the last N lines for newcomers; a refusal is printed
  invite USES S    has the server make a token for USES sessions and S seconds, and prints the link
  invites          prints the open invites
  uninvite N       ends an invite
  show             shows a device key, new for this run, to those who ask from now on, and prints its digits
  proof NAME       asks NAME for its device key, checks the proof, and prints the key's digits
  closed           waits until the server ends the session, and prints why
  bye              leaves

It prints one line for each thing that happened.
"""

import argparse
import sys
import time

import device_key
import link
from files import PATIENCE_S, Receiver, Sender
from session_v2 import Busy, ProtocolError, Session

COMMANDS = (
    "say hear take broken send share cut lose moved rekey react reacted tell told change pin backlog invite invites uninvite "
    "show proof closed bye"
).split()
# Requests that `done` answers only where they are repeated (S7, S8): their answer is the event itself.
OWN_EVENTS = {"chat": "chat", "revise": "revised", "react": "reacted", "direct": "direct", "offer": "offer"}
ANSWERS = {**OWN_EVENTS, "invite": "invited", "invites": "invites"}


class Refused(Exception):
    """The server declined a request, or ended the session."""


class Chat:
    def __init__(self, options):
        self._options = options
        self._id = 0
        self._at = 0
        self._unread = []
        # S9: requests without an answer, by their numbers, in the order in which they were made.
        self._unanswered = {}
        self._fingerprint = options.fingerprint
        # The newest chat of this client, and that of somebody else: events.
        self._own, self._other = None, None
        # S43: nobody shows a device key whose user has not asked for that.
        self._device = None
        # Other servers of the cluster (S21a).
        self._servers = []
        # Numbers of members by their names.
        self._people = {}
        self._enter(None, None)

    def _enter(self, ticket, secret, session=None):
        """Begins a session, or takes the one of that ticket up again. Whether it is the same one."""
        o = self._options
        self._session = session or self._connect(o.host, o.port)
        # S18: the ticket goes to the server alone that issued it, which is the only one from now on.
        self._fingerprint = self._session.fingerprint
        # S18: by the title that the room has, which may be another than what was asked for.
        room = [o.room, 0] if ticket is None else [self._title, self._at]
        self._session.send("hello", o.name, o.token, ticket, secret, [room])
        welcome = self._session.receive()
        if welcome["kind"] != "welcome":
            raise ProtocolError(f"not let in: {welcome}")
        if welcome["resumed"] and ticket is None:
            raise ProtocolError("resumed what no hello asked for")
        self._client, self._ticket = welcome["client"], (welcome["session"], welcome["secret"])
        if not welcome["resumed"]:
            # S21: another session, whose requests begin with 1 and whose room has places of its own.
            self._give_up()
            self._id, self._at = 0, 0
            # Answers of the former session have numbers that are given again.
            self._unread = []
        entered = self._wait("entered")
        self.room, self._title, self._name = entered["room"], entered["title"], entered["name"]
        if not welcome["resumed"]:
            self._at = entered["at"]
        print("resumed" if welcome["resumed"] else "in", entered["title"], "as", entered["name"], flush=True)
        if not entered["complete"]:
            self._at = max(self._at, entered["at"])
            print("missing", entered["title"], flush=True)
        for id, (kind, fields) in self._unanswered.items():
            self._session.send(kind, id, *fields)
        return welcome["resumed"]

    def _give_up(self):
        """S9: what was perhaps not delivered is told, and not sent again."""
        for kind, fields in self._unanswered.values():
            print("perhaps not done", kind, *(field for field in fields if isinstance(field, str)), flush=True)
        self._unanswered = {}

    def _connect(self, host, port):
        o = self._options
        while True:
            try:
                return Session(host, port, self._fingerprint, o.ca_file, o.web)
            except Busy as busy:
                print("busy", flush=True)
                time.sleep(busy.pause)

    def _receive(self):
        while True:
            event = self._session.receive()
            if event["kind"] == "earlier":
                # S22c: what was said before this client came, each once, and nothing new.
                for _sequence, _client, name, _time, text, _action, _reply in event["list"]:
                    print("earlier", name, text, flush=True)
            self._settle(event)
            if event["kind"] == "members":
                self._people.update({name: client for client, name, *_ in event["list"]})
            elif event["kind"] in ("joined", "renamed"):
                self._people[event["name"]] = event["client"]
            elif event["kind"] == "servers":
                self._servers = event["list"]
            elif event["kind"] == "proof_asked" and self._device is not None:
                self._prove(event)
            at = event.get("at", 0)
            if event["kind"] != "entered" and at > 0:
                # S20: it was seen before the connection was lost.
                if at <= self._at:
                    continue
                self._at = at
            return event

    def _settle(self, event):
        """Forgets the request that this event answers (S8)."""
        kind = event["kind"]
        id = event["id"] if kind in ("done", "declined") else event.get("request")
        asked = self._unanswered.get(id)
        if asked is None:
            return
        is_own = event.get("client", self._client) == self._client
        if kind in ("done", "declined") or (is_own and ANSWERS.get(asked[0]) == kind):
            del self._unanswered[id]

    def _wait(self, kind, fits=lambda event: True):
        return self._next(lambda event: event["kind"] == kind and fits(event))

    def _next(self, fits):
        """The first event that fits; what comes before it is kept for later commands."""
        for event in self._unread:
            if fits(event):
                self._unread.remove(event)
                return event
        while True:
            event = self._receive()
            if fits(event):
                return event
            if event["kind"] in ("declined", "closing"):
                raise Refused(str(event["why"]))
            self._unread.append(event)

    def send(self, kind, *fields):
        """What has no number and no answer."""
        self._session.send(kind, *fields)

    def _request(self, kind, *fields):
        """Sends a request; gives what tells its answer from other events."""
        id = self._id = self._id + 1
        self._unanswered[id] = (kind, fields)
        try:
            self._session.send(kind, id, *fields)
        except OSError:
            # The connection is lost: it is sent again once the session is taken up.
            pass
        event = ANSWERS.get(kind)
        if event is None:
            return id, lambda answer: answer["kind"] == "done" and answer["id"] == id
        return id, lambda answer: (
            answer["kind"] == event and answer["request"] == id and answer.get("client", self._client) == self._client
        )

    def _ask(self, kind, *fields):
        """The answer to a request."""
        return self._next(self._request(kind, *fields)[1])

    def say(self, text):
        said = self._own = self._ask("chat", self.room, text, False, 0)
        print("said", said["text"], flush=True)

    def lose(self, text):
        id, _ = self._request("chat", self.room, text, False, 0)
        is_resumed = self.cut()
        # Whether it had arrived or not: the room hears it once, and this request has one answer.
        while id in self._unanswered:
            self._unread.append(self._receive())
        if is_resumed:
            print("answered", text, flush=True)

    def hear(self, text):
        heard = self._other = self._wait("chat", lambda event: event["text"] == text)
        print("heard", heard["name"], heard["text"], flush=True)

    def take(self, path, cut_at=None):
        offer = self._wait("offer", lambda event: event["client"] != self._client)
        receiver = Receiver(offer)
        is_whole = receiver.begin(self)
        while not is_whole:
            if not any(map(receiver.is_of, self._unread)) and not self._session.waits(PATIENCE_S):
                receiver.ask_again(self)
                continue
            is_whole = receiver.take(self, self._next(receiver.is_of))
            if receiver.count() == cut_at:
                self.cut()
                receiver.ask_again(self)
        if not receiver.finish(self, path):
            raise ProtocolError("another file than the offered one")
        print("took", offer["filename"], "of", offer["name"], flush=True)

    def broken(self, path):
        self.take(path, cut_at=10)

    def send_file(self, path, receivers=1):
        sender = Sender(path)
        self._ask("offer", self.room, *sender.offer())
        while len(sender.saved) < receivers:
            sender.take(self, self._next(sender.is_of))
        print("most parts under way:", sender.most_open, flush=True)
        print("sent", sender.name, "to", ", ".join(sorted(sender.saved)), flush=True)

    def share(self, words):
        receivers, _, path = words.partition(" ")
        self.send_file(path, int(receivers))

    def cut(self):
        self._session.close()
        return self._enter(*self._ticket)

    def moved(self):
        """S21b."""
        place = self._wait("move")
        if [place["host"], place["port"]] not in self._servers:
            raise ProtocolError("a place that is not in the list")
        # The identity is the one that this session's server proved: _connect() expects its fingerprint.
        there = self._connect(place["host"], place["port"])
        self._session.send("moving")
        self._session.is_leaving = True
        try:
            while True:
                self._unread.append(self._receive())
        except ConnectionError:
            self._session.close()
        self._enter(*self._ticket, there)

    def rekey(self):
        self._session.update_keys()

    def react(self, emoji):
        self._ask("react", self.room, self._other["sequence"], emoji, True)
        print("put", emoji, flush=True)

    def reacted(self, emoji):
        fits = lambda event: event["sequence"] == self._own["sequence"] and event["emoji"] == emoji and event["on"]
        print("got", emoji, "of", self._wait("reacted", fits)["name"], flush=True)

    def tell(self, text):
        print("told", self._ask("direct", self._other["client"], text)["toName"], flush=True)

    def told(self, text):
        heard = self._wait("direct", lambda event: event["to"] == self._client and event["text"] == text)
        print("alone", heard["name"], heard["text"], flush=True)

    def change(self, text):
        print("changed", self._ask("revise", self.room, self._own["sequence"], text)["text"], flush=True)

    def pin(self):
        other = self._other
        self._decide("pin", "pinned", self.room, other["sequence"], other["name"], other["text"])

    def backlog(self, lines):
        self._decide("backlog", "backlog", self.room, int(lines))

    def _decide(self, request, event, *fields):
        """A request that is answered `done`, and that all members are told of."""
        try:
            self._ask(request, *fields)
            self._wait(event, lambda told: told["client"] == self._client)
            print("done", request, flush=True)
        except Refused as refusal:
            print("declined", refusal, flush=True)

    def invite(self, words):
        o = self._options
        uses, seconds = map(int, words.split())
        try:
            invited = self._ask("invite", o.room, uses, seconds)
        except Refused as refusal:
            print("declined", refusal, flush=True)
            return
        # S37: where the server does not know how others reach it, they do as this client did.
        host, port = invited["place"] or (o.host, o.port)
        carrier = "wss" if o.web and o.ca_file else "tls" if o.ca_file else ""
        made = link.make(host, port, o.room, carrier, self._fingerprint, invited["token"])
        print("invited", invited["invite"], made, flush=True)

    def invites(self):
        for number, name, title, uses, _until in self._ask("invites")["list"]:
            print("invite", number, "of", name, "to", title, "for", uses, flush=True)
        print("these are all", flush=True)

    def uninvite(self, number):
        self._ask("uninvite", int(number))
        print("revoked", number, flush=True)

    def show(self):
        self._device = device_key.DeviceKey()
        print("key", device_key.fingerprint(self._device.key), flush=True)

    def _place(self, prover, asker, nonce):
        identity = self._session.identity
        return {"identity": identity, "prover": prover, "asker": asker, "nonce": nonce, "room": self._title}

    def _prove(self, asked):
        place = self._place(self._client, asked["client"], asked["nonce"])
        signature = self._device.sign({**place, "name": self._name})
        self._session.send("proof", self.room, asked["client"], self._device.key, signature)

    def proof(self, name):
        while name not in self._people:
            self._unread.append(self._receive())
        client, nonce = self._people[name], device_key.new_nonce()
        self._session.send("ask_proof", self.room, client, nonce)
        told = self._wait("proof", lambda event: event["client"] == client)
        place = self._place(client, self._client, nonce)
        if not device_key.is_proven(told["key"], told["signature"], [name], **place):
            raise ProtocolError("a proof that does not hold")
        print("proven", name, device_key.fingerprint(told["key"]), flush=True)

    def closed(self):
        closing = self._wait("closing")
        print("closed", closing["why"], "come back" if closing["retry"] else "for good", flush=True)
        self._session.end()

    def bye(self):
        self._session.send("bye")
        self._session.end()


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("where", nargs="+")
    for option in ("--fingerprint", "--ca-file", "--token"):
        parser.add_argument(option)
    parser.add_argument("--web", action="store_true")
    o = parser.parse_args()
    if len(o.where) == 2:
        place, o.name = link.parse(o.where[0]), o.where[1]
        o.host, o.port, o.room, o.web = (place[part] for part in ("host", "port", "room", "web"))
        o.fingerprint, o.token = place["fingerprint"], place["token"]
        if place["tls"] != (o.ca_file is not None):
            raise SystemExit("the link says whether TLS is used, and --ca-file whom to trust")
    else:
        o.host, o.port, o.name, o.room = o.where
        o.port = int(o.port)
    return o


def main():
    chat = Chat(options())
    for line in sys.stdin:
        command, _, argument = line.rstrip("\n").partition(" ")
        if command not in COMMANDS:
            raise SystemExit(f"no such command: {command}")
        run = chat.send_file if command == "send" else getattr(chat, command)
        run(*([argument] if argument else []))


if __name__ == "__main__":
    main()
