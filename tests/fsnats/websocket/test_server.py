"""The server half of a WebSocket, with a real client and with bare bytes."""

import asyncio
import contextlib
import gc
import tracemalloc
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from fsnats.websocket import frames, handshake
from fsnats.websocket.deflate import Deflater
from fsnats.websocket.handshake import Request, Response
from fsnats.websocket.serve import listen, serving
from fsnats.websocket.server import WRITE_BUFFER_BYTES, Connection
from tests.conftest import eventually
from tests.fsnats.websocket.cases import BINARY, CLOSE, PING, TEXT, frame
from tests.fsnats.websocket.transport import Recorded

HAPPENED: list[str] = []
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Echo(Connection):
    def opening(self, request: Request) -> Response | None:
        HAPPENED.append(f"opening {len(request.path)}")
        return Response(HTTPStatus.NOT_FOUND, "no") if request.path == "/no" else None

    def opened(self) -> None:
        HAPPENED.append("opened")

    def received(self, text: str) -> None:
        if text == "close":
            self.close(4008, "as told")
        self.write(frames.text(text.encode()))

    def received_binary(self, data: bytes) -> None:
        self.write(frames.text(b"binary %d" % len(data)))

    def pause_writing(self) -> None:
        HAPPENED.append("paused")

    def resume_writing(self) -> None:
        HAPPENED.append("resumed")

    def closed(self) -> None:
        HAPPENED.append("closed")


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"plain http"})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    HAPPENED.clear()
    listener = listen("127.0.0.1", 0, "PORT")
    async with serving(app, Echo, listener):
        yield listener.getsockname()[1]


@contextlib.asynccontextmanager
async def client(port: int, path: str = "/") -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://127.0.0.1:{port}{path}", proxy=None, max_size=None) as connection:
        yield connection


async def test_messages_of_every_size_come_back(port: int) -> None:
    async with client(port) as connection:
        for size in (0, 1, 125, 126, 65536):
            await connection.send("x" * size)
            assert await connection.recv() == "x" * size


async def test_fragments_are_one_message(port: int) -> None:
    async with client(port) as connection:
        await connection.send(["Stück", "", "e"])
        assert await connection.recv() == "Stücke"


async def test_binary_messages_are_told_apart(port: int) -> None:
    async with client(port) as connection:
        await connection.send(b"12345")
        assert await connection.recv() == "binary 5"
        await connection.send("text")
        assert await connection.recv() == "text"


async def test_a_message_over_the_limit_closes_with_1009(port: int) -> None:
    async with client(port) as connection:
        await connection.send("x" * (64 * 1024 + 1))
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_text_that_is_not_utf8_closes_with_1007(port: int) -> None:
    async with client(port) as connection:
        await connection.send(b"\xff\xfe", text=True)
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1007


async def test_the_server_closes_with_code_and_reason_and_writes_nothing_after(port: int) -> None:
    async with client(port) as connection:
        await connection.send("close")
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4008, "as told")


async def test_a_handshake_can_be_refused(port: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with client(port, "/no"):
            pass
    assert refused.value.response.status_code == 404
    assert "opened" not in HAPPENED


async def test_a_very_long_url_is_taken(port: int) -> None:
    async with client(port, "/" + "a" * 30_000):
        pass
    assert "opening 30001" in HAPPENED


async def test_an_open_connection_keeps_nothing_of_its_handshake(port: int) -> None:
    request = b"GET /%b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" % (b"a" * 50_000)
    request += b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    async with contextlib.AsyncExitStack() as stack:

        async def shake_hands() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            stack.callback(writer.close)
            writer.write(request)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")

        await shake_hands()
        stack.callback(tracemalloc.stop)
        gc.collect()
        tracemalloc.start()
        for _ in range(20):
            await shake_hands()
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 20 * 20_000  # both ends of each


async def test_closed_is_called_once_however_the_client_leaves(port: int) -> None:
    async with client(port):
        pass
    await eventually(lambda: HAPPENED.count("closed") == 1)
    async with client(port) as connection:
        connection.transport.abort()
    await eventually(lambda: HAPPENED.count("closed") == 2)

    assert HAPPENED.count("opened") == 2


async def test_bytes_that_are_no_websocket_end_the_connection(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HANDSHAKE)
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"\xff" * 100)
    assert (await reader.read()).startswith(b"\x88")  # a close frame, then the end
    writer.close()
    await eventually(lambda: "closed" in HAPPENED)


async def test_who_goes_on_sending_after_the_end_is_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Echo, "close_timeout", 60.0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def go_on() -> None:
        while True:
            writer.write(bytes(64 * 1024))
            await writer.drain()

    writer.write(HANDSHAKE + frame(3))
    async with asyncio.timeout(20):
        assert (await reader.read()).endswith(b"unknown opcode 3")  # and then the end
        with pytest.raises(ConnectionError):
            await go_on()
    writer.close()


async def test_who_pings_without_reading_is_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Echo, "unread_bytes_max", 100_000)
    async with client(port) as connection:
        connection.transport.pause_reading()
        while not connection.transport.is_closing():
            connection.transport.write((b"\x89\xfd\0\0\0\0" + b"p" * 125) * 100)
            await asyncio.sleep(0)
    await eventually(lambda: HAPPENED.count("closed") == 1)


async def test_who_catches_up_with_a_lot_of_data_may_ping_meanwhile(port: int) -> None:
    async with client(port) as connection:
        connection.transport.pause_reading()
        for _ in range(100):
            await connection.send("x" * 60_000)
        pong = await connection.ping()
        await eventually(lambda: "paused" in HAPPENED)
        connection.transport.resume_reading()
        async with asyncio.timeout(20):
            for _ in range(100):
                assert len(await connection.recv()) == 60_000
            await pong


async def test_plain_http_is_served_on_the_same_port(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"plain http" in await reader.read()
    writer.close()


async def test_when_the_server_stops_clients_are_told_1012() -> None:
    listener = listen("127.0.0.1", 0, "PORT")
    async with serving(app, Echo, listener):
        connection = await connect(f"ws://127.0.0.1:{listener.getsockname()[1]}", proxy=None)
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await connection.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


class Deflating(Echo):
    deflater = Deflater()

    def may_deflate(self) -> bool:
        return True

    def received(self, text: str) -> None:
        data = text.encode()
        self.write(self.deflater.text(data) if self.deflates else frames.text(data))


@pytest.mark.parametrize("bits", [None, 12, 15])
async def test_who_asks_for_compression_sends_and_gets_compressed_messages(bits: int | None) -> None:
    factory = ClientPerMessageDeflateFactory(server_max_window_bits=bits, client_max_window_bits=bits or True)
    listener = listen("127.0.0.1", 0, "PORT")
    async with serving(app, Deflating, listener):
        url = f"ws://127.0.0.1:{listener.getsockname()[1]}"
        async with connect(url, proxy=None, compression=None, extensions=[factory]) as connection:
            agreed = connection.response.headers["Sec-WebSocket-Extensions"] if connection.response else ""
            assert agreed.startswith("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
            for message in ("short", "Stück für Stück, " * 3000, "", "x" * 60_000):
                await connection.send(message)
                assert await connection.recv() == message
            await connection.send(["in ", "fragments"])
            assert await connection.recv() == "in fragments"
            await connection.send("x" * (64 * 1024 + 1))
            with pytest.raises(ConnectionClosed) as closed:
                await connection.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
        async with connect(url, proxy=None, compression=None) as plain:
            await plain.send("x" * 1000)
            assert await plain.recv() == "x" * 1000


async def test_where_the_server_does_not_compress_nothing_is_agreed(port: int) -> None:
    async with connect(f"ws://127.0.0.1:{port}", proxy=None) as connection:
        assert connection.response is not None
        assert "Sec-WebSocket-Extensions" not in connection.response.headers
        await connection.send("x" * 1000)
        assert await connection.recv() == "x" * 1000


class Closer(Echo):
    """Ends it at a binary message."""

    def received_binary(self, data: bytes) -> None:
        self.fail(4000, "binary")

    def closing(self) -> None:
        HAPPENED.append("closing")


@pytest.fixture
def opened() -> tuple[Closer, Recorded]:
    """A connection behind its handshake."""
    HAPPENED.clear()
    connection, transport = Closer(set()), Recorded()
    request = handshake.read(HANDSHAKE)
    assert request is not None
    connection.take(transport, request, b"")
    transport.written = b""
    return connection, transport


Opened = tuple[Closer, Recorded]


async def test_a_transport_tells_early_that_nobody_reads(opened: Opened) -> None:
    assert opened[1].limit == WRITE_BUFFER_BYTES


async def test_of_what_comes_behind_the_message_that_ended_it_nothing_counts(opened: Opened) -> None:
    connection, transport = opened
    connection.data_received(frame(BINARY, b"x") + frame(TEXT, b"later") + frame(PING))
    connection.data_received(frame(TEXT, b"later"))
    connection.write(frames.text(b"news"))

    assert transport.written == frames.close(4000, "binary")
    assert HAPPENED.count("closing") == 1


async def test_nothing_is_written_behind_the_word_that_it_ends(opened: Opened) -> None:
    connection, transport = opened
    connection.close(1000, "")
    connection.write(frames.text(b"news"))
    connection.data_received(frame(TEXT, b"said before it read that") + frame(PING) + frame(CLOSE, b"\x03\xe8"))

    assert transport.written == frames.close(1000, "")
    assert transport.is_ended


@pytest.mark.parametrize("how", ["close", "half"])
async def test_who_never_ends_its_half_is_cut_off(opened: Opened, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    connection, transport = opened
    monkeypatch.setattr(Closer, "close_timeout", 0.01)
    if how == "close":
        connection.close(1000, "")
    else:
        connection.eof_received()
    assert (connection.is_open, transport.is_aborted, HAPPENED.count("closing")) == (False, False, 1)
    await eventually(lambda: transport.is_aborted)


async def test_pongs_that_pile_up_unread_end_it_and_data_alone_does_not(opened: Opened) -> None:
    connection, transport = opened
    transport.unsent = 10 * connection.unread_bytes_max
    pings = frame(PING, b"p" * 125)
    for _ in range(connection.unread_bytes_max // 127):
        connection.data_received(pings)
    assert not transport.is_aborted
    connection.data_received(pings)
    assert transport.is_aborted


async def test_who_reads_its_pongs_may_ping_without_end(opened: Opened) -> None:
    connection, transport = opened
    for _ in range(3 * connection.unread_bytes_max // 127):
        connection.data_received(frame(PING, b"p" * 125))
    assert not transport.is_aborted
