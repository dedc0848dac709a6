"""Trades over a bus, from the simulated exchange."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.history import PAGE_ROWS, HistoryReply, TradesRequest
from fsnats.store.forms import AggTrade
from fsnats.subjects import TRADES
from tests.clock import HandClock
from tests.simulated import rests_at
from tests.workers.history.shelves import Table, shelf_of
from tests.workers.history.test_service import Known, MidMinute
from workers.history.tape import Tape
from workers.history.trades import Trades
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings

NOW = MidMinute.time_ns() // 1_000_000


@pytest.fixture
async def bus(clock: HandClock) -> AsyncIterator[MemoryBus]:
    bus = MemoryBus()
    async with (
        Simulator(Settings(), MidMinute()) as simulator,
        asyncio.TaskGroup() as tasks,
        rests_at(simulator, bus, clock, [Market.SPOT]) as rests,
    ):
        Tape(bus, Trades(shelf_of(Table()), Known()), rests, tasks, clock).answers.start()
        yield bus


async def ask(bus: MemoryBus, request: TradesRequest) -> HistoryReply:
    answer = await bus.request(TRADES, msgspec.json.encode(request), 20)
    return msgspec.json.decode(answer, type=HistoryReply)


def rows_of(reply: HistoryReply) -> list[AggTrade]:
    return msgspec.json.decode(reply.rows, type=list[AggTrade])


async def test_a_long_range_is_told_a_reply_at_a_time(bus: MemoryBus) -> None:
    request = TradesRequest(Market.SPOT, "BTCUSDT", NOW - 40 * 60_000, NOW - 60_000)
    rows: list[AggTrade] = []
    while True:
        reply = await ask(bus, request)
        assert not reply.code, reply.message
        rows += rows_of(reply)
        if reply.goes_on is None:
            break
        assert len(rows_of(reply)) == PAGE_ROWS
        request = msgspec.structs.replace(request, from_id=reply.goes_on)
    assert len(rows) > PAGE_ROWS
    assert [row.a for row in rows] == list(range(rows[0].a, rows[-1].a + 1))
    assert NOW - 40 * 60_000 <= rows[0].T <= rows[-1].T <= NOW - 60_000


async def test_the_newest(bus: MemoryBus) -> None:
    assert len(rows_of(await ask(bus, TradesRequest(Market.SPOT, "btcusdt", limit=7, newest=True)))) == 7


@pytest.mark.parametrize(
    ("request_", "code", "says"),
    [
        (TradesRequest(Market.SPOT, "NOPE", newest=True), "UNKNOWN_SYMBOL", "Invalid symbol."),
        (TradesRequest(Market.USDM, "BTCUSDT"), "UNKNOWN_MARKET", "usdm is not carried here"),
        (TradesRequest(Market.SPOT, "BTCUSDT", limit=0), "INVALID_FIELD", "limit 0"),
    ],
)
async def test_a_wrong_request_is_answered_with_what_is_wrong(
    bus: MemoryBus, request_: TradesRequest, code: str, says: str
) -> None:
    reply = await ask(bus, request_)
    assert reply.code == code
    assert says in reply.message


async def test_what_is_no_request_is_answered_too(bus: MemoryBus) -> None:
    reply = msgspec.json.decode(await bus.request(TRADES, b'{"market":"forex"}', 20), type=HistoryReply)
    assert reply.code == "INVALID_FIELD"
