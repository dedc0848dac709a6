import pytest

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.config import Config
from fsnats.exits.client import Exits
from fsnats.exits.rest import PooledRest
from tests.clock import HandClock
from workers.history.share import BACKGROUND, Share


async def test_a_quarter_is_left_and_futures_share(clock: HandClock) -> None:
    config = Config()
    exits = Exits(config, MemoryBus(), "history", clock)
    share = Share([PooledRest(market, config, exits) for market in Market], clock)

    assert share.spend(Market.USDM, 1000) == share.spend(Market.COINM, 800) == 0.0
    assert share.spend(Market.USDM, 1) == pytest.approx(60)
    assert share.spend(Market.SPOT, 4500) == 0.0
    await clock.advance(60.1)
    assert share.spend(Market.USDM, 1) == 0.0


async def test_what_can_wait_has_a_smaller_share_and_asking_costs_nothing(clock: HandClock) -> None:
    config = Config()
    exits = Exits(config, MemoryBus(), "history", clock)
    share = Share([PooledRest(market, config, exits) for market in Market], clock, BACKGROUND)

    assert share.wait(Market.USDM, 1200) == share.wait(Market.USDM, 1200) == 0.0
    assert share.spend(Market.USDM, 1200) == 0.0
    assert share.wait(Market.USDM, 1) == pytest.approx(60)
