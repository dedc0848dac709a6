"""A native client by hand: one that does not read unless it is told to."""

import base64
import os
import socket
import time
from typing import Self

import msgspec

from tests.bench.processes import BenchError

_WITHIN = 10.0  # seconds for any answer


class Native:
    """A connection that was welcomed.  A context manager."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        self._socket.settimeout(_WITHIN)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n\r\n" % base64.b64encode(os.urandom(16))
        )
        self.hear(b'"clientId"')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    def ask(self, **request: object) -> None:
        """Send a request."""
        text = msgspec.json.encode(request)
        self._socket.sendall(bytes((0x81, 0xFE, *len(text).to_bytes(2), 0, 0, 0, 0)) + text)  # masked with zeros

    def hear(self, what: bytes) -> None:
        """Read until these bytes came."""
        deadline, read = time.monotonic() + _WITHIN, b""
        while what not in read:
            if time.monotonic() > deadline:
                raise BenchError(f"no {what!r}: {read[:200]!r}")
            read = read[-len(what) :] + self.read(64 * 1024)

    def read(self, most: int) -> bytes:
        """Read what there is, up to so many bytes."""
        return self._socket.recv(most)
