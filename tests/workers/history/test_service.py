"""The history service, its requests coming over a bus and its answers from the simulated exchange."""

import asyncio
import json
from collections.abc import AsyncIterator

import msgspec
import pytest

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.clock import SystemClock
from fsnats.history import HistoryReply, KlinesRequest
from fsnats.subjects import KLINES
from tests.clock import HandClock
from tests.simulated import rests_at
from tests.workers.history.shelves import Table, shelf_of
from workers.history.candles import Candles
from workers.history.service import Service
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings


class MidMinute(SystemClock):
    """The exchange's clock stands still, 55 seconds before its minute of weight ends."""

    time_ns = staticmethod(lambda: 1_763_625_605_000_000_000)


class Known:
    """The exchange's time, as history workers know it."""

    def now_ms(self, market: Market) -> int:
        return MidMinute.time_ns() // 1_000_000

    def knows(self, market: Market) -> bool:
        return True


@pytest.fixture
async def bus(clock: HandClock) -> AsyncIterator[MemoryBus]:
    bus = MemoryBus()
    async with (
        Simulator(Settings(weight_per_minute=20, refusals_before_ban=1000), MidMinute()) as simulator,
        asyncio.TaskGroup() as tasks,
        rests_at(simulator, bus, clock, [Market.SPOT]) as rests,
    ):
        Service(bus, Candles(shelf_of(Table()), Known()), rests, tasks, clock).answers.start()
        yield bus


async def ask(bus: MemoryBus, request: KlinesRequest) -> HistoryReply:
    answer = await bus.request(KLINES, msgspec.json.encode(request), 20)
    return msgspec.json.decode(answer, type=HistoryReply)


async def test_rows_are_the_exchanges_own_bytes(bus: MemoryBus) -> None:
    reply = await ask(bus, KlinesRequest(Market.SPOT, "BTCUSDT", "1m", limit=5, newest=True))
    rows = json.loads(bytes(reply.rows))

    assert len(rows) == 5
    assert all(len(row) == 12 and isinstance(row[1], str) for row in rows)


async def test_a_range_is_passed_on(bus: MemoryBus) -> None:
    newest = json.loads(bytes((await ask(bus, KlinesRequest(Market.SPOT, "BTCUSDT", "1m", limit=9, newest=True))).rows))
    start, end = newest[2][0], newest[4][0]

    reply = await ask(bus, KlinesRequest(Market.SPOT, "BTCUSDT", "1m", start_ms=start, end_ms=end))

    assert json.loads(bytes(reply.rows)) == newest[2:5]


@pytest.mark.parametrize(
    ("request_", "code", "says"),
    [
        (KlinesRequest(Market.SPOT, "NOPE", "1m", newest=True), "UNKNOWN_SYMBOL", "Invalid symbol."),
        (KlinesRequest(Market.SPOT, "BTCUSDT", "7m"), "UNKNOWN_INTERVAL", "'7m'; allowed: 1s, 1m"),
        (KlinesRequest(Market.SPOT, "BTCUSDT", "1m", limit=0), "INVALID_FIELD", "limit 0 is less than 1"),
        (KlinesRequest(Market.SPOT, "BTCUSDT", "1m", start_ms=2, end_ms=1), "INVALID_FIELD", "2 to 1 is no range"),
        (KlinesRequest(Market.SPOT, "BTC", "1m", contract="weekly"), "UNKNOWN_CONTRACT_TYPE", "allowed: perpetual"),
        (KlinesRequest(Market.USDM, "BTCUSDT", "1m"), "UNKNOWN_MARKET", "usdm is not carried here"),
    ],
)
async def test_a_wrong_request_is_answered_with_what_is_wrong(
    bus: MemoryBus, request_: KlinesRequest, code: str, says: str
) -> None:
    reply = await ask(bus, request_)

    assert reply.code == code
    assert says in reply.message


async def test_what_is_no_request_is_answered_too(bus: MemoryBus) -> None:
    reply = msgspec.json.decode(await bus.request(KLINES, b'{"market":"forex"}', 20), type=HistoryReply)

    assert reply.code == "INVALID_FIELD"


async def test_after_a_429_nobody_asks_until_the_exchange_allows_it(bus: MemoryBus, clock: HandClock) -> None:
    request = KlinesRequest(Market.SPOT, "BTCUSDT", "1m", limit=1, newest=True)
    while not (reply := await ask(bus, request)).code:
        pass  # two of weight each, until the twenty of this minute are used

    assert reply.code == "HISTORY_UNAVAILABLE"
    assert reply.retry_after is not None
    again = await ask(bus, request)
    assert "no exit may be used for another" in again.message
    assert again.retry_after is not None
    await clock.advance(again.retry_after + 1)
    assert "another" not in (await ask(bus, request)).message
