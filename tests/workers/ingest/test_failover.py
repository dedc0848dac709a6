"""A feed and its pool: when the proxy under it dies, it comes back by another one."""

import asyncio
import logging
from collections.abc import AsyncIterator

import msgspec
import pytest

from fsnats.binance.streams import Market, parse
from fsnats.bus.memory import MemoryBus
from fsnats.config import Config
from fsnats.exits.client import Exits
from fsnats.supervisor.dials import Dials
from tests.conftest import eventually
from tests.proxies import LOGIN, Relay, microsocks, misbehaving
from tests.simulated import config_for
from tests.workers.ingest.test_feed import Carried, HastyClock
from workers.ingest.feed import Feed
from workers.ingest.record import State
from workers.ingest.rotation import Rotation
from workers.ingest.router import Router
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(Settings(rate=500, record=True)) as simulator:
        yield simulator


class Rig:
    """A feed with a desk and a pool of its own."""

    def __init__(self, config: Config, program: str) -> None:
        self.bus = MemoryBus()
        self.clock = HastyClock()
        self.desk = Dials(self.bus, self.clock)
        self.desk.serve()
        self.carried = Carried()
        router = Router(Market.SPOT, self.carried, 1)
        url = f"{config.ws_url(Market.SPOT)}/stream"
        way = Exits(config, self.bus, program, self.clock).to(url)
        self.feed = Feed("f", Market.SPOT, url, [way], router, self.clock, lambda: 1.0, Rotation(3600.0))
        router.carry({"btcusdt@trade": parse(Market.SPOT, "btcusdt@trade")})
        self.feed.want({"btcusdt@trade"})


@pytest.mark.parametrize("program", ["ingest-spot-0", "ingest-spot-1"])
async def test_a_proxy_that_dies_mid_stream_is_left_for_the_other_one(
    simulator: Simulator, program: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with microsocks(login=True) as port, Relay(port) as one, Relay(port) as other:
            pool = ",".join(f"socks5h://{LOGIN}@127.0.0.1:{relay.port}" for relay in (one, other))
            rig = Rig(msgspec.structs.replace(config_for(simulator), proxy=pool), program)
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(rig.feed.run())
                await eventually(lambda: rig.carried)
                first, second = (one, other) if one.connections else (other, one)
                assert second.connections == 0
                first.die()
                await eventually(lambda: rig.feed.records[0].status is not State.CONNECTED)
                rig.carried.clear()
                await eventually(lambda: rig.carried)
                assert second.connections == 1
                running.cancel()

    said = "".join(str(vars(record)) for record in caplog.records) + str(rig.desk.standings()) + str(rig.feed.records)
    assert "s3cr3t" not in said


async def test_a_proxy_that_hangs_costs_one_timeout(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.ingest.upstream._OPEN_TIMEOUT", 0.3)
    async with misbehaving(None) as hanging, microsocks() as port:
        pool = f"socks5h://127.0.0.1:{hanging},socks5h://127.0.0.1:{port}"
        for program in ("ingest-spot-0", "ingest-spot-1"):  # each begins with another one
            rig = Rig(msgspec.structs.replace(config_for(simulator), proxy=pool), program)
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(rig.feed.run())
                await eventually(lambda rig=rig: rig.carried)  # type: ignore[misc]
                assert rig.feed.records[0].dials <= 2
                running.cancel()
