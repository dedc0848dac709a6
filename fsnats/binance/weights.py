"""What REST requests cost of the weight that the exchange allows an address in a minute.  Pure.

Source: Binance's public REST documentation as of November 2026, "Weight" of each method.
"""

from collections.abc import Mapping

from fsnats.binance.limits import KLINES_DEFAULT
from fsnats.binance.streams import Market

# Up to this many rows: this weight.
_KLINES = ((99, 1), (499, 2), (1000, 5), (1500, 10))
_DEPTH = {
    Market.SPOT: ((100, 5), (500, 25), (1000, 50), (5000, 250)),
    Market.USDM: ((50, 2), (100, 5), (500, 10), (1000, 20)),
    Market.COINM: ((50, 2), (100, 5), (500, 10), (1000, 20)),
}
_DEPTH_DEFAULT = {Market.SPOT: 100, Market.USDM: 500, Market.COINM: 500}
_FIXED = {
    Market.SPOT: {"exchangeInfo": 20, "klines": 2, "ping": 1, "time": 1, "aggTrades": 4, "trades": 25},
    Market.USDM: {"exchangeInfo": 1, "ping": 1, "time": 1, "aggTrades": 20, "trades": 5},
    Market.COINM: {"exchangeInfo": 1, "ping": 1, "time": 1, "aggTrades": 20, "trades": 5},
}
_UNKNOWN = 20  # better too much than a ban


def weight_of(market: Market, method: str, parameters: Mapping[str, str | int]) -> int:
    """The weight of one request."""
    fixed = _FIXED[market].get(method)
    if fixed is not None:
        return fixed
    if method.lower().endswith("klines"):
        return _step(_KLINES, int(parameters.get("limit", KLINES_DEFAULT)))
    if method == "depth":
        return _step(_DEPTH[market], int(parameters.get("limit", _DEPTH_DEFAULT[market])))
    return _UNKNOWN


def _step(steps: tuple[tuple[int, int], ...], rows: int) -> int:
    return next((weight for most, weight in steps if rows <= most), steps[-1][1])
