"""A transport that writes to nobody, for connections that are looked at from outside."""

import asyncio
from typing import Any


class Recorded(asyncio.Transport):
    """Keeps what is written; `unsent` bytes of it wait, says the test."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.unsent = 0
        self.limit: int | None = None  # bytes, from which on its protocol is told to pause
        self.is_ended = self.is_aborted = False
        self.protocol: asyncio.BaseProtocol | None = None

    def write(self, data: Any) -> None:
        assert not self.is_ended, "written behind the end"
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limit = high

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.is_ended = True

    def abort(self) -> None:
        self.is_aborted = True
