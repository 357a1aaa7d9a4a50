"""Session v2 in Python, written from docs/PROTOCOL.md alone: handshake, records, messages.

It needs Debian's python3-cryptography. For tests only: mlkem768.py does not run in constant time.
"""

import base64
import hashlib
import hmac
import json
import os
import random
import select
import socket
import ssl
import struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

import cbor
import mlkem768
from device_key import is_strong
from web_socket import WebSocket

AEADS = {"aes-256-gcm": AESGCM, "chacha20-poly1305": ChaCha20Poly1305}
FRAME_MAX, HANDSHAKE_MAX, PIECE_MAX, MESSAGE_MAX = 65_536, 8_192, 65_511, 1_048_576
# Section 6.3: at the latest, R6.
RECORDS_PER_KEY = 1 << 20

REQUESTS = {
    "hello": 0, "join": 1, "leave": 2, "chat": 3, "revise": 4, "direct": 6, "offer": 10, "ping": 12, "pong": 13,
    "bye": 14, "pull": 27, "part": 28, "receipt": 29, "react": 30, "pin": 31, "moving": 33, "invite": 34, "invites": 35,
    "uninvite": 36, "backlog": 37, "ask_proof": 38, "proof": 39,
}
# 7.2 but for the rows of sealed rooms, which sealed.py adds. check_document.py holds both tables to it.
EVENTS = {
    0: ("welcome", "client session secret resumed rooms messageLimit fileLimit rateMessages rateSeconds hold page"),
    1: ("refused", "reason"),
    2: ("done", "id"),
    3: ("declined", "id why"),
    4: ("entered", "id room title name at complete topic"),
    5: ("members", "room list more"),
    6: ("chat", "room at client name time request sequence text action reply"),
    7: ("revised", "room at client name time request sequence text"),
    8: ("joined", "room at client name time old"),
    9: ("left", "room at client name time"),
    10: ("renamed", "room at client name time previous"),
    11: ("away", "room at client name time"),
    12: ("back", "room at client name time"),
    13: ("topic", "room at client name time text"),
    14: ("status", "room at client name time text"),
    15: ("typing", "room client name"),
    16: ("direct", "room client name time to toName request text"),
    17: ("undelivered", "room client name time request"),
    18: ("offer", "room client name time request file filename size chunks hash to folder"),
    19: ("chunk", "room client name time file index data last"),
    20: ("notice", "room text"),
    21: ("closing", "why retry"),
    22: ("ping", ""),
    23: ("pong", ""),
    42: ("moderated", "room at client name time request what whom whomName seconds text"),
    43: ("rules", "room maker ops locked slow sequence author authorName text backlog"),
    44: ("taken", "file index"),
    45: ("pull", "room client file index count"),
    46: ("receipt", "room client name time file state"),
    47: ("reacted", "room at client name time request sequence emoji on"),
    48: ("pinned", "room at client name time request sequence author authorName text"),
    49: ("bans", "room list more"),
    50: ("servers", "list"),
    51: ("move", "host port"),
    52: ("invited", "request invite token uses until place"),
    53: ("invites", "request list"),
    54: ("backlog", "room at client name time request lines"),
    55: ("earlier", "room list"),
    56: ("proof_asked", "room client nonce"),
    57: ("proof", "room client key signature"),
}
BUSY_PAUSE_MAX_MS = 30_000


class ProtocolError(Exception):
    """The server broke a rule of the document."""


class Busy(Exception):
    """The server has no time for a handshake: come back after `pause` seconds (5.5)."""

    def __init__(self, pause_ms):
        super().__init__(f"busy for {pause_ms} ms")
        # Up to a quarter more, so that those who are sent away do not all come back at once.
        self.pause = pause_ms / 1_000 * random.uniform(1, 1.25)


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text, *sizes):
    """V3 and H2: padded base64 in its one spelling, of an exact size."""
    if not isinstance(text, str):
        raise ProtocolError("not base64")
    data = base64.b64decode(text, validate=True)
    if b64(data) != text or len(data) not in sizes:
        raise ProtocolError(f"base64 of {len(data)} bytes")
    return data


def hkdf_extract(salt, secret):
    return hmac.new(salt, secret, hashlib.sha256).digest()


def expand_label(secret, label, context, length):
    """Section 5.4."""
    name = b"cmdchat2 " + label
    info = struct.pack(">HB", length, len(name)) + name + bytes([len(context)]) + context
    # At most 32 bytes are asked for: one block of HKDF-Expand.
    return hmac.new(secret, info + b"\x01", hashlib.sha256).digest()[:length]


class Handshake:
    """The client's side of section 5."""

    def __init__(self, rsa_key=None, x25519_key=None, mlkem_seed=None):
        self._rsa = rsa_key or rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        self._x25519 = x25519_key or x25519.X25519PrivateKey.generate()
        ek, self._dk = mlkem768.key_pair(mlkem_seed or os.urandom(64))
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        raw = serialization.PublicFormat.Raw
        pem = self._rsa.public_key().public_bytes(serialization.Encoding.PEM, spki).decode()
        share = self._x25519.public_key().public_bytes(serialization.Encoding.Raw, raw)
        self.first_message = {
            "type": "handshake",
            "public_key": pem,
            "v2": {
                "versions": [2, 2],
                "aeads": list(AEADS),
                "x25519": b64(share),
                "mlkem768": b64(ek),
            },
        }

    def finish(self, client_frame, server_frame, fingerprint=None):
        """H8 to H12. Gives the record ciphers (ours, the server's) and what went into them."""
        if len(server_frame) > 4 + HANDSHAKE_MAX:
            raise ProtocolError("the answer is too long")
        answer = json.loads(server_frame[4:])
        if answer.get("reason") == "server_busy":
            pause = answer["v2"]["pause"]
            if type(pause) is not int or not 0 <= pause <= BUSY_PAUSE_MAX_MS:
                raise ProtocolError("a pause")
            raise Busy(pause)
        if answer.get("type") != "handshake_ok" or "v2" not in answer:
            raise ProtocolError(f"refused: {answer.get('reason')!r}")
        v2 = answer["v2"]
        if v2["version"] != 2 or v2["aead"] not in AEADS:
            raise ProtocolError("something that was not offered")
        identity = unb64(v2["identity"], 32)
        self.identity, self.fingerprint = identity, fingerprint_of(identity)
        if fingerprint is not None and self.fingerprint != fingerprint:
            raise ProtocolError(f"another server: {self.fingerprint}")
        if not is_strong(identity):
            raise ProtocolError("a weak key")
        wrapped = unb64(answer["encrypted_key"], self._rsa.key_size // 8)
        theirs, ciphertext = unb64(v2["x25519"], 32), unb64(v2["mlkem768"], 1_088)
        aead = v2["aead"].encode()
        share = struct.pack(">HB", 2, len(aead)) + aead + theirs + ciphertext + identity
        share += struct.pack(">H", len(wrapped)) + wrapped
        signed = b" " * 64 + b"cmdchat v2 server\0" + hashlib.sha256(client_frame + share).digest()
        try:
            key = ed25519.Ed25519PublicKey.from_public_bytes(identity)
            key.verify(unb64(v2["signature"], 64), signed)
        except InvalidSignature as error:
            raise ProtocolError("the signature does not fit") from error
        # The library refuses a secret that is all zero (H11).
        x25519_secret = self._x25519.exchange(x25519.X25519PublicKey.from_public_bytes(theirs))
        oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
        rsa_secret = self._rsa.decrypt(wrapped, oaep)
        if len(rsa_secret) != 32:
            raise ProtocolError("a wrapped secret of another length")
        mlkem_secret = mlkem768.decapsulate(self._dk, ciphertext)
        transcript = hashlib.sha256(client_frame + server_frame).digest()
        self.master = hkdf_extract(transcript, mlkem_secret + x25519_secret + rsa_secret)
        self.challenge = expand_label(self.master, b"challenge", transcript, 32)
        secrets = [expand_label(self.master, label, transcript, 32) for label in (b"c traffic", b"s traffic")]
        return [Direction(AEADS[v2["aead"]], secret) for secret in secrets]


def fingerprint_of(identity):
    digest = hashlib.sha256(identity).digest()
    return "SHA256:" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


class Direction:
    """The records of one direction (section 6)."""

    def __init__(self, aead, secret, records_per_key=RECORDS_PER_KEY):
        self._aead, self.secret, self._most = aead, secret, records_per_key
        self._begin()

    def _begin(self):
        self.key, self.iv = (expand_label(self.secret, label, b"", n) for label, n in ((b"key", 32), (b"iv", 12)))
        self._cipher, self._count = self._aead(self.key), 0

    def _nonce(self):
        number = int.from_bytes(self.iv, "big") ^ self._count
        self._count += 1
        return number.to_bytes(12, "big")

    def _end_of(self, flags):
        if flags not in (0, 1):
            raise ProtocolError("flags")
        if flags == 1:
            self.secret = expand_label(self.secret, b"traffic upd", b"", 32)
            self._begin()

    def seal(self, content, flags=0):
        if self._count == self._most - 1:
            flags = 1
        header = struct.pack(">I", 1 + len(content) + 16)
        record = header + self._cipher.encrypt(self._nonce(), bytes([flags]) + content, header)
        self._end_of(flags)
        return record

    def open(self, header, sealed):
        if self._count >= self._most:
            raise ProtocolError("too many records under one key")
        plain = self._cipher.decrypt(self._nonce(), sealed, header)
        self._end_of(plain[0])
        return plain[1:]


def pieces(message):
    """The contents of the records that carry a message (6.4)."""
    while len(message) > PIECE_MAX:
        yield struct.pack(">I", 1 << 31 | PIECE_MAX) + message[:PIECE_MAX]
        message = message[PIECE_MAX:]
    yield struct.pack(">I", len(message)) + message


class Messages:
    """Joins pieces to messages (6.4)."""

    def __init__(self, most=MESSAGE_MAX):
        self._most, self._parts = most, b""

    def push(self, content):
        at = 0
        while at < len(content):
            head = int.from_bytes(content[at:at + 4], "big")
            more, length = head >> 31, head & 0x7FFF_FFFF
            part = content[at + 4:at + 4 + length]
            if len(content) < at + 4 or length == 0 or len(part) != length or (more and length != PIECE_MAX):
                raise ProtocolError("a piece")
            self._parts += part
            if len(self._parts) + more > self._most:
                raise ProtocolError("a message that is too long")
            if not more:
                yield self._parts
                self._parts = b""
            at += 4 + length


class Session:
    """One connection of a session (sections 7 and 8)."""

    def __init__(self, host, port, fingerprint=None, ca_file=None, web=False):
        self._socket = socket.create_connection((host, port), timeout=30)
        if ca_file is not None:
            context = ssl.create_default_context(cafile=ca_file)
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
        if web:
            self._socket = WebSocket(self._socket, f"{host}:{port}")
        handshake = Handshake()
        body = json.dumps(handshake.first_message).encode()
        first = struct.pack(">I", len(body)) + body
        self._socket.sendall(first)
        answer = self._frame(FRAME_MAX)
        self._ours, self._theirs = handshake.finish(first, answer, fingerprint)
        self.fingerprint, self.challenge = handshake.fingerprint, handshake.challenge
        self.identity = handshake.identity
        self._messages, self._queue = Messages(), []
        # S21b: behind `moving` nothing more is sent, a pong neither.
        self.is_leaving = False

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            if part == b"":
                raise ConnectionError("the server closed the connection")
            data += part
        return data

    def _frame(self, most, least=1):
        header = self._exactly(4)
        (length,) = struct.unpack(">I", header)
        if not least <= length <= most:
            raise ProtocolError(f"a length of {length}")
        return header + self._exactly(length)

    def waits(self, seconds):
        """Whether something comes within so many seconds."""
        pending = getattr(self._socket, "pending", lambda: 0)
        return bool(self._queue) or pending() > 0 or bool(select.select([self._socket], [], [], seconds)[0])

    def send(self, kind, *fields):
        for content in pieces(cbor.encode([REQUESTS[kind], *fields])):
            self._socket.sendall(self._ours.seal(content))

    def receive(self):
        """The next event as a dictionary with its `kind`. Pings are answered and not given."""
        while True:
            while not self._queue:
                record = self._frame(65_532, least=17)
                self._queue += self._messages.push(self._theirs.open(record[:4], record[4:]))
            number, *values = cbor.decode(self._queue.pop(0))
            if number not in EVENTS:
                # B2. Rows of sealed rooms come to clients that attached to one.
                raise ProtocolError(f"an event of number {number}")
            kind, names = EVENTS[number]
            if len(names.split()) != len(values):
                raise ProtocolError(f"fields of {kind}")
            if kind == "ping":
                if not self.is_leaving:
                    self.send("pong")
                continue
            return {"kind": kind, **dict(zip(names.split(), values))}

    def update_keys(self):
        """An empty record that is the last one under its key (6.3, R10)."""
        self._socket.sendall(self._ours.seal(b"", flags=1))

    def end(self):
        """S26: ends this side's direction, and reads until the server has ended the other one."""
        self._socket.shutdown(socket.SHUT_WR)
        try:
            while self._socket.recv(65_536) != b"":
                pass
        except OSError:
            # A reset, or TLS that ends without its alert: the server has closed all the same.
            pass
        self.close()

    def close(self):
        self._socket.close()
