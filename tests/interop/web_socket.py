"""The byte stream of a session inside a WebSocket connection (RFC 6455; docs/PROTOCOL.md, section 1.1)."""

import base64
import hashlib
import os
import struct

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
SUBPROTOCOL = "cmdchat.v2"
HEAD_MAX = 8_192
BINARY, CLOSE, PING, PONG = 2, 8, 9, 10
CONTINUATION = 0


class WebSocketError(Exception):
    """The server broke a rule of RFC 6455 or of section 1.1."""


class WebSocket:
    """Stands in for a socket: what is sent goes out as binary messages, what comes in them is received."""

    def __init__(self, sock, host):
        self._socket, self._data, self._raw = sock, b"", b""
        self._within, self._ended = False, False
        key = base64.b64encode(os.urandom(16)).decode()
        sock.sendall(
            f"GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n".encode()
        )
        status, fields = self._head()
        if status != 101:
            raise WebSocketError(f"the server answered with {status}")
        accept = base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()
        expected = {"upgrade": "websocket", "sec-websocket-accept": accept, "sec-websocket-protocol": SUBPROTOCOL}
        for name, value in expected.items():
            # The value of Upgrade is compared without case (RFC 6455 section 4.1), the others exactly.
            found = fields.get(name, "")
            if (found.lower() if name == "upgrade" else found) != value:
                raise WebSocketError(f"{name}: {found!r}")
        if "sec-websocket-extensions" in fields:
            raise WebSocketError("an extension")

    def _head(self):
        while b"\r\n\r\n" not in self._raw:
            part = self._socket.recv(4_096)
            if part == b"" or len(self._raw) > HEAD_MAX:
                raise WebSocketError("no answer")
            self._raw += part
        head, _, self._raw = self._raw.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in lines)
        return int(status.split(" ")[1]), {name.strip().lower(): value.strip() for name, value in pairs}

    def _take(self, count):
        while len(self._raw) < count:
            part = self._socket.recv(65_536)
            if part == b"":
                raise ConnectionError("the server closed the connection")
            self._raw += part
        taken, self._raw = self._raw[:count], self._raw[count:]
        return taken

    def _frame(self):
        first, second = self._take(2)
        opcode, length = first & 15, second & 127
        if first & 0x70 or second & 128:
            raise WebSocketError("reserved bits, or a mask")
        if opcode >= 8 and (length > 125 or not first & 128):
            raise WebSocketError("a control frame that is cut or too long")
        for marker, size, least in ((126, 2, 126), (127, 8, 65_536)):
            if length == marker and second & 127 == marker:
                length = int.from_bytes(self._take(size), "big")
                if length < least:
                    raise WebSocketError("a length that is not in its shortest form")
                break
        return opcode, bool(first & 128), self._take(length)

    def _send(self, opcode, payload):
        # C10: a fresh key for each frame.
        mask = os.urandom(4)
        size = len(payload)
        head = bytes([0x80 | opcode])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65_536:
            head += b"\xfe" + struct.pack(">H", size)
        else:
            head += b"\xff" + struct.pack(">Q", size)
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes((mask * (size // 4 + 1))[:size], "big"))
        self._socket.sendall(head + mask + masked.to_bytes(size, "big"))

    def sendall(self, data):
        self._send(BINARY, data)

    def recv(self, most):
        while self._data == b"" and not self._ended:
            opcode, is_last, payload = self._frame()
            if opcode in (BINARY, CONTINUATION):
                if self._within != (opcode == CONTINUATION):
                    raise WebSocketError("a continuation of nothing, or a message inside another")
                self._within, self._data = not is_last, payload
            elif opcode == PING:
                self._send(PONG, payload)
            elif opcode == CLOSE:
                # C11: the end of the connection, and not a `bye`.
                self._ended = True
            elif opcode != PONG:
                raise WebSocketError(f"opcode {opcode}")
        taken, self._data = self._data[:most], self._data[most:]
        return taken

    def pending(self):
        """Bytes that were received and not read yet."""
        return len(self._data) + len(self._raw)

    def fileno(self):
        return self._socket.fileno()

    def shutdown(self, _how):
        """Ends this direction: a close frame, behind which nothing is sent."""
        self._send(CLOSE, struct.pack(">H", 1_000))

    def close(self):
        self._socket.close()
