"""What goes over the relay for a sealed room (docs/PROTOCOL.md, section 12): python3 sealed.py HOST PORT NAME SECRET

It keeps the order of the relay, and speaks no MLS: in place of a GroupInfo it hands the handles of the members out, and
its messages are the text itself. SECRET is that of a link. Each line of standard input is a command:

  attach         attaches, and prints what the relay has of the room
  make           makes the room's group
  join           waits for a turn, and commits itself into the room
  admit          as a member: hands the group out, judges the newcomer's commit, and waits until it is ordered
  say TEXT       says TEXT, and waits until it is ordered
  hear TEXT      waits for somebody's TEXT
  cut            loses the connection, takes the session up and attaches again, and prints what was missed
  gone           waits until somebody is gone
  leave          leaves the room, and the server
"""

import argparse
import base64
import sys

import session_v2
from sealed_keys import COMMIT, GROUP_INFO, MESSAGE, RoomKeys, Seat, roster
from session_v2 import ProtocolError, Session

COMMANDS = "attach make join admit say hear cut gone leave".split()
SEALED_REQUESTS = {
    "sealed_attach": 15, "sealed_create": 16, "sealed_join": 17, "sealed_group_info": 18, "sealed_commit": 19,
    "sealed_app": 20, "sealed_leave": 22, "sealed_check": 25,
}
SEALED_EVENTS = {
    24: ("sealed_attached", "ask room epoch seq missing members"),
    25: ("sealed_none", "ask room"),
    26: ("sealed_done", "ask"),
    27: ("sealed_declined", "ask room why"),
    28: ("sealed_conflict", "ask epoch seq"),
    29: ("sealed_stale", "ask epoch"),
    30: ("sealed_group_info", "ask epoch body"),
    31: ("sealed_group_info_please", "room question epoch"),
    32: ("sealed_frame", "room seq type epoch from ask time roster body"),
    33: ("sealed_void", "room seq last epoch"),
    34: ("sealed_gone", "room handle left"),
    35: ("sealed_back", "room handle"),
    36: ("sealed_evict_please", "room handles"),
    37: ("sealed_pull", "room from chunks body"),
    38: ("sealed_chunk", "room from body"),
    39: ("sealed_check_please", "room question epoch from roster body"),
    40: ("sealed_here", "room handles"),
    41: ("sealed_guests", "room count"),
}
session_v2.REQUESTS.update(SEALED_REQUESTS)
session_v2.EVENTS.update(SEALED_EVENTS)
REFUSALS = ("sealed_declined", "sealed_conflict", "sealed_stale")


class Room:
    def __init__(self, options):
        self._options = options
        self._keys = RoomKeys(base64.urlsafe_b64decode(options.secret + "="))
        self._seat = Seat(self._keys)
        self._ask, self._unread = 0, []
        # Where the group is for this client, and the handles in it. None: it is not in it.
        self._epoch, self._seq, self._members = 0, 0, None
        self._connect(None, None)

    def _connect(self, ticket, secret):
        o = self._options
        self._session = Session(o.host, o.port)
        self._session.send("hello", o.name, None, ticket, secret, [])
        welcome = self._session.receive()
        if welcome["kind"] != "welcome":
            raise ProtocolError(f"not let in: {welcome}")
        self._ticket = welcome["session"], welcome["secret"]

    def _receive(self):
        event = self._session.receive()
        if event["kind"] == "sealed_frame":
            # W7: each has the next place. A commit moves the epoch on.
            if event["seq"] != self._seq + 1:
                raise ProtocolError(f"place {event['seq']} behind {self._seq}")
            self._seq = event["seq"]
            if event["type"] == "commit":
                self._epoch += 1
        return event

    def _wait(self, kind, fits=lambda event: True):
        for event in self._unread:
            if event["kind"] == kind and fits(event):
                self._unread.remove(event)
                return event
        while True:
            event = self._receive()
            if event["kind"] == kind and fits(event):
                return event
            if event["kind"] in REFUSALS:
                raise ProtocolError(str(event))
            self._unread.append(event)

    def _send(self, kind, *fields):
        self._ask += 1
        self._session.send(kind, self._ask, *fields)
        return lambda event: event["ask"] == self._ask

    def _is_own_frame(self, event):
        return event["from"] == self._seat.handle and event["ask"] == self._ask

    def attach(self):
        proofs = self._seat.proofs(self._session.challenge)
        is_member = self._members is not None
        is_answer = self._send("sealed_attach", *proofs, is_member, self._epoch, self._seq)
        while True:
            event = self._receive()
            if event["kind"] in ("sealed_none", "sealed_attached", *REFUSALS) and is_answer(event):
                break
            self._unread.append(event)
        if event["kind"] in REFUSALS:
            raise ProtocolError(str(event))
        self._room = event["room"]
        if event["kind"] == "sealed_none":
            print("no group", flush=True)
        else:
            here = sum(1 for _, is_here in event["members"] if is_here)
            print("attached", event["epoch"], event["seq"], event["missing"], "here:", here, flush=True)

    def make(self):
        self._members = [self._seat.handle]
        self._wait("sealed_done", self._send("sealed_create", self._room, 0, 0, self._members))
        print("made", flush=True)

    def join(self):
        turn = self._wait("sealed_group_info", self._send("sealed_join", self._room, False))
        handles = self._keys.open(GROUP_INFO, turn["body"])
        members = [handles[at:at + 16] for at in range(0, len(handles), 16)] + [self._seat.handle]
        # The frames of a member begin with its own commit.
        self._epoch = turn["epoch"]
        body = self._keys.seal(COMMIT, self._seat.handle)
        self._send("sealed_commit", self._room, turn["epoch"], members, False, body)
        frame = self._first_frame()
        if not self._is_own_frame(frame) or frame["roster"] != roster(members, False):
            raise ProtocolError("another commit than the own one")
        self._members = members
        print("in", frame["epoch"], "with", len(self._wait("sealed_here")["handles"]), flush=True)

    def _first_frame(self):
        while True:
            event = self._session.receive()
            if event["kind"] in REFUSALS:
                raise ProtocolError(str(event))
            if event["kind"] == "sealed_frame":
                self._epoch, self._seq = event["epoch"] + 1, event["seq"]
                return event
            self._unread.append(event)

    def admit(self):
        asked = self._wait("sealed_group_info_please")
        body = self._keys.seal(GROUP_INFO, b"".join(self._members))
        self._send("sealed_group_info", self._room, asked["question"], asked["epoch"], body)
        check = self._wait("sealed_check_please")
        members = [*self._members, check["from"]]
        is_sound = check["roster"] == roster(members, False) and self._keys.open(COMMIT, check["body"]) == check["from"]
        self._send("sealed_check", self._room, check["question"], is_sound)
        frame = self._wait("sealed_frame", lambda event: event["type"] == "commit")
        if frame["from"] != check["from"] or frame["roster"] != check["roster"]:
            raise ProtocolError("another commit than the one that was judged")
        self._members = members
        print("admitted", "sound" if is_sound else "unsound", "epoch", self._epoch, flush=True)

    def say(self, text):
        self._send("sealed_app", self._room, self._epoch, self._keys.seal(MESSAGE, text.encode()))
        print("said", self._wait("sealed_frame", self._is_own_frame)["seq"], flush=True)

    def hear(self, text):
        def fits(event):
            return event["type"] == "app" and self._keys.open(MESSAGE, event["body"]) == text.encode()

        print("heard", self._wait("sealed_frame", fits)["seq"], text, flush=True)

    def cut(self):
        self._session.close()
        self._connect(*self._ticket)
        # W2: a new connection of a session is attached nowhere.
        self.attach()

    def gone(self):
        gone = self._wait("sealed_gone")
        print("gone", "for good" if gone["left"] else "for now", flush=True)

    def leave(self):
        self._wait("sealed_done", self._send("sealed_leave", self._room))
        self._session.send("bye")
        self._session.end()
        print("left", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("name")
    parser.add_argument("secret")
    room = Room(parser.parse_args())
    for line in sys.stdin:
        command, _, argument = line.rstrip("\n").partition(" ")
        if command not in COMMANDS:
            raise SystemExit(f"no such command: {command}")
        getattr(room, command)(*([argument] if argument else []))


if __name__ == "__main__":
    main()
