"""Who never finishes a request is cut off; who does is served."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import connect

from fsnats.websocket import http
from fsnats.websocket.serve import listen, serving
from tests.fsnats.websocket.test_server import Echo, app


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(http, "REQUEST_SECONDS", 0.5)
    listener = listen("127.0.0.1", 0, "PORT")
    async with serving(app, Echo, listener):
        yield listener.getsockname()[1]


async def ends(reader: asyncio.StreamReader) -> bool:
    """Whether the server ends the connection, saying nothing."""
    try:
        async with asyncio.timeout(20):
            return await reader.read() == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_a_request_that_never_ends_is_cut_off(port: int, said: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)

    assert await ends(reader)
    writer.close()


async def test_headers_without_an_end_are_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "REQUEST_SECONDS", 60.0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 100_000)

    assert await ends(reader)
    writer.close()


async def test_a_websocket_is_not_hurried_once_it_is_open(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}", proxy=None) as connection:
        await asyncio.get_running_loop().create_task(asyncio.sleep(0.7))  # longer than the first request may take
        await connection.send("still here")
        assert await connection.recv() == "still here"
