"""What members of a sealed room make of the secret of its link: docs/PROTOCOL.md, sections 11 and 12, without MLS."""

import hashlib
import hmac
import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK, CONTENT_MAX = 32_768, 262_140
GROUP_INFO, COMMIT, MESSAGE, TO_MEMBER = 1, 2, 3, 4


class NotOurs(Exception):
    """Bytes that no member of the room has made."""


def _expand(root, label):
    # 32 bytes: one block of HKDF-Expand.
    return hmac.new(root, label + b"\x01", hashlib.sha256).digest()


def _raw(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _first16(label, key):
    return hashlib.sha256(label + key).digest()[:16]


class RoomKeys:
    """Section 11.1, the names of 12.1, and envelopes (11.2)."""

    def __init__(self, secret):
        root = hmac.new(b"cmdchat sealed keys v1", secret, hashlib.sha256).digest()
        self.envelope_key, self.admission = _expand(root, b"envelope"), _expand(root, b"admission")
        self._attach = ed25519.Ed25519PrivateKey.from_private_bytes(_expand(root, b"attach"))
        self.attach = _raw(self._attach)
        self.rid = _first16(b"cmdchat sealed room v1", self.attach)

    def seal(self, kind, content, nonce=None):
        size = 256
        while size < 4 + len(content):
            size *= 2
        plain = struct.pack(">I", len(content)) + content
        nonce = nonce or os.urandom(12)
        return nonce + AESGCM(self.envelope_key).encrypt(nonce, plain.ljust(size, b"\0"), self.rid + bytes([kind]))

    def open(self, kind, envelope):
        try:
            plain = AESGCM(self.envelope_key).decrypt(envelope[:12], envelope[12:], self.rid + bytes([kind]))
        except (InvalidTag, ValueError) as error:
            raise NotOurs("an envelope") from error
        length = int.from_bytes(plain[:4], "big")
        content = plain[4:4 + length]
        # M3: of the one size, and with nothing but zeros behind the content.
        if length > CONTENT_MAX or len(content) != length or any(plain[4 + length:]):
            raise NotOurs("an envelope's padding")
        if len(envelope) != len(self.seal(kind, content)):
            raise NotOurs("an envelope's size")
        return content


class Seat:
    """A handle and its key, made for one process and one room (12.1)."""

    def __init__(self, keys, seed=None):
        self._keys = keys
        self._key = ed25519.Ed25519PrivateKey.from_private_bytes(seed or os.urandom(32))
        self.key = _raw(self._key)
        self.handle = _first16(b"cmdchat sealed handle v1", self.key)

    def proofs(self, challenge):
        """`rid`, `key`, `proof`, `handleKey`, `handleProof` of a `sealed_attach`."""
        said = self._keys.rid + self.handle + challenge
        proof = self._keys._attach.sign(b"cmdchat sealed attach v1" + said)
        return self._keys.rid, self._keys.attach, proof, self.key, self._key.sign(b"cmdchat sealed seat v1" + said)


def roster(handles, locked):
    """Section 12.4."""
    return hashlib.sha256(b"cmdchat sealed roster v1" + bytes([locked]) + b"".join(sorted(handles))).digest()


def padded_size(size):
    """Section 11.9 (Padmé)."""
    if size < 2:
        return size
    exponent = size.bit_length() - 1
    unit = 1 << (exponent - exponent.bit_length())
    return -(-size // unit) * unit


def seal_file(key, data):
    """The sealed chunks of a file."""
    data = data.ljust(padded_size(len(data)), b"\0")
    parts = [data[at:at + CHUNK] for at in range(0, len(data), CHUNK)] or [b""]
    ends = [False] * (len(parts) - 1) + [True]
    nonces = (bytes(7) + struct.pack(">IB", i, end) for i, end in enumerate(ends))
    return [AESGCM(key).encrypt(nonce, part, b"cmdchat sealed file v1") for nonce, part in zip(nonces, parts)]


def room_statement(server, prover, asker, nonce, room, name):
    """What a device key signs in a plain room (8.9)."""
    texts = b"".join(struct.pack(">H", len(text)) + text for text in (room.encode(), name.encode()))
    return b"cmdchat device room v1" + server + struct.pack(">QQ", prover, asker) + nonce + texts
