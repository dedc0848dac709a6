import pytest

from fsnats.binance.streams import Market
from tests.clock import HandClock
from workers.history.counted import Counted


async def test_funding_is_asked_for_less_often_than_would_be_too_often(clock: HandClock) -> None:
    counted = Counted(clock)
    for method in ("fundingRate", "fundingInfo") * 187 + ("fundingInfo",):
        assert counted.wait(Market.USDM, method) == 0
        counted.spend(Market.USDM, method)
    assert counted.wait(Market.USDM, "fundingRate") == pytest.approx(300)
    assert counted.wait(Market.COINM, "fundingRate") == counted.wait(Market.USDM, "futures/data/basis") == 0
    await clock.advance(300.1)
    assert counted.wait(Market.USDM, "fundingInfo") == 0


def test_what_only_has_a_weight_is_not_counted(clock: HandClock) -> None:
    counted = Counted(clock)
    for _ in range(2000):
        counted.spend(Market.SPOT, "depth")
    assert counted.wait(Market.SPOT, "depth") == 0
