"""Dialling, against real servers on the loopback."""

import asyncio

import pytest
from websockets.asyncio.server import ServerConnection, serve

from fsnats.binance.streams import Market
from fsnats.errors import ExchangeUnavailable
from tests.conftest import eventually, free_port
from workers.ingest.upstream import dial
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings


class Received(list[bytes]):
    def __call__(self, data: bytes, received_ns: int) -> None:
        assert received_ns > 0
        self.append(bytes(data))


async def test_messages_go_to_the_callback_whole_and_in_order() -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send("one")
        await connection.send(["fr", "ag", "ments"])
        await connection.send(b"\x00binary")
        await connection.send("x" * 3_000_000)
        await connection.wait_closed()

    received = Received()
    async with serve(talk, "127.0.0.1", 0) as server:
        connection = await dial(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", None, None, received)
        await eventually(lambda: len(received) == 4)
        await connection.close()

    assert received == [b"one", b"fragments", b"\x00binary", b"x" * 3_000_000]


async def test_server_pings_are_answered_with_their_payload() -> None:
    async def ping(connection: ServerConnection) -> None:
        await (await connection.ping(b"1795174351686"))
        await connection.send("pong came")
        await connection.wait_closed()

    received = Received()
    async with serve(ping, "127.0.0.1", 0, ping_interval=None) as server:
        connection = await dial(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", None, None, received)
        await eventually(lambda: received == [b"pong came"])
        await connection.close()


async def test_a_refused_handshake_tells_its_status_and_how_long_to_stay_away() -> None:
    async with Simulator(Settings(dials=0)) as simulator:
        with pytest.raises(ExchangeUnavailable) as failure:
            await dial(f"{simulator.ws_url(Market.SPOT)}/stream", None, None, Received())

    assert (failure.value.stage, failure.value.status) == ("http", 429)


async def answer(response: bytes) -> tuple[asyncio.Server, int]:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        writer.write(response)
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("status", "after", "wait"),
    [
        (b"451 Unavailable For Legal Reasons", b"Retry-After: 7\r\n", 7.0),
        (b"403 Forbidden", b"Retry-After: 7\r\n", 7.0),
        (b"429 Too Many Requests", b"", None),
        (b"429 Too Many Requests", b"Retry-After: 5\r\nRetry-After: 9\r\n", 9.0),  # somebody between us added one
        (b"418 Teapot", b"Retry-After: \xb2\r\n", None),
        # A portal that wants a login: it is not followed, wherever it leads.
        (b"302 Found", b"Location: ws://127.0.0.1:1/login\r\n", None),
        (b"302 Found", b"Location: ws://[\r\n", None),
    ],
)
async def test_the_exchanges_refusals_are_told_apart(status: bytes, after: bytes, wait: float | None) -> None:
    server, port = await answer(b"HTTP/1.1 %b\r\n%bContent-Length: 0\r\n\r\n" % (status, after))
    async with server:
        with pytest.raises(ExchangeUnavailable) as failure:
            await dial(f"ws://127.0.0.1:{port}/stream", None, None, Received())

    told = failure.value
    assert (told.stage, told.status, told.retry_after) == ("http", int(status[:3]), wait)


async def test_nobody_listening_is_tcp() -> None:
    with pytest.raises(ExchangeUnavailable) as failure:
        await dial(f"ws://127.0.0.1:{free_port()}/stream", None, None, Received())
    assert failure.value.stage == "tcp"


async def test_a_name_that_does_not_exist_is_dns() -> None:
    with pytest.raises(ExchangeUnavailable) as failure:
        await dial("ws://no-such-host.invalid/stream", None, None, Received())
    assert failure.value.stage == "dns"


async def test_a_server_without_tls_is_tls() -> None:
    server, port = await answer(b"HTTP/1.1 200 OK\r\n\r\n")
    async with server:
        with pytest.raises(ExchangeUnavailable) as failure:
            await dial(f"wss://127.0.0.1:{port}/stream", None, None, Received())
    assert failure.value.stage == "tls"


@pytest.mark.parametrize(
    ("scheme", "response"),
    [
        ("http", b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
        ("http", b"garbage\r\n\r\n"),
        ("socks5h", b"garbage"),
        ("socks5", b"\x05\xff"),
    ],
)
async def test_a_proxy_that_refuses_is_proxy_and_its_password_stays_secret(scheme: str, response: bytes) -> None:
    server, port = await answer(response)
    async with server:
        with pytest.raises(ExchangeUnavailable) as failure:
            await dial(f"{'ws'}://127.0.0.1:1/stream", f"{scheme}://user:secret@127.0.0.1:{port}", None, Received())

    assert failure.value.stage == "proxy"
    assert "secret" not in str(failure.value)


async def test_a_proxy_that_is_not_there_is_named_as_such() -> None:
    with pytest.raises(ExchangeUnavailable) as failure:
        await dial("ws://127.0.0.1:1/stream", f"socks5h://127.0.0.1:{free_port()}", None, Received())
    assert failure.value.stage == "proxy"
