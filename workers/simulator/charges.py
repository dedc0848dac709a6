"""What a REST request costs of the weight of a minute.  Pure.

The product has a table of its own (`fsnats.binance.weights`); this one is written apart from it, as the exchange's is.
"""

from collections.abc import Callable

from fsnats.binance.limits import KLINES_DEFAULT
from fsnats.binance.parameters import Query, asked
from fsnats.binance.streams import Market

Weigh = Callable[[Market, Query], int]


def _flat(spot: int, futures: int) -> Weigh:
    return lambda market, query: spot if market is Market.SPOT else futures


def _by_symbol(spot: tuple[int, int], futures: tuple[int, int]) -> Weigh:
    """What one symbol costs, and what all do; several of spot cost as much as all but for `ticker/24hr`."""

    def weigh(market: Market, query: Query) -> int:
        one, every = spot if market is Market.SPOT else futures
        several = query.get("symbols", "").count(",") + 1 if "symbols" in query else 0
        if "symbol" in query or (every == 80 and 0 < several <= 20):
            return one
        return 40 if every == 80 and 0 < several <= 100 else every

    return weigh


def _each_symbol(market: Market, query: Query) -> int:
    """What spot charges where it computes a window: by the symbol, for up to fifty of them."""
    return min(200, 4 * (query.get("symbols", "").count(",") + 1))


def _klines(market: Market, query: Query) -> int:
    """Spot charges two; futures by rows, at the boundaries measured on 2026-10-07."""
    if market is Market.SPOT:
        return 2
    limit = asked(query, KLINES_DEFAULT + 1)  # no limit given is charged as the next class
    return next((weight for most, weight in ((100, 1), (500, 2), (1000, 5)) if limit <= most), 10)


def _depth(market: Market, query: Query) -> int:
    if market is Market.SPOT:
        limit = asked(query, 100)
        return next((weight for most, weight in ((100, 5), (500, 25), (1000, 50)) if limit <= most), 250)
    limit = asked(query, 500)
    return next((weight for most, weight in ((50, 2), (100, 5), (500, 10)) if limit <= most), 20)


_CHARGES: dict[str, Weigh] = {
    "exchangeInfo": _flat(20, 1),
    "klines": _klines,
    "uiKlines": _klines,
    "continuousKlines": _klines,
    "indexPriceKlines": _klines,
    "markPriceKlines": _klines,
    "premiumIndexKlines": _klines,
    "aggTrades": _flat(4, 20),
    "trades": _flat(25, 5),
    "historicalTrades": _flat(25, 20),
    "depth": _depth,
    "avgPrice": _flat(2, 0),
    "ticker": _each_symbol,
    "ticker/tradingDay": _each_symbol,
    "ticker/24hr": _by_symbol((2, 80), (1, 40)),
    "ticker/price": _by_symbol((2, 4), (1, 2)),
    "v2/ticker/price": _by_symbol((0, 0), (1, 2)),
    "ticker/bookTicker": _by_symbol((2, 4), (2, 5)),
    "premiumIndex": _by_symbol((0, 0), (1, 10)),
    "assetIndex": _by_symbol((0, 0), (1, 10)),
    "fundingInfo": _flat(0, 0),
}


def charge(market: Market, name: str, query: Query) -> int:
    """The weight of a request for a method that there is."""
    if name.startswith("futures/data/"):
        return 0
    weigh = _CHARGES.get(name)
    return 1 if weigh is None else weigh(market, query)
