"""Holds sealed_keys.py to tests/vectors/sealed.json; check_vectors.py runs it."""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric import ed25519

from sealed_keys import NotOurs, RoomKeys, Seat, padded_size, room_statement, roster, seal_file

KINDS = {"group-info": 1, "commit": 2, "app": 3, "direct": 4}
CONTENT = hashlib.sha256(b"cmdchat sealed vectors: content").digest().ljust(1 << 16, b"\0")


def unhex(case, *names):
    return [bytes.fromhex(case[name]) for name in names]


def digits(digest):
    numbers = (int.from_bytes(digest[at:at + 5], "big") % 100_000 for at in range(0, 30, 5))
    return " ".join(f"{number:05d}" for number in numbers)


def is_refused(keys, kind, envelope):
    try:
        keys.open(kind, envelope)
    except NotOurs:
        return True
    return False


def check_envelope(keys, case):
    kind, content = KINDS[case["kind"]], CONTENT[:case["content"]]
    sealed = keys.seal(kind, content, bytes.fromhex(case["nonce"]))
    assert len(sealed) == case["bytes"]
    if "envelope" in case:
        assert sealed.hex() == case["envelope"]
    else:
        assert hashlib.sha256(sealed).hexdigest() == case["sha256"]
    assert keys.open(kind, sealed) == content
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    assert is_refused(keys, kind % 4 + 1, sealed) and is_refused(keys, kind, changed)


def check_attach(keys, case):
    handle_key, challenge = unhex(case, "handleSeed", "challenge")
    seat = Seat(keys, handle_key)
    proofs = [part.hex() for part in seat.proofs(challenge)]
    attach = [keys.rid.hex(), keys.attach.hex(), case["proof"], case["handleKey"], case["handleProof"]]
    assert proofs == attach and seat.handle.hex() == case["handle"]


def check_credential(keys, case):
    handle, leaf_key, identity = unhex(case, "handle", "signatureKey", "identity")
    name = case["name"].encode()
    said = b"cmdchat sealed leaf v1" + keys.rid + handle + name + leaf_key
    mac = hmac.new(keys.admission, said, hashlib.sha256).digest()[:16]
    assert identity == b"\x01" + handle + mac + name


def check_device_credential(keys, case):
    handle, leaf_key, identity, device = unhex(case, "handle", "signatureKey", "identity", "deviceKey")
    name = case["name"].encode()
    assert identity[:17] == b"\x02" + handle and identity[33:65] == device and identity[129:] == name
    signature = identity[65:129]
    statement = b"cmdchat device leaf v1" + keys.rid + handle + leaf_key
    assert statement.hex() == case["statement"]
    ed25519.Ed25519PublicKey.from_public_bytes(device).verify(signature, statement)
    said = b"cmdchat sealed leaf v2" + keys.rid + handle + device + signature + name + leaf_key
    assert identity[17:33] == hmac.new(keys.admission, said, hashlib.sha256).digest()[:16]


def check_room_proof(case):
    server, nonce, device, signature = unhex(case, "server", "nonce", "deviceKey", "signature")
    statement = room_statement(server, case["prover"], case["asker"], nonce, case["room"], case["name"])
    assert statement.hex() == case["statement"]
    ed25519.Ed25519PublicKey.from_public_bytes(device).verify(signature, statement)


def check_file(case):
    assert padded_size(case["size"]) == case["padded"]
    chunks = seal_file(bytes.fromhex(case["key"]), b"\x5a" * case["size"])
    assert [hashlib.sha256(chunk).hexdigest() for chunk in chunks] == case["chunks"]


def check_sealed(vectors):
    keys = RoomKeys(bytes.fromhex(vectors["secret"]))
    found = {"rid": keys.rid, "envelope": keys.envelope_key, "admission": keys.admission, "attach": keys.attach}
    assert {name: value.hex() for name, value in found.items()} == vectors["keys"]
    check_attach(keys, vectors["attach"])
    for case in vectors["rosters"]:
        assert roster(map(bytes.fromhex, case["members"]), case["locked"]).hex() == case["digest"]
    for case in vectors["envelopes"]:
        check_envelope(keys, case)
    for case in vectors["credentials"]:
        check_credential(keys, case)
    for case in vectors["deviceCredentials"]:
        check_device_credential(keys, case)
    for case in vectors["roomProofs"]:
        check_room_proof(case)
    for case in vectors["files"]:
        check_file(case)
    for name, label, key in (
        ("code", "cmdchat sealed code v1", "authenticator"),
        ("fingerprint", "cmdchat sealed fingerprint v1", "signatureKey"),
        ("deviceFingerprint", "cmdchat device fingerprint v1", "deviceKey"),
    ):
        value = vectors[name]
        assert digits(hashlib.sha256(label.encode() + bytes.fromhex(value[key])).digest()) == value["digits"], name
    return len(vectors["envelopes"]), len(vectors["files"])
