"""Who never finishes a request is cut off; who does is served."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import connect

from fsnats.websocket.http import PIPELINED, Patience
from fsnats.websocket.serve import listen, serving
from tests.conftest import eventually
from tests.fsnats.websocket.test_server import Echo, app

REFUSED: list[int] = []


@contextlib.asynccontextmanager
async def server(app: Any = app, **seconds: float) -> AsyncIterator[int]:
    REFUSED.clear()
    listener = listen("127.0.0.1", 0, "PORT")
    async with serving(app, Echo, listener, patience=Patience(**seconds), refused=REFUSED.append):
        yield listener.getsockname()[1]


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with server(request=0.5, idle=0.5) as port:
        yield port


async def answer(reader: asyncio.StreamReader) -> bytes:
    """What the server says until it ends the connection."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(20):
            while part := await reader.read(65536):
                said += part
    return said


GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"\r\n\r\n"])
async def test_a_request_that_never_ends_is_told_and_cut_off(port: int, said: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)

    assert (await answer(reader)).startswith(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n")
    assert REFUSED == [408]
    writer.close()


@pytest.mark.parametrize("said", [b"", b"G", b"\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"])
async def test_after_a_response_nobody_waits_for_ever_either(port: int, said: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET)
    async with asyncio.timeout(20):
        await reader.readuntil(b"plain http")
    writer.write(said)

    await answer(reader)
    writer.close()


async def test_a_few_requests_may_be_sent_without_waiting_and_not_more(port: int) -> None:
    for count, refused in ((PIPELINED, []), (5_000, [400])):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET * count)
        said = await answer(reader)
        assert said.count(b"plain http") <= PIPELINED + 1
        assert refused == REFUSED
        writer.close()


async def test_an_answer_to_who_was_cut_off_meanwhile_goes_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    carry_on, answered = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await carry_on.wait()
        await app(scope, receive, send)
        answered.set()

    async with server(slow) as port, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(GET * 2 + b"\0nonsense\r\n\r\n")
        assert b"400 Bad Request" in await answer(reader)
        writer.close()
        carry_on.set()
        await answered.wait()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_headers_without_an_end_are_cut_off() -> None:
    async with server(request=60.0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 100_000)

        await answer(reader)  # 431, where the reset does not overtake it
        assert REFUSED == [431]
        writer.close()


async def test_what_is_no_http_is_told_so(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\x16\x03\x01 hello\r\n\r\n")

    assert (await answer(reader)).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert REFUSED == [400]
    writer.close()


async def test_who_does_not_read_a_response_is_cut_off() -> None:
    async def long(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(200):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})

    async with server(long, unread=0.3) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(GET)
            await eventually(lambda: REFUSED == [408])


async def test_a_websocket_is_not_hurried_once_it_is_open(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}", proxy=None) as connection:
        await asyncio.get_running_loop().create_task(asyncio.sleep(0.7))  # longer than the first request may take
        await connection.send("still here")
        assert await connection.recv() == "still here"
