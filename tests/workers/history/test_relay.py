"""Public REST requests, asked for over a bus, answered by the simulated exchange."""

import asyncio
import gzip
import json
import random
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from fsnats.binance.methods import METHODS
from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.history import RestReply, RestRequest
from fsnats.subjects import REST
from tests.clock import HandClock, settle
from tests.simulated import rests_at
from tests.workers.history.shelves import Table, shelf_of
from workers.history.candles import Candles
from workers.history.closed import Closed
from workers.history.relay import Relay
from workers.simulator.server import Simulator

SYMBOL = {Market.SPOT: "BTCUSDT", Market.USDM: "BTCUSDT", Market.COINM: "BTCUSD_PERP"}
VALUES = {"pair": "BTCUSDT", "interval": "1m", "contractType": "PERPETUAL", "period": "1h"}


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator() as simulator:
        yield simulator


class Times:
    """The exchange's clock, which a history worker knows."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def now_ms(self, market: Market) -> int:
        return self._simulator.now()

    def knows(self, market: Market) -> bool:
        return True


@pytest.fixture
async def bus(simulator: Simulator, clock: HandClock) -> AsyncIterator[MemoryBus]:
    bus = MemoryBus()
    async with asyncio.TaskGroup() as tasks, rests_at(simulator, bus, clock, Market, patience=0.0) as rests:
        times = Times(simulator)
        relay = Relay(bus, rests, tasks, clock, Closed(Candles(shelf_of(Table(), clock), times), times))
        relay.answers.start()
        yield bus
        relay.answers.stop()


async def ask(bus: MemoryBus, market: Market, method: str, **query: str) -> RestReply:
    return await asked(bus, RestRequest(market, method, query))


async def asked(bus: MemoryBus, request: RestRequest) -> RestReply:
    return msgspec.msgpack.decode(await bus.request(REST, msgspec.json.encode(request), 20), type=RestReply)


def requests(simulator: Simulator) -> int:
    return sum(simulator.ledger.requests.values())


@pytest.mark.parametrize("market", Market)
async def test_every_method_is_answered(bus: MemoryBus, simulator: Simulator, market: Market) -> None:
    values = {**VALUES, "symbol": SYMBOL[market], **({"pair": "BTCUSD"} if market is Market.COINM else {})}
    for method, (needs, takes) in METHODS[market].items():
        query = {name: values[name] for name in needs} | ({"limit": "5"} if "limit" in takes else {})
        if method in ("ticker", "ticker/tradingDay"):  # one of two must be there
            query["symbol"] = values["symbol"]
        reply = await ask(bus, market, method, **query)
        body = gzip.decompress(reply.body) if reply.packed else reply.body
        assert (reply.status, method) == (200, method), body
        assert json.loads(body) is not None
    assert simulator.ledger.violations == []


async def test_a_body_comes_as_the_exchange_sent_it_with_the_weight_that_it_counts(
    bus: MemoryBus, simulator: Simulator
) -> None:
    query = {"symbol": "BTCUSDT", "interval": "1d", "endTime": str(1_700_000_000_000), "limit": "2"}
    reply = await ask(bus, Market.SPOT, "klines", **query)
    async with httpx.AsyncClient(trust_env=False) as http:
        theirs = await http.get(f"{simulator.rest_url(Market.SPOT)}/api/v3/klines", params=query)

    assert (reply.status, reply.body) == (200, theirs.content)
    assert (reply.used, theirs.headers["X-MBX-USED-WEIGHT-1M"]) == (2, "4")


async def test_ten_who_ask_the_same_at_once_cost_one_request(bus: MemoryBus, simulator: Simulator) -> None:
    async with asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(ask(bus, Market.SPOT, "depth", symbol="BTCUSDT")) for _ in range(10)]
        other = tasks.create_task(ask(bus, Market.SPOT, "depth", symbol="ETHUSDT"))

    assert requests(simulator) == 2
    assert len({task.result().body for task in asking}) == 1
    assert other.result().body != asking[0].result().body


async def test_lists_are_kept_for_some_seconds_and_single_values_are_not(
    bus: MemoryBus, simulator: Simulator, clock: HandClock
) -> None:
    replies = [await ask(bus, Market.USDM, "exchangeInfo") for _ in range(3)]
    assert requests(simulator) == 1
    assert [(reply.source, reply.age) for reply in replies] == [("exchange", None), ("cache", 0), ("cache", 0)]
    assert replies[0].packed
    assert json.loads(gzip.decompress(replies[2].body))["symbols"]
    await clock.advance(10.1)
    await ask(bus, Market.USDM, "exchangeInfo")
    assert requests(simulator) == 2
    for _ in range(2):
        await ask(bus, Market.USDM, "time")
    assert requests(simulator) == 4


async def test_what_all_symbols_cost_is_paid_once_a_second(
    bus: MemoryBus, simulator: Simulator, clock: HandClock
) -> None:
    await ask(bus, Market.SPOT, "ticker/24hr")
    await clock.advance(0.9)
    kept = await ask(bus, Market.SPOT, "ticker/24hr")
    assert (kept.source, requests(simulator)) == ("cache", 1)
    assert kept.age == pytest.approx(0.9)
    await clock.advance(0.2)
    assert (await ask(bus, Market.SPOT, "ticker/24hr")).source == "exchange"
    for _ in range(2):
        assert (await ask(bus, Market.SPOT, "ticker/24hr", symbol="BTCUSDT")).source == "exchange"


async def test_who_wants_it_fresh_has_the_exchange_asked(bus: MemoryBus, simulator: Simulator) -> None:
    for _ in range(2):
        request = RestRequest(Market.USDM, "exchangeInfo", fresh=True)
        reply = msgspec.msgpack.decode(await bus.request(REST, msgspec.json.encode(request), 20), type=RestReply)
        assert reply.source == "exchange"
    assert requests(simulator) == 2
    assert (await ask(bus, Market.USDM, "exchangeInfo")).source == "cache"


@pytest.mark.parametrize("market", Market)
async def test_candles_that_are_over_are_asked_for_once(bus: MemoryBus, simulator: Simulator, market: Market) -> None:
    start = simulator.now() // 3_600_000 * 3_600_000 - 48 * 3_600_000
    query = {"symbol": SYMBOL[market], "interval": "1m", "limit": "1000"}
    query |= {"startTime": str(start), "endTime": str(start + 999 * 60_000)}
    first = await ask(bus, market, "klines", **query)
    await settle()
    again = await ask(bus, market, "klines", **query)
    assert (first.source, again.source, requests(simulator)) == ("exchange", "store", 1)
    assert first.packed
    assert again.plain == first.plain

    for request in (RestRequest(market, "klines", query, fresh=True), RestRequest(market, "klines", query, True)):
        assert (await asked(bus, request)).source == "exchange"
    newest = await ask(bus, market, "klines", symbol=SYMBOL[market], interval="1m", limit="2")
    assert newest.source == "exchange"


async def test_what_the_exchange_refuses_comes_in_its_words(bus: MemoryBus) -> None:
    reply = await ask(bus, Market.SPOT, "klines", symbol="NOPE", interval="1m")
    assert (reply.status, reply.body) == (400, b'{"code":-1121,"msg":"Invalid symbol."}')
    assert reply.used == 2


async def test_the_weight_of_another_minute_is_not_told(bus: MemoryBus, clock: HandClock) -> None:
    assert (await ask(bus, Market.USDM, "exchangeInfo")).used == 1
    assert (await ask(bus, Market.USDM, "exchangeInfo")).used == 1
    await clock.advance(60 - clock.time_ns() / 1e9 % 60 - 0.1)
    await ask(bus, Market.USDM, "exchangeInfo")
    await clock.advance(0.2)
    assert (await ask(bus, Market.USDM, "exchangeInfo")).used is None


async def test_when_the_exchange_has_had_enough_all_are_told_until_when_and_it_is_left_alone(
    bus: MemoryBus, simulator: Simulator, clock: HandClock
) -> None:
    simulator.faults.limit_rest(7)
    replies = [await ask(bus, Market.SPOT, "depth", symbol=symbol) for symbol in ("BTCUSDT", "ETHUSDT", "BNBUSDT")]
    assert [reply.status for reply in replies] == [429] * 3
    assert [reply.retry_after for reply in replies] == pytest.approx([7, 7, 7])
    assert json.loads(replies[0].body)["code"] == -1003
    assert simulator.ledger.callers["127.0.0.1"] == 1
    assert (await ask(bus, Market.USDM, "time")).status != 200  # the fault is the address's


async def test_an_exchange_in_trouble_is_said_to_be(bus: MemoryBus, simulator: Simulator) -> None:
    simulator.faults.refuse(60)
    reply = await ask(bus, Market.SPOT, "time")
    assert reply.status == 503
    assert json.loads(reply.body) == {"code": -1001, "msg": "http: HTTP 503, the exchange is in trouble."}


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (b"{", 400),
        (b"\xff", 400),
        (b'{"market":"spot","method":"account"}', 404),
        (b'{"market":"spot","method":"../../sapi/v1/account"}', 404),
        (b'{"market":"spot","method":"klines","query":{"symbol":"BTCUSDT"}}', 400),
    ],
)
async def test_what_is_not_on_the_list_never_leaves(
    bus: MemoryBus, simulator: Simulator, payload: bytes, status: int
) -> None:
    reply = msgspec.msgpack.decode(await bus.request(REST, payload, 20), type=RestReply)
    assert (reply.status, requests(simulator)) == (status, 0)


async def test_a_thousand_requests_never_exceed_the_limit(bus: MemoryBus, simulator: Simulator) -> None:
    random_ = random.Random(5)
    statuses = {200: 0, 429: 0}
    for _ in range(1000):
        symbol = random_.choice(("BTCUSDT", "ETHUSDT", "BNBUSDT"))
        reply = await ask(bus, Market.SPOT, "depth", symbol=symbol, limit=str(random_.choice((5, 500, 5000))))
        statuses[reply.status] += 1
        assert reply.status == 200 or 0 < (reply.retry_after or 0) <= 60
    assert statuses[200] > 10
    assert statuses[429] > 100
    assert simulator.ledger.violations == []


DEAR = {"symbol": "BTCUSDT", "limit": "5000"}  # 250 of 6,000
PATIENT, HASTY = (RestRequest(Market.SPOT, "depth", DEAR, background) for background in (True, False))


async def test_those_who_can_wait_leave_others_their_part(
    bus: MemoryBus, simulator: Simulator, clock: HandClock
) -> None:
    assert [(await asked(bus, PATIENT)).status for _ in range(13)] == [200] * 12 + [429]
    assert (await asked(bus, PATIENT)).retry_after == pytest.approx(60)
    assert [(await asked(bus, HASTY)).status for _ in range(7)] == [200] * 6 + [429]
    await clock.advance(60.1)
    assert (await asked(bus, PATIENT)).status == 200
    assert simulator.ledger.violations == []


async def test_nobody_is_sent_away_because_another_one_can_wait(bus: MemoryBus) -> None:
    for _ in range(12):
        await asked(bus, PATIENT)
    async with asyncio.TaskGroup() as tasks:
        waits, hastes = tasks.create_task(asked(bus, PATIENT)), tasks.create_task(asked(bus, HASTY))
    assert (waits.result().status, hastes.result().status) == (429, 200)
