"""Rows that a worker missed, asked for over a bus, from the simulated exchange."""

import asyncio
import json
from collections.abc import AsyncIterator

import msgspec
import pytest

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.history import RowsReply, RowsRequest
from fsnats.subjects import ROWS
from tests.clock import HandClock
from tests.simulated import rests_at
from workers.history.rows import Rows
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(Settings()) as simulator:
        yield simulator


@pytest.fixture
async def bus(simulator: Simulator, clock: HandClock) -> AsyncIterator[MemoryBus]:
    bus = MemoryBus()
    async with asyncio.TaskGroup() as tasks, rests_at(simulator, bus, clock, [Market.SPOT]) as rests:
        rows = Rows(bus, rests, tasks, clock)
        rows.answers.start()
        yield bus
        rows.answers.stop()


async def ask(bus: MemoryBus, request: bytes) -> RowsReply:
    return msgspec.json.decode(await bus.request(ROWS, request, 20), type=RowsReply)


async def test_rows_are_the_exchanges_own(bus: MemoryBus) -> None:
    request = RowsRequest(Market.SPOT, "aggTrades", {"symbol": "BTCUSDT", "limit": 3})
    reply = await ask(bus, msgspec.json.encode(request))
    ids = [json.loads(bytes(row))["a"] for row in reply.rows]

    assert ids == list(range(ids[0], ids[0] + 3))


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (RowsRequest(Market.SPOT, "aggTrades", {"symbol": "NOPE"}), "Invalid symbol."),
        (RowsRequest(Market.USDM, "aggTrades", {"symbol": "BTCUSDT"}), "not carried here"),
    ],
)
async def test_what_cannot_be_had_is_a_sentence(bus: MemoryBus, request_: RowsRequest, says: str) -> None:
    reply = await ask(bus, msgspec.json.encode(request_))

    assert says in reply.error
    assert reply.again is None


@pytest.mark.parametrize("request_", [b"{", b"\xff", b'{"market":"spot","method":"account","parameters":{}}'])
async def test_what_is_no_request_is_a_sentence_too(bus: MemoryBus, request_: bytes) -> None:
    assert (await ask(bus, request_)).error


async def test_what_was_missed_does_not_take_all_of_the_weight(bus: MemoryBus, clock: HandClock) -> None:
    request = msgspec.json.encode(RowsRequest(Market.SPOT, "trades", {"symbol": "BTCUSDT", "limit": 1}))
    replies = [await ask(bus, request) for _ in range(181)]  # of 25 each: 4,500 of 6,000 is the share

    assert [reply.error for reply in replies[:-1]] == [""] * 180
    assert replies[-1].again == pytest.approx(60)
    await clock.advance(60.1)
    assert (await ask(bus, request)).error == ""


async def test_an_exchange_in_trouble_may_be_asked_again(simulator: Simulator, bus: MemoryBus) -> None:
    simulator.faults.limit_rest(7)
    reply = await ask(bus, msgspec.json.encode(RowsRequest(Market.SPOT, "trades", {"symbol": "BTCUSDT"})))

    assert "429" in reply.error
    assert reply.again == 7
