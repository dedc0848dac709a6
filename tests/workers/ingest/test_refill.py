"""Holes as they are: a feed that is cut, an exchange that goes on without it, its REST, and the history worker."""

import asyncio
import json

from fsnats.binance.streams import Market, parse
from fsnats.bus.memory import MemoryBus
from fsnats.clock import SystemClock
from fsnats.exits.client import Exits
from fsnats.exits.rest import PooledRest
from fsnats.frames import GAP, LATE, RECOVERED, Frame, decode
from fsnats.history import RowsReply, RowsRequest, ask_rows
from fsnats.supervisor.dials import Dials
from tests.conftest import eventually
from tests.simulated import config_for
from tests.workers.ingest.test_feed import RARELY, HastyClock
from workers.history.rows import Rows
from workers.ingest.feed import Feed
from workers.ingest.pages import Fill
from workers.ingest.recovery import Recovery
from workers.ingest.router import Router
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings

NAME = "btcusdt@aggTrade"
RATE = 5000.0  # messages a second
HOLE = 6000  # messages


async def test_a_hole_of_thousands_of_trades_is_filled_to_the_last_one() -> None:
    frames: list[Frame] = []

    def publish(_subject: str, data: bytes) -> bool:
        frames.append(decode(data))
        return True

    async def ask(fill: Fill) -> RowsReply:
        return await ask_rows(bus, RowsRequest(Market.SPOT, fill.method, fill.parameters))

    clock, bus = SystemClock(), MemoryBus()
    recovery = Recovery(ask, clock)
    recovery.router = router = Router(Market.SPOT, publish, 1, recovery)
    router.carry({NAME: parse(Market.SPOT, NAME)})
    async with Simulator(Settings(rate=RATE, judged=True)) as simulator, asyncio.TaskGroup() as tasks:
        config = config_for(simulator)
        Dials(bus, clock).serve()
        exits = Exits(config, bus, "test", clock)
        url = f"{config.ws_url(Market.SPOT)}/stream"
        feed = Feed("f", Market.SPOT, url, [exits.to(url)], router, HastyClock(), lambda: 0.0, RARELY)
        feed.want({NAME})
        async with PooledRest(Market.SPOT, config, exits) as rest:
            rows = Rows(bus, {Market.SPOT: rest}, tasks, clock)
            rows.answers.start()
            running = [tasks.create_task(feed.run()), tasks.create_task(recovery.run())]
            await eventually(lambda: frames)
            events = simulator.ledger.of(Market.SPOT, NAME)
            enough = events.produced + HOLE
            simulator.faults.refuse(3600)
            simulator.faults.cut()
            await eventually(lambda: events.produced > enough)
            simulator.faults.refuse(0)
            await eventually(lambda: router.holes and not recovery.filling, within=60)
            rows.answers.stop()
            for task in running:
                task.cancel()

    trades = [json.loads(frame.payload)["a"] for frame in frames if not frame.flags & GAP]
    ordered = [json.loads(frame.payload)["a"] for frame in frames if not frame.flags & (GAP | LATE)]
    recovered = sum(bool(frame.flags & RECOVERED) for frame in frames)
    assert recovered > HOLE
    assert sorted(trades) == list(range(min(trades), max(trades) + 1))
    assert ordered == sorted(ordered)
    assert recovery.gaps == 0
    assert simulator.ledger.violations == []
