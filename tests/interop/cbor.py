"""Deterministic CBOR (RFC 8949 section 4.2.1), as far as messages use it: docs/PROTOCOL.md, B1."""


class Malformed(Exception):
    """Bytes that a deterministic writer would not have written."""


def encode(value):
    if value is False or value is True or value is None:
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    if isinstance(value, int):
        return _head(0, value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        data = value.encode()
        return _head(3, len(data)) + data
    return _head(4, len(value)) + b"".join(encode(item) for item in value)


def decode(data):
    """The one value that `data` holds. Raises Malformed, also where the value has another, shorter form."""
    try:
        value, end = _read(data, 0)
    except (IndexError, UnicodeDecodeError) as error:
        raise Malformed(str(error)) from error
    if end != len(data) or encode(value) != data:
        raise Malformed("not in the deterministic form")
    return value


def _head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for extra, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << (8 * size):
            return bytes([major << 5 | extra]) + number.to_bytes(size, "big")
    raise OverflowError(number)


def _read(data, at):
    first = data[at]
    at += 1
    if first in (0xF4, 0xF5, 0xF6):
        return {0xF4: False, 0xF5: True, 0xF6: None}[first], at
    major, number = first >> 5, first & 31
    if major not in (0, 2, 3, 4) or number > 27:
        raise Malformed(f"byte {first:#x}")
    if number > 23:
        size = 1 << (number - 24)
        number, at = int.from_bytes(data[at:at + size], "big"), at + size
    if major == 0:
        return number, at
    if major == 4:
        items = []
        for _ in range(number):
            item, at = _read(data, at)
            items.append(item)
        return items, at
    if at + number > len(data):
        raise Malformed("it ends too early")
    part = data[at:at + number]
    return (part if major == 2 else part.decode()), at + number
