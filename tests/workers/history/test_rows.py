"""Rows that a worker missed, asked for over a bus, from the simulated exchange."""

import asyncio
import json
from collections.abc import AsyncIterator

import msgspec
import pytest

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.exits.client import Exits
from fsnats.exits.rest import PooledRest
from fsnats.history import RowsReply, RowsRequest
from fsnats.subjects import ROWS
from fsnats.supervisor.dials import Dials
from tests.clock import HandClock
from tests.simulated import config_for
from workers.history.rows import Rows
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings


@pytest.fixture
async def bus(clock: HandClock) -> AsyncIterator[MemoryBus]:
    bus = MemoryBus()
    async with Simulator(Settings()) as simulator, asyncio.TaskGroup() as tasks:
        config = config_for(simulator)
        Dials(bus, clock).serve()
        async with PooledRest(Market.SPOT, config, Exits(config, bus, "history", clock)) as rest:
            rows = Rows(bus, {Market.SPOT: rest}, tasks)
            rows.start()
            yield bus
            rows.stop()


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
    assert says in (await ask(bus, msgspec.json.encode(request_))).error


@pytest.mark.parametrize("request_", [b"{", b"\xff", b'{"market":"spot","method":"account","parameters":{}}'])
async def test_what_is_no_request_is_a_sentence_too(bus: MemoryBus, request_: bytes) -> None:
    assert (await ask(bus, request_)).error
