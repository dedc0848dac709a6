"""What a configuration looks like that points at a simulator, and REST there as programs of ours ask for it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import msgspec

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.clock import Clock
from fsnats.config import Config
from fsnats.exits.client import Exits
from fsnats.exits.rest import PooledRest
from fsnats.supervisor.dials import Dials
from workers.simulator.server import Simulator


def config_for(simulator: Simulator, **changes: Any) -> Config:
    """Every market's URLs at this simulator; other fields as given."""
    urls = {f"{market}_ws_url": simulator.ws_url(market) for market in Market} | {
        f"{market}_rest_url": simulator.rest_url(market) for market in Market
    }
    return msgspec.structs.replace(Config(), **(urls | changes))


@asynccontextmanager
async def rests_at(
    simulator: Simulator, bus: MemoryBus, clock: Clock, markets: Iterable[Market], patience: float = 5.0
) -> AsyncIterator[dict[Market, PooledRest]]:
    """REST of these markets, with a desk on the bus: what an exit may do without one would be too little."""
    config = config_for(simulator)
    Dials(bus, clock).serve()
    exits = Exits(config, bus, "test", clock)
    async with AsyncExitStack() as stack:
        yield {
            market: await stack.enter_async_context(PooledRest(market, config, exits, patience)) for market in markets
        }
