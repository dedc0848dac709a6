"""What REST requests cost of the weight that the exchange allows an address in a minute.  Pure.

Source: Binance's public REST documentation as of November 2026, "Weight" of each method.
"""

from collections.abc import Mapping

from fsnats.binance.limits import KLINES_DEFAULT, KLINES_LIMIT
from fsnats.binance.streams import Market

# Up to this many rows: this weight.
_KLINES = ((99, 1), (499, 2), (1000, 5), (1500, 10))
_DEPTH = {
    Market.SPOT: ((100, 5), (500, 25), (1000, 50), (5000, 250)),
    Market.USDM: ((50, 2), (100, 5), (500, 10), (1000, 20)),
    Market.COINM: ((50, 2), (100, 5), (500, 10), (1000, 20)),
}
_DEPTH_DEFAULT = {Market.SPOT: 100, Market.USDM: 500, Market.COINM: 500}
_FUTURES = {
    "exchangeInfo": 1, "ping": 1, "time": 1, "aggTrades": 20, "trades": 5, "fundingRate": 1, "fundingInfo": 1,
    "openInterest": 1, "indexInfo": 1,
}  # fmt: skip
_FIXED = {
    Market.SPOT: {
        "exchangeInfo": 20, "ping": 1, "time": 1, "aggTrades": 4, "trades": 25, "historicalTrades": 25, "klines": 2,
        "uiKlines": 2, "avgPrice": 2,
    },
    Market.USDM: _FUTURES,
    Market.COINM: {**_FUTURES, "premiumIndex": 10},
}  # fmt: skip
# One symbol, and all of them.
_PRICES = {"ticker/24hr": (1, 40), "ticker/price": (1, 2), "v2/ticker/price": (1, 2), "ticker/bookTicker": (2, 5)}
_BY_SYMBOL = {
    Market.SPOT: {"ticker/24hr": (2, 80), "ticker/price": (2, 4), "ticker/bookTicker": (2, 4)},
    Market.USDM: {**_PRICES, "premiumIndex": (1, 10), "assetIndex": (1, 10)},
    Market.COINM: _PRICES,
}
_SOME = ((20, 2), (100, 40))  # of spot's `ticker/24hr`: up to so many `symbols`
_PER_SYMBOL = frozenset(("ticker", "ticker/tradingDay"))  # of spot
_SYMBOL, _SYMBOLS = 4, 200  # what each one costs, and all of them at most
_STATISTICS = 1  # they have none, but a limit of their own
_UNKNOWN = 20  # better too much than a ban


def weight_of(market: Market, method: str, parameters: Mapping[str, str | int]) -> int:
    """The weight of one request."""
    fixed = _FIXED[market].get(method)
    if fixed is not None:
        return fixed
    if method in _BY_SYMBOL[market]:
        one, every = _BY_SYMBOL[market][method]
        if method == "ticker/24hr" and "symbols" in parameters:
            several = str(parameters["symbols"]).count(",") + 1
            return next((weight for most, weight in _SOME if several <= most), every)
        return one if "symbol" in parameters else every
    if method in _PER_SYMBOL:
        return min(_SYMBOL * (str(parameters.get("symbols", "")).count(",") + 1), _SYMBOLS)
    if method.startswith("futures/data/"):
        return _STATISTICS
    if method.lower().endswith("klines"):
        return _step(_KLINES, int(parameters.get("limit", KLINES_DEFAULT)))
    if method == "depth":
        return _step(_DEPTH[market], int(parameters.get("limit", _DEPTH_DEFAULT[market])))
    return _UNKNOWN


def page_of(market: Market, rows: int) -> int:
    """How many candles to ask for in one request of those that bring so many at the least weight.

    Spot charges every request alike.  Of futures' classes the second one brings most for its weight, and a part of it
    is asked in the first one where that does.
    """
    if market is Market.SPOT:
        return min(rows, KLINES_LIMIT[market])
    return min(rows, _KLINES[1][0])


def counted_apart(market: Market, method: str) -> str:
    """The limit on the number of requests that a method counts towards besides; empty where there is none."""
    if market is Market.SPOT:
        return ""
    if method.startswith("futures/data/"):
        return "statistics"
    return "funding" if method in ("fundingRate", "fundingInfo") else ""


def _step(steps: tuple[tuple[int, int], ...], rows: int) -> int:
    return next((weight for most, weight in steps if rows <= most), steps[-1][1])
