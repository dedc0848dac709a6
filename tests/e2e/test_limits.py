"""Limits, on a gateway of its own beside the fleet's: who is refused is told, counted, and nobody else's trouble."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway import closing
from tests.e2e.client import until
from tests.e2e.fleet import Fleet, free_port, get

STREAM = "/ws/btcusdt@depth@100ms"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


class House:
    """A gateway with narrow limits, behind a proxy that it trusts: this machine."""

    def __init__(self, fleet: Fleet) -> None:
        self.port = free_port()
        self.process = fleet.serve_gateway(
            self.port,
            gateway_connections=3,
            gateway_connections_per_address=2,
            gateway_trusted_proxies="127.0.0.0/8",
            gateway_origins="https://app.example",
            gateway_message="1K",
            gateway_streams=2,
            gateway_handshake_timeout=0.5,
            gateway_idle_timeout=0.5,
            gateway_ping_every=0.5,
            gateway_pong_within=1.5,
        )

    @contextlib.asynccontextmanager
    async def client(self, address: str, path: str = "/ws", **headers: str) -> AsyncIterator[ClientConnection]:
        said = {"X-Forwarded-For": f"6.6.6.6, {address}", **headers}
        async with connect(f"ws://127.0.0.1:{self.port}{path}", additional_headers=said, proxy=None) as connection:
            yield connection

    async def refused(self, address: str, **headers: str) -> tuple[int, str]:
        with pytest.raises(InvalidStatus) as refused:
            async with self.client(address, **headers):
                pass
        return refused.value.response.status_code, refused.value.response.body.decode()

    def counted(self, what: str) -> float:
        """A number of the gateway's metrics; 0 for one that is not there yet."""
        text = get(f"http://127.0.0.1:{self.port}/metrics")[1]
        lines = text.replace('{program="gateway"}', "").replace('program="gateway",', "").splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"fsnats_gateway_{what} "))

    async def empty(self) -> None:
        await until(lambda: self.counted("clients") == 0, "everybody has left")


@pytest.fixture(scope="module")
def gateway(fleet: Fleet) -> Iterator[House]:
    house = House(fleet)
    yield house
    house.process.kill()


@pytest.fixture
async def house(gateway: House) -> House:
    await gateway.empty()
    return gateway


async def test_an_address_and_a_gateway_take_so_many_connections_and_not_more(house: House) -> None:
    async with house.client("1.1.1.1"), house.client("1.1.1.1", STREAM) as reader:
        assert await house.refused("1.1.1.1") == (429, "2 connections from 1.1.1.1, and there may not be more\n")
        async with house.client("2.2.2.2"):
            assert await house.refused("3.3.3.3") == (503, "this gateway is full: 3 connections\n")
        assert await reader.recv()
    await house.empty()
    async with house.client("1.1.1.1"):
        pass
    assert house.counted('refused_total{status="429"}') == 1
    assert house.counted('refused_total{status="503"}') == 1


async def test_pages_of_other_origins_are_refused(house: House) -> None:
    status, text = await house.refused("1.1.1.1", Origin="https://evil.example")
    assert (status, text) == (403, "pages of 'https://evil.example' may not read here\n")
    async with house.client("1.1.1.1", STREAM, Origin="https://app.example") as client:
        assert await client.recv()


async def test_a_longer_message_than_configured_is_closed_and_counted(house: House) -> None:
    async with house.client("1.1.1.1") as client:
        await client.send("x" * 1025)
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == closing.TOO_BIG.code
    await until(lambda: house.counted('closed_total{code="1009"}') == 1, "it is counted")


async def test_a_connection_listens_to_so_many_streams_and_not_more(house: House) -> None:
    names = ["btcusdt@trade", "btcusdt@ticker", "btcusdt@depth"]
    async with house.client("1.1.1.1", "/") as ours, house.client("2.2.2.2") as bot:
        await ours.recv()
        await ours.send(json.dumps({"type": "subscribe", "rawStreams": names}))
        error = json.loads(await ours.recv())
        assert (error["code"], error["message"]) == ("TOO_MANY_STREAMS", "3 streams; allowed: 2 of one connection")
        await bot.send(json.dumps({"method": "SUBSCRIBE", "params": names, "id": 1}))
        assert json.loads(await bot.recv())["error"]["code"] == 4


@pytest.mark.parametrize("said", [b"", b"GE", UPGRADE])
async def test_a_handshake_that_is_never_finished_is_cut(house: House, said: bytes) -> None:
    before = house.counted('refused_total{status="408"}')
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(said)
    async with asyncio.timeout(20):
        assert (await reader.read()).startswith(b"HTTP/1.1 408 Request Timeout")
    writer.close()
    assert house.counted('refused_total{status="408"}') == before + 1


async def test_an_idle_http_connection_is_closed(house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(20):
        assert (await reader.read()).endswith(b"ok\n")
    writer.close()


async def test_a_client_that_answers_pings_stays_and_one_that_does_not_is_closed(house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(UPGRADE + b"\r\n")
    async with house.client("2.2.2.2") as polite, asyncio.timeout(20):
        dead = await reader.read()  # ends after the gateway's close, unanswered
        await polite.ping()
    writer.close()
    assert b"\x89" in dead
    assert b"Pong timeout" in dead
    await until(lambda: house.counted('closed_total{code="1008"}') >= 1, "it is counted")
