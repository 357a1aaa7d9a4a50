"""Holds this client to tests/vectors: python3 check_vectors.py FOLDER. Prints how many of each kind it has checked."""

import hashlib
import hmac
import json
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, x25519

from device_key import digits
from sealed_keys import NotOurs, RoomKeys, Seat, padded_size, room_statement, roster, seal_file
from session_v2 import AEADS, MESSAGE_MAX, Direction, Handshake, Messages, ProtocolError, pieces

# What Python raises where a field is missing or of another type.
WRONG_TYPE = (KeyError, TypeError, ValueError, AttributeError)
# Of envelopes, by the words of the vectors; and the content of those that have one.
KINDS = {"group-info": 1, "commit": 2, "app": 3, "direct": 4}
CONTENT = hashlib.sha256(b"cmdchat sealed vectors: content").digest().ljust(1 << 16, b"\0")


def load(folder, name):
    with open(f"{folder}/{name}.json", encoding="utf-8") as file:
        return json.load(file)


def handshake_of(client):
    pem = serialization.load_pem_private_key(client["rsa_pkcs8_pem"].encode(), None)
    share = x25519.X25519PrivateKey.from_private_bytes(bytes.fromhex(client["x25519_private"]))
    return Handshake(pem, share, bytes.fromhex(client["mlkem768_seed"]))


def refuses(action, *kinds):
    try:
        action()
    except kinds:
        return True
    return False


def check_handshakes(vectors):
    expected = vectors["server"]["fingerprint"]
    for session in vectors["sessions"]:
        handshake = handshake_of(vectors["client"])
        first, answer = (bytes.fromhex(session[name]) for name in ("first_frame", "answer_frame"))
        sent = json.loads(first[4:])["v2"]
        assert sent["mlkem768"] == handshake.first_message["v2"]["mlkem768"], "ML-KEM key generation"
        ours, theirs = handshake.finish(first, answer, expected)
        assert handshake.master.hex() == session["master_secret"]
        assert handshake.challenge.hex() == session["challenge"]
        assert [ours.key.hex(), ours.iv.hex()] == [session["client_key"], session["client_iv"]]
        assert [theirs.key.hex(), theirs.iv.hex()] == [session["server_key"], session["server_iv"]]
    first = bytes.fromhex(vectors["sessions"][0]["first_frame"])
    for bad in vectors["bad_answers"]:
        body = bad["payload"].encode() if isinstance(bad["payload"], str) else bytes(bad["payload"])
        frame = len(body).to_bytes(4, "big") + body
        assert refuses(lambda: handshake.finish(first, frame, expected), ProtocolError, *WRONG_TYPE), bad["name"]
    return len(vectors["sessions"]), len(vectors["bad_answers"])


def check_records(vectors):
    def direction(aead):
        secret = bytes.fromhex(vectors["client_traffic_secret"])
        return Direction(AEADS[aead], secret, int(vectors["rekey_records"]))

    def open_all(aead, records):
        receiver = direction(aead)
        for record in map(bytes.fromhex, records):
            length = int.from_bytes(record[:4], "big")
            if not 17 <= length <= 65_532 or length != len(record) - 4:
                raise ProtocolError("a length")
            yield receiver.open(record[:4], record[4:])

    for stream in vectors["streams"]:
        sender = direction(stream["aead"])
        sealed = [sender.seal(bytes.fromhex(content)).hex() for content in stream["contents"]]
        assert sealed == stream["records"]
        assert [content.hex() for content in open_all(stream["aead"], sealed)] == stream["contents"]
    for fault in vectors["faults"]:
        opened = open_all(fault["aead"], fault["records"])
        for _ in fault["records"][:-1]:
            next(opened)
        assert refuses(lambda: next(opened), ProtocolError, InvalidTag), fault["name"]
    return len(vectors["streams"]), len(vectors["faults"])


def check_pieces(vectors):
    def bytes_of(parts):
        return b"".join(bytes.fromhex(p) if isinstance(p, str) else bytes([p[0]]) * p[1] for p in parts)

    def messages_of(case):
        reader = Messages(case.get("max_bytes", MESSAGE_MAX))
        return [message for content in case["contents"] for message in reader.push(bytes_of(content))]

    for case in vectors["good"]:
        assert messages_of(case) == [bytes_of(body) for body in case["bodies"]], case["name"]
        for body in map(bytes_of, case["bodies"]):
            assert messages_of({"contents": [[piece.hex()] for piece in pieces(body)]}) == [body]
    for case in vectors["bad"]:
        assert refuses(lambda: messages_of(case), ProtocolError), case["name"]
    return len(vectors["good"]), len(vectors["bad"])


def unhex(case, *names):
    return [bytes.fromhex(case[name]) for name in names]


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


def main():
    folder = sys.argv[1]
    print("handshakes, bad answers: %d, %d" % check_handshakes(load(folder, "v2_handshake")))
    print("streams of records, bad ones: %d, %d" % check_records(load(folder, "v2_records")))
    print("contents of records, bad ones: %d, %d" % check_pieces(load(folder, "v2_batches")))
    print("envelopes and files of sealed rooms: %d, %d" % check_sealed(load(folder, "sealed")))


if __name__ == "__main__":
    main()
