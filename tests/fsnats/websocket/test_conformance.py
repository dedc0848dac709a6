"""The server half of RFC 6455, case by case, over real sockets (`cases`)."""

import asyncio
import base64
import hashlib
import struct
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fsnats.websocket import frames
from fsnats.websocket.serve import listen, serving
from fsnats.websocket.server import Connection
from tests.fsnats.websocket.cases import CASES, CLOSE, Case, Message, closing

_KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, section 1.3
_ACCEPT = base64.b64encode(hashlib.sha1(_KEY + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
_PATIENCE = 20.0  # seconds for one case


class Echo(Connection):
    message_bytes_max = 32 * 1024 * 1024
    unread_bytes_max = 64 * 1024 * 1024

    def received(self, text: str) -> None:
        self.write(frames.text(text.encode()))

    def received_binary(self, data: bytes) -> None:
        self.write(b"\x82" + frames.text(data)[1:])


async def _app(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("nobody asks for HTTP here")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    listener = listen("127.0.0.1", 0, "PORT")
    async with serving(_app, Echo, listener):
        yield listener.getsockname()[1]


async def _frame(reader: asyncio.StreamReader) -> Message | None:
    """The next frame; None at the end.  Servers neither mask nor, here, fragment."""
    try:
        first, length = await reader.readexactly(2)
        assert first & 0x70 == 0, "reserved bits are set"
        assert first & 0x80, "the server fragments"
        assert not length & 0x80, "the server masks"
        if length == 126:
            (length,) = struct.unpack("!H", await reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await reader.readexactly(8))
        return first & 15, await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return None


async def _send(writer: asyncio.StreamWriter, case: Case) -> None:
    data = b"".join(case.sent)
    piece = case.piece or len(data)
    try:
        for at in range(0, len(data), piece):
            writer.write(data[at : at + piece])
            await writer.drain()
            if case.piece and at // piece % 64 == 0:
                await asyncio.sleep(0)  # let the pieces leave one by one
    except ConnectionResetError:
        pass  # it may end the connection before it has read everything


async def _play(port: int, case: Case) -> tuple[list[Message], int | None]:
    """What came back before the close, and its code (None without a close frame)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + _KEY + b"\r\n\r\n"
    )
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert _ACCEPT in head
    got: list[Message] = []
    code = None
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(_send(writer, case))
        if not case.ends and not case.back:
            await sending
            writer.write(closing(1000))
        while (frame := await _frame(reader)) is not None:
            if frame[0] == CLOSE:
                assert code is None, "closed twice"
                code = struct.unpack("!H", frame[1][:2])[0] if frame[1] else 1005
            else:
                assert code is None, "data after the close"
                got.append(frame)
                if not case.ends and len(got) == len(case.back):
                    await sending
                    writer.write(closing(1000))
        sending.cancel()
    writer.close()
    return got, code


def _problem(case: Case, got: list[Message], code: int | None) -> str | None:
    if code not in (case.ends or {1000}):
        return f"closed with {code}"
    if got == case.back or (case.overtaken and not got):
        return None
    return f"sent {[(opcode, len(data)) for opcode, data in got]}"


SECTIONS = sorted({case.number.partition(".")[0] for case in CASES}, key=int)


@pytest.mark.parametrize("section", SECTIONS)
async def test_a_client_gets_what_the_rfc_says(section: str, port: int) -> None:
    problems = {}
    for case in CASES:
        if case.number.partition(".")[0] == section:
            async with asyncio.timeout(_PATIENCE):
                problem = _problem(case, *await _play(port, case))
            if problem is not None:
                problems[f"{case.number} {case.what}"] = problem
    assert problems == {}
