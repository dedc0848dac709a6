"""What a configuration looks like that points at a simulator."""

from typing import Any

import msgspec

from fsnats.binance.streams import Market
from fsnats.config import Config
from workers.simulator.server import Simulator


def config_for(simulator: Simulator, **changes: Any) -> Config:
    """Every market's URLs at this simulator; other fields as given."""
    urls = {f"{market}_ws_url": simulator.ws_url(market) for market in Market} | {
        f"{market}_rest_url": simulator.rest_url(market) for market in Market
    }
    return msgspec.structs.replace(Config(), **(urls | changes))
