import pytest

from fsnats.binance.streams import Market
from workers.simulator.routes import Endpoint, delivered, endpoint


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/spot/ws", Endpoint(Market.SPOT, "", False)),
        ("/spot/ws/btcusdt@trade/ethusdt@trade", Endpoint(Market.SPOT, "", False, ("btcusdt@trade", "ethusdt@trade"))),
        ("/spot/stream?streams=a@trade/b@trade", Endpoint(Market.SPOT, "", True, ("a@trade", "b@trade"))),
        ("/usdm/market/stream", Endpoint(Market.USDM, "market", True)),
        ("/usdm/public/ws", Endpoint(Market.USDM, "public", False)),
        ("/usdm/private/ws", Endpoint(Market.USDM, "private", False)),
        ("/usdm/ws", Endpoint(Market.USDM, "legacy", False)),
        ("/coinm/stream", Endpoint(Market.COINM, "", True)),
        ("/spot/stream?streams=%E5%B8%81usdt@trade", Endpoint(Market.SPOT, "", True, ("币usdt@trade",))),
        ("/spot/stream?streams=a@kline_1d@+08:00", Endpoint(Market.SPOT, "", True, ("a@kline_1d@+08:00",))),
        (
            "/spot/stream?timeUnit=microsecond&streams=a@trade",
            Endpoint(Market.SPOT, "", True, ("a@trade",), microseconds=True),
        ),
    ],
)
def test_urls(target: str, expected: Endpoint) -> None:
    assert endpoint(target) == expected


@pytest.mark.parametrize(
    "target",
    ["/", "/ws", "/spot", "/spot/market/ws", "/usdm/ws/", "/usdm/market/ws?a@trade", "/coinm/public/ws", "/x/ws"],
)
def test_urls_that_do_not_exist(target: str) -> None:
    assert endpoint(target) is None


PUBLIC = ["btcusdt@bookTicker", "!bookTicker", "btcusdt@depth20@100ms", "btcusdt@depth", "btcusdt@trade"]
MARKET = ["btcusdt@aggTrade", "btcusdt@kline_1m", "!markPrice@arr@1s", "!contractInfo", "tradingSession"]


def test_usdm_delivers_each_stream_on_its_own_route_only() -> None:
    for name in PUBLIC + MARKET:
        assert (delivered(Market.USDM, "public", name) is not None) == (name in PUBLIC)
        assert (delivered(Market.USDM, "market", name) is not None) == (name in MARKET)
        assert delivered(Market.USDM, "private", name) is None


def test_the_old_path_delivers_public_streams_only() -> None:
    for name in PUBLIC + MARKET:
        assert (delivered(Market.USDM, "legacy", name) is not None) == (name in PUBLIC)


@pytest.mark.parametrize(
    ("market", "name"),
    [
        (Market.SPOT, "BTCUSDT@trade"),
        (Market.SPOT, "!ticker@arr"),
        (Market.SPOT, "btcusdt@depth20@250ms"),
        (Market.USDM, "btcusdt@kline_1s"),
        (Market.SPOT, "btcusdt"),
        (Market.SPOT, "a b@trade"),
    ],
)
def test_names_that_are_acknowledged_and_silent(market: Market, name: str) -> None:
    assert delivered(market, "", name) is None
