import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from fsnats.websocket.socket import beneath
from tests.certificates import make_certificate


@contextlib.asynccontextmanager
async def connected(
    tls: ssl.SSLContext | None = None, trust: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.Transport, asyncio.StreamReader]]:
    """The server's transport of a connection, and its client's end."""
    accepted: asyncio.Future[asyncio.Transport] = asyncio.get_running_loop().create_future()

    class Accepting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted.set_result(cast(asyncio.Transport, transport))

    server = await asyncio.get_running_loop().create_server(Accepting, "127.0.0.1", 0, ssl=tls)
    async with server, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=trust)
        yield await accepted, reader
        writer.transport.abort()


async def test_what_is_sent_past_a_transport_arrives_and_the_transport_lives_on() -> None:
    async with connected() as (transport, reader):
        socket = beneath(transport)
        assert socket is not None
        assert socket.send(b"1") == 1
        transport.write(b"2")
        assert await reader.readexactly(2) == b"12"
        socket.detach()
        del socket
        transport.write(b"3")
        transport.close()

        assert await reader.read() == b"3"


async def test_a_socket_that_was_given_back_writes_to_nobody() -> None:
    async with connected() as (transport, reader):
        socket = beneath(transport)
        assert socket is not None
        socket.detach()
        with pytest.raises(OSError, match="Bad file descriptor"):
            socket.send(b"1")
        transport.close()

        assert await reader.read() == b""


async def test_a_full_socket_says_so_at_once() -> None:
    async with connected() as (transport, _):
        socket = beneath(transport)
        assert socket is not None
        room = 64 * 1024 * 1024  # bytes: more than the kernel takes
        assert 0 < socket.send(bytes(room)) < room
        with pytest.raises(BlockingIOError):
            socket.send(b"1")
        socket.detach()


async def test_nothing_goes_past_tls(tmp_path: Path) -> None:
    pair = make_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.chain, pair.key)
    async with connected(context, pair.client()) as (transport, _):
        assert beneath(transport) is None
