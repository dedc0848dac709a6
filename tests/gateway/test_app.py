"""A whole gateway in this process, on a real NATS server, with real WebSocket clients."""

import asyncio
import contextlib
import gc
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fsnats import catalogue
from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.clock import SystemClock
from fsnats.config import Config
from fsnats.frames import VERSION, Frame, encode
from fsnats.history import HistoryReply, KlinesRequest
from fsnats.metrics.family import Page
from fsnats.metrics.text import written
from fsnats.subjects import KLINES, subject_of
from fsnats.websocket.serve import listen, serving
from gateway.admission.pace import Paces
from gateway.app import Gateway
from gateway.client import Client
from gateway.fanout.turn import ROUND_BYTES
from gateway.http import build
from gateway.rest.facade import Facade
from tests.buckets import list_symbols, make_bucket
from tests.clock import HandClock
from tests.conftest import NatsServer, eventually
from tests.fsnats.websocket.cases import CONT, PING, PONG, TEXT, frame

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class House:
    """The gateway, the bus behind it and its port."""

    def __init__(self, gateway: Gateway, bus: NatsBus, port: int) -> None:
        self.gateway = gateway
        self.bus = bus
        self.port = port
        self._sent: Counter[str] = Counter()

    def publish(self, name: str, payload: bytes, market: Market = Market.SPOT) -> None:
        subject = subject_of(market, name)
        self._sent[subject] += 1
        self.bus.publish(subject, encode(Frame(VERSION, name, 1, 1, self._sent[subject], 0, payload)))

    @contextlib.asynccontextmanager
    async def client(self, path: str = "/") -> AsyncIterator[ClientConnection]:
        async with connect(f"ws://127.0.0.1:{self.port}{path}", proxy=None, max_size=None) as connection:
            yield connection

    async def listening(self, streams: int) -> None:
        """Return when this many streams have listeners and the bus knows."""
        await eventually(lambda: len(self.gateway.hub) == streams)
        await self.gateway._bus.flush()


@contextlib.asynccontextmanager
async def gateway(nats: NatsServer, bus: NatsBus, **settings: Any) -> AsyncIterator[House]:
    house: Gateway | None = None
    listener = listen("127.0.0.1", 0, "PORT")

    def after_read() -> None:
        if house is not None:
            house.after_read()

    async with NatsBus([nats.url], "gateway", lambda: 0.0, after_read=after_read) as own, asyncio.TaskGroup() as tasks:
        house = Gateway(Config(**settings), "gateway", own)
        running = tasks.create_task(house.run())
        facade = Facade(house, own, SystemClock(), asyncio.get_running_loop().call_later, Paces())

        async def numbers() -> bytes:
            assert house is not None
            return written([Page("gateway", house.numbers())])

        http = build(house.unready, numbers, facade)
        async with serving(http, house.connection, listener):
            yield House(house, bus, listener.getsockname()[1])
        running.cancel()


@pytest.fixture
async def house(nats: NatsServer, bus: NatsBus) -> AsyncIterator[House]:
    await make_bucket(bus, catalogue.LISTINGS)
    await make_bucket(bus, catalogue.GROUPS)
    await list_symbols(bus, Market.SPOT, "BTCUSDT", "ETHUSDT")
    await list_symbols(bus, Market.USDM, "BTCUSDT", simulated=True)
    async with gateway(nats, bus) as house:
        async with asyncio.timeout(20):
            await house.gateway.ready()
        yield house


async def say(connection: ClientConnection, **message: object) -> None:
    await connection.send(json.dumps(message))


async def hear(connection: ClientConnection) -> Any:
    async with asyncio.timeout(20):
        return json.loads(await connection.recv())


async def test_payload_bytes_reach_clients_of_both_dialects_unchanged(house: House) -> None:
    payload = b'{"e":"trade", "p" : "0.00100000","new":[1 ,2]}'
    async with house.client("/stream?streams=btcusdt@trade") as bot, house.client() as ours:
        assert (await hear(ours))["type"] == "connection"
        await say(ours, type="subscribe", streamType="trade", symbols=["btcusdt"])
        assert (await hear(ours))["type"] == "subscribed"
        await house.listening(1)
        house.publish("btcusdt@trade", payload)

        assert await bot.recv(decode=False) == b'{"stream":"btcusdt@trade","data":' + payload + b"}"
        assert await ours.recv(decode=False) == b'{"type":"trade","data":' + payload + b"}"


async def test_the_welcome_says_that_data_is_simulated(house: House) -> None:
    async with house.client() as connection:
        assert (await hear(connection))["simulated"] is True


async def test_a_client_that_leaves_takes_nothing_from_another(house: House) -> None:
    async with house.client("/ws/btcusdt@trade") as stays:
        async with house.client("/ws/btcusdt@trade"):
            await eventually(lambda: len(house.gateway.clients) == 2)
        await eventually(lambda: len(house.gateway.clients) == 1)
        await house.listening(1)
        house.publish("btcusdt@trade", b'{"n":1}')

        assert await hear(stays) == {"n": 1}
    await eventually(lambda: len(house.gateway.hub) == 0)


async def test_clients_that_are_gone_are_no_work_for_the_garbage_collector(house: House) -> None:
    gc.collect()
    gc.disable()  # it stops everybody while it looks at everything
    try:
        for path in ("/", "/ws/btcusdt@trade"):
            async with house.client(path) as connection:
                if path == "/":
                    await hear(connection)
                    await say(connection, type="subscribe", rawStreams=["btcusdt@trade", "btcusdt@ticker"])
                    await hear(connection)
                await eventually(lambda: len(house.gateway.clients) == 1)
            await eventually(lambda: not any(type(each) is Client for each in gc.get_objects()))
    finally:
        gc.enable()


async def test_all_includes_symbols_that_are_listed_later(house: House) -> None:
    async with house.client() as connection:
        await hear(connection)
        await say(connection, type="subscribe", streamType="trade", symbols=["ALL"])
        await hear(connection)
        await house.listening(2)
        await list_symbols(house.bus, Market.SPOT, "BTCUSDT", "ETHUSDT", "SOLUSDT")
        await house.listening(3)
        house.publish("solusdt@trade", b'{"s":"SOLUSDT"}')

        assert (await hear(connection))["data"] == {"s": "SOLUSDT"}


async def test_who_asked_hears_what_is_listed_and_who_named_a_symbol_that_it_ended(house: House) -> None:
    async with house.client() as asked, house.client() as named, house.client("/ws/btcusdt@trade") as bot:
        await hear(asked)
        await say(asked, type="subscribe", streamType="symbols")
        await hear(asked)
        await hear(named)
        await say(named, type="subscribe", streamType="trade", symbols=["btcusdt"])
        await hear(named)
        await house.listening(1)
        await list_symbols(house.bus, Market.SPOT, "ETHUSDT", "SOLUSDT")

        change = await hear(asked)
        assert (change["type"], change["listed"], change["delisted"]) == ("symbols", ["SOLUSDT"], ["BTCUSDT"])
        gap = await hear(named)
        assert (gap["type"], gap["data"]["stream"], gap["data"]["reason"]) == ("gap", "btcusdt@trade", "delisted")
        # Nobody else is told, and what comes all the same is delivered.
        house.publish("btcusdt@trade", b'{"n":1}')
        assert await hear(bot) == {"n": 1}
        assert await hear(named) == {"type": "trade", "data": {"n": 1}}


async def test_history_comes_as_the_exchanges_own_rows(house: House) -> None:
    rows = b'[[1,"0.10",  "2"]]'  # not as we would write it

    def answer(_subject: str, reply: str, payload: bytes) -> None:
        request = msgspec.json.decode(payload, type=KlinesRequest)
        assert (request.market, request.symbol, request.limit) == (Market.SPOT, "BTCUSDT", 5)
        house.bus.publish(reply, msgspec.json.encode(HistoryReply(rows=msgspec.Raw(rows))))

    house.bus.subscribe(KLINES, answer)
    await house.bus.flush()
    async with house.client() as connection:
        await hear(connection)
        await say(connection, type="getHistoricalKlines", symbol="btcusdt", interval="1m", limit=5)

        reply = await connection.recv(decode=False)
        assert reply.endswith(b'"klines":' + rows + b"}")
        assert json.loads(reply)["symbol"] == "btcusdt"


async def test_without_a_history_worker_the_client_is_told_so(house: House) -> None:
    async with house.client() as connection:
        await hear(connection)
        await say(connection, type="getHistoricalKlines", symbol="btcusdt", interval="1m", id=9)
        error = await hear(connection)

    assert (error["type"], error["code"], error["id"]) == ("error", "HISTORY_UNAVAILABLE", 9)


async def test_too_many_requests_for_history_at_once_are_refused(house: House) -> None:
    house.bus.subscribe(KLINES, lambda _s, _r, _p: None)  # never answers
    await house.bus.flush()
    async with house.client() as connection:
        await hear(connection)
        for number in range(9):
            await say(connection, type="getHistoricalKlines", symbol="btcusdt", interval="1m", id=number)
        error = await hear(connection)

        assert (error["code"], error["id"]) == ("BUSY", 8)


async def test_one_client_fetches_so_many_candles_at_once_and_no_more(house: House) -> None:
    house.bus.subscribe(KLINES, lambda _s, _r, _p: None)  # never answers
    await house.bus.flush()
    async with house.client() as connection:
        await hear(connection)
        for number, limit in enumerate((4900, 100, 1)):
            await say(connection, type="getHistoricalKlines", symbol="btcusdt", interval="1m", limit=limit, id=number)
        error = await hear(connection)

        assert (error["code"], error["id"]) == ("BUSY", 2)
        assert "more than 5000 candles at once" in error["message"]


@pytest.mark.parametrize("flood", [PING, PONG, CONT], ids=["pings", "pongs", "fragments"])
async def test_frames_without_end_are_no_way_to_keep_a_gateway_busy(house: House, flood: int) -> None:
    begun = frame(TEXT, fin=False) if flood == CONT else b""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(HANDSHAKE + begun + frame(flood, fin=flood != CONT) * 5_000)
    async with asyncio.timeout(20):
        assert (await reader.read()).endswith(b"\x03\xf0Too many requests")
    writer.close()

    assert house.gateway.tally.requests_refused < 1_100  # the others were not looked at
    await eventually(lambda: not house.gateway.clients)


async def test_a_request_that_changes_many_streams_counts_as_several(house: House) -> None:
    house.gateway.config = Config(gateway_requests=1.0)
    symbols = [f"S{number}USDT" for number in range(2_000)]
    await list_symbols(house.bus, Market.SPOT, *symbols)
    await eventually(lambda: len(house.gateway.listings[Market.SPOT].symbols) == len(symbols))
    async with house.client() as connection:
        await hear(connection)
        await say(connection, type="subscribe", streamType="trade", symbols=["ALL"])
        assert (await hear(connection))["type"] == "subscribed"
        await say(connection, type="ping")
        error = await hear(connection)

    assert error["code"] == "TOO_MANY_REQUESTS"
    assert 2 < error["retryAfter"] <= 10


async def test_clients_that_do_not_answer_pings_are_closed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    # The look at each comes once a second: the first one pings, the third one closes.
    house.gateway.config = Config(gateway_ping_every=0.1, gateway_pong_within=2.5)
    monkeypatch.setattr("gateway.client.Client.close_timeout", 0.2)

    async def receive() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(HANDSHAKE)
        async with asyncio.timeout(30):
            received = await reader.read()
        writer.close()
        return received

    for received in await asyncio.gather(*(receive() for _ in range(5))):
        assert b"\x89" in received  # it was pinged
        assert b"Pong timeout" in received


async def test_what_follows_a_pong_does_not_pass_it_by(house: House) -> None:
    async with house.client("/ws/btcusdt@trade") as connection:
        await house.listening(1)
        (client,) = house.gateway.clients
        for _ in range(2):
            house.publish("btcusdt@trade", b"{}")
            await hear(connection)
        direct = client.outbox.send
        await (await connection.ping())

        assert client.outbox.send != direct
        house.publish("btcusdt@trade", b"{}")
        await hear(connection)
        assert client.outbox.send == direct


async def test_pongs_and_data_reach_a_slow_reader_whole(house: House) -> None:
    house.gateway.config = Config(gateway_requests=1e6)
    async with house.client("/ws/btcusdt@trade") as slow:
        await house.listening(1)
        payload, pongs = b'{"x":"' + b"x" * 9_000 + b'"}', []
        for number in range(300):
            if number % 20 == 0:
                slow.transport.pause_reading()
            pongs.append(await slow.ping(b"%d" % number))
            house.publish("btcusdt@trade", payload)
            await house.bus.flush()
            if number % 20 == 15:
                slow.transport.resume_reading()
        slow.transport.resume_reading()
        for _ in range(300):
            assert await hear(slow) == json.loads(payload)
        async with asyncio.timeout(20):
            await asyncio.gather(*pongs)


async def test_a_client_that_never_reads_is_closed_and_its_memory_is_bounded(house: House) -> None:
    payload = b'{"x":"' + b"x" * 200_000 + b'"}'
    async with house.client("/ws/btcusdt@trade") as deaf, house.client("/ws/ethusdt@trade") as good:
        deaf.transport.pause_reading()
        await house.listening(2)
        peak = 0
        while house.gateway.tally.slow == 0:
            house.publish("btcusdt@trade", payload)
            await house.bus.flush()
            peak = max(peak, house.gateway.gauges().outbox_bytes)
        house.publish("ethusdt@trade", b'{"n":1}')

        assert await hear(good) == {"n": 1}
        assert peak <= 1024 * 1024
        deaf.transport.abort()


async def test_a_native_client_that_did_not_read_is_told_what_it_missed_and_reads_on(house: House) -> None:
    async with house.client() as connection:
        await hear(connection)
        await say(connection, type="subscribe", rawStreams=["btcusdt@trade", "btcusdt@ticker"])
        await hear(connection)
        await house.listening(2)
        connection.transport.pause_reading()
        number = 0
        while house.gateway.tally.dropped < 20:
            number += 1
            house.publish("btcusdt@trade", b'{"n":%d,"x":"%b"}' % (number, b"x" * 20_000))
            house.publish("btcusdt@ticker", b'{"n":%d,"x":"%b"}' % (number, b"x" * 20_000))
            await house.bus.flush()
            assert house.gateway.gauges().outbox_bytes < 1024 * 1024 + 2 * ROUND_BYTES
        assert house.gateway.gauges().slow_clients == 1
        connection.transport.resume_reading()
        trades, tickers, told = [0], [0], []
        while trades[-1] < number or tickers[-1] < number:
            message = await hear(connection)
            if message.get("type") == "gap":
                told.append(message)
                trades += range(trades[-1] + 1, trades[-1] + 1 + message["data"]["missed"])  # in their place
            else:
                (trades if message["stream"] == "btcusdt@trade" else tickers).append(message["data"]["n"])

    assert trades == list(range(number + 1))
    assert [(each["market"], each["data"]["reason"]) for each in told] == [("spot", "slow consumer")]
    assert tickers == sorted(set(tickers))
    assert len(tickers) < number / 2
    await eventually(lambda: house.gateway.gauges().slow_clients == 0)
    assert house.gateway.tally.slow == 0


async def test_a_paced_stream_ends_with_its_newest_message_whenever_that_came(house: House) -> None:
    async with house.client() as connection:
        await hear(connection)
        await say(connection, type="subscribe", rawStreams=["btcusdt@ticker"], options={"maxRate": 20})
        await hear(connection)
        await house.listening(1)
        house.publish("btcusdt@ticker", b'{"n":1}')
        heard = [(await hear(connection))["data"]["n"]]
        for number in range(2, 200):
            house.publish("btcusdt@ticker", b'{"n":%d}' % number)
        while heard[-1] < 199:
            heard.append((await hear(connection))["data"]["n"])

    assert heard[0] == 1
    assert heard == sorted(heard)
    assert len(heard) < 100


async def test_what_is_gathered_arrives_complete(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    rest = house.gateway._bus.rest

    def rest_and_note(delay: float) -> None:
        rests.append(delay)
        rest(delay)

    monkeypatch.setattr(house.gateway._bus, "rest", rest_and_note)
    monkeypatch.setattr(house.gateway._gathering, "delay", lambda *_: 0.01)
    async with house.client("/ws/btcusdt@trade") as client:
        await house.listening(1)
        for number in range(100):
            house.publish("btcusdt@trade", b'{"n":%d}' % number)
            await asyncio.sleep(0)

        assert [(await hear(client))["n"] for _ in range(100)] == list(range(100))
    assert rests[0] == 0.01


async def test_a_client_that_would_rather_be_closed_than_miss_an_event_is_closed(house: House) -> None:
    async with house.client("/?onSlow=disconnect") as connection:
        await hear(connection)
        await say(connection, type="subscribe", rawStreams=["btcusdt@trade"])
        await hear(connection)
        await house.listening(1)
        connection.transport.pause_reading()
        while house.gateway.tally.slow == 0:
            house.publish("btcusdt@trade", b'{"x":"' + b"x" * 200_000 + b'"}')
            await house.bus.flush()

        assert (house.gateway.tally.dropped, house.gateway.gauges().slow_clients) == (0, 0)
        connection.transport.abort()


@pytest.mark.parametrize(("path", "status"), [("/nope", 404), ("/ws/x?timeUnit=MICROSECOND", 400)])
async def test_paths_that_are_not_served_are_refused(house: House, path: str, status: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with house.client(path):
            pass
    assert refused.value.response.status_code == status


async def test_names_that_no_exchange_delivers_are_counted_and_shown(house: House) -> None:
    async with house.client("/ws") as connection:
        await say(connection, method="SUBSCRIBE", params=["nope@trade"], id="x")
        assert await hear(connection) == {"result": None, "id": "x"}

    assert house.gateway.tally.unknown == 1
    assert house.gateway.status()["unknown_names"] == ["spot:nope@trade"]


async def test_health_and_readiness_tell_the_truth(nats: NatsServer, bus: NatsBus) -> None:
    async with gateway(nats, bus) as house, httpx.AsyncClient(base_url=f"http://127.0.0.1:{house.port}") as http:
        await house.gateway._bus.connected()
        assert (await http.get("/healthz")).text == "ok\n"
        starting = await http.get("/readyz")
        with pytest.raises(InvalidStatus) as refused:
            async with house.client():
                pass
        nats.stop()
        await eventually(lambda: not house.gateway._bus.is_connected)
        cut_off = await http.get("/readyz")

    assert (starting.status_code, starting.text) == (503, "not ready: no list of symbols yet for spot, usdm\n")
    assert refused.value.response.status_code == 503
    assert (cut_off.status_code, cut_off.text) == (503, "not ready: NATS is not connected\n")


async def test_metrics_are_served(house: House) -> None:
    async with house.client("/ws/btcusdt@trade"), httpx.AsyncClient() as http:
        await house.listening(1)
        text = (await http.get(f"http://127.0.0.1:{house.port}/metrics")).text

    assert 'fsnats_gateway_clients{program="gateway"} 1\n' in text


@pytest.mark.usefixtures("house")
async def test_clients_of_a_gateway_that_stops_are_told_to_come_back(nats: NatsServer, bus: NatsBus) -> None:
    async with gateway(nats, bus) as other:
        await other.gateway.ready()
        connection = await connect(f"ws://127.0.0.1:{other.port}/ws/btcusdt@trade", proxy=None)
    with pytest.raises(ConnectionClosed) as closed:
        await connection.recv()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


async def test_a_slow_departure_tells_one_after_the_other_and_lets_nobody_in(house: House, clock: HandClock) -> None:
    began = clock.monotonic()
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(house.client()) for _ in range(4)]
        for client in clients:
            await hear(client)
        leaving = asyncio.create_task(house.gateway.leave(8.0, clock))
        await asyncio.sleep(0)
        assert house.gateway.unready() == "stopping"
        with pytest.raises(InvalidStatus) as refused:
            async with house.client():
                pass
        assert refused.value.response.status_code == 503
        assert await hear(clients[0]) == {"type": "goodbye", "reconnect": True, "closesIn": 2.0}
        for _ in range(25):
            await clock.advance(0.1)
        with pytest.raises(ConnectionClosed) as closed:
            await hear(clients[0])
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert (await hear(clients[1]))["type"] == "goodbye"
        await say(clients[3], type="ping")
        assert (await hear(clients[3]))["type"] == "pong"  # served until its turn comes
        while not leaving.done():
            await clock.advance(0.1)
        assert clock.monotonic() - began <= 8.1
        await eventually(lambda: not house.gateway.clients)


async def test_a_slow_departure_ends_when_everybody_has_left(house: House, clock: HandClock) -> None:
    began = clock.monotonic()
    async with house.client():
        leaving = asyncio.create_task(house.gateway.leave(600.0, clock))
        await asyncio.sleep(0)
    await eventually(lambda: not house.gateway.clients)
    while not leaving.done():
        await clock.advance(0.1)
    assert clock.monotonic() - began < 3.0
