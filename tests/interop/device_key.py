"""Device keys in plain rooms: docs/PROTOCOL.md, sections 8.9 and 11.7."""

import hashlib
import os

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from sealed_keys import room_statement

PRIME = 2**255 - 19
# y of the points of small order on Ed25519: under such a key anyone can sign.
WEAK = {0, 1, PRIME - 1} | {
    int.from_bytes(bytes.fromhex(y), "little")
    for y in (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
}


def digits(digest):
    """30 digits of a SHA-256 (11.7)."""
    numbers = (int.from_bytes(digest[at:at + 5], "big") % 100_000 for at in range(0, 30, 5))
    return " ".join(f"{number:05d}" for number in numbers)


def fingerprint(key):
    return digits(hashlib.sha256(b"cmdchat device fingerprint v1" + key).digest())


class DeviceKey:
    def __init__(self):
        self._key = ed25519.Ed25519PrivateKey.generate()
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        self.key = self._key.public_key().public_bytes(*raw)

    def sign(self, place):
        return self._key.sign(statement(**place))


def statement(identity, prover, asker, nonce, room, name):
    return room_statement(hashlib.sha256(identity).digest(), prover, asker, nonce, room, name)


def is_strong(key):
    """Whether a public key has 32 bytes, its y in the one form, and no small order."""
    y = int.from_bytes(key, "little") & ((1 << 255) - 1)
    return len(key) == 32 and y < PRIME and y not in WEAK


def is_proven(key, signature, names, **place):
    """S42, under any of the names."""
    if not is_strong(key):
        return False
    for name in names:
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, statement(name=name, **place))
            return True
        except InvalidSignature:
            continue
    return False


def new_nonce():
    return os.urandom(32)
