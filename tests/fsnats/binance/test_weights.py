import pytest

from fsnats.binance.limits import KLINES_LIMIT
from fsnats.binance.streams import Market
from fsnats.binance.weights import counted_apart, page_of, weight_of


@pytest.mark.parametrize(
    ("market", "method", "limit", "weight"),
    [
        (Market.SPOT, "exchangeInfo", None, 20),
        (Market.USDM, "exchangeInfo", None, 1),
        (Market.SPOT, "klines", 1000, 2),
        (Market.USDM, "klines", 99, 1),
        (Market.USDM, "klines", 100, 2),
        (Market.USDM, "klines", None, 5),
        (Market.COINM, "klines", 1500, 10),
        (Market.USDM, "continuousKlines", 1000, 5),
        (Market.COINM, "indexPriceKlines", 99, 1),
        (Market.SPOT, "depth", None, 5),
        (Market.SPOT, "depth", 5000, 250),
        (Market.USDM, "depth", 1000, 20),
        (Market.SPOT, "aggTrades", 1000, 4),
        (Market.USDM, "aggTrades", 1000, 20),
        (Market.SPOT, "trades", 1000, 25),
        (Market.USDM, "trades", 1000, 5),
        (Market.USDM, "somethingNew", None, 20),
    ],
)
def test_weights_are_those_of_the_documentation(market: Market, method: str, limit: int | None, weight: int) -> None:
    assert weight_of(market, method, {} if limit is None else {"limit": limit}) == weight


@pytest.mark.parametrize(
    ("market", "method", "parameters", "weight"),
    [
        (Market.SPOT, "ticker/24hr", {"symbol": "BTCUSDT"}, 2),
        (Market.SPOT, "ticker", {"symbol": "BTCUSDT"}, 4),
        (Market.SPOT, "ticker/tradingDay", {"symbols": '["BTCUSDT","ETHUSDT"]'}, 8),
        (Market.SPOT, "ticker", {"symbols": ",".join(["X"] * 60)}, 200),
        (Market.USDM, "assetIndex", {}, 10),
        (Market.SPOT, "ticker/24hr", {}, 80),
        (Market.SPOT, "ticker/24hr", {"symbols": '["BTCUSDT","ETHUSDT"]'}, 2),
        (Market.SPOT, "ticker/24hr", {"symbols": ",".join(["X"] * 21)}, 40),
        (Market.SPOT, "ticker/24hr", {"symbols": ",".join(["X"] * 101)}, 80),
        (Market.SPOT, "ticker/price", {"symbols": '["BTCUSDT"]'}, 4),
        (Market.USDM, "ticker/24hr", {}, 40),
        (Market.USDM, "v2/ticker/price", {"symbol": "BTCUSDT"}, 1),
        (Market.USDM, "premiumIndex", {"symbol": "BTCUSDT"}, 1),
        (Market.COINM, "premiumIndex", {"symbol": "BTCUSD_PERP"}, 10),
        (Market.COINM, "ticker/bookTicker", {"pair": "BTCUSD"}, 5),
    ],
)
def test_one_symbol_weighs_less_than_all(
    market: Market, method: str, parameters: dict[str, str | int], weight: int
) -> None:
    assert weight_of(market, method, parameters) == weight


@pytest.mark.parametrize("market", Market)
@pytest.mark.parametrize("rows", [1, 99, 100, 499, 500, 1000, 1499, 5000])
def test_no_page_brings_more_for_its_weight(market: Market, rows: int) -> None:
    def cost(page: int) -> int:
        full, rest = divmod(rows, page)
        weight = full * weight_of(market, "klines", {"limit": page})
        return weight + (weight_of(market, "klines", {"limit": rest}) if rest else 0)

    assert cost(page_of(market, rows)) == min(map(cost, range(1, min(rows, KLINES_LIMIT[market]) + 1)))


def test_funding_and_statistics_have_limits_of_their_own() -> None:
    assert counted_apart(Market.USDM, "fundingInfo") == counted_apart(Market.COINM, "fundingRate") == "funding"
    assert counted_apart(Market.USDM, "futures/data/basis") == "statistics"
    assert counted_apart(Market.USDM, "klines") == counted_apart(Market.SPOT, "depth") == ""
