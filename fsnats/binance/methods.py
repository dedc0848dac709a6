"""The public REST methods that are passed on to the exchange, and what may be asked of them.  Pure.

A request is looked at in the exchange's order: which parameters there are, what they are made of, whether symbol, pair
and interval exist.  Nothing leaves that holds other characters than these forms allow: the exchange's firewall refuses
whole addresses for the wrong words in a query.  What is only too large or does not fit together it says itself.

Source: Binance's public REST documentation of each market as of November 2026.
"""

import re
from collections.abc import Container, Sequence
from typing import NamedTuple

from fsnats.binance.parameters import SYMBOL, SYMBOL_LEGAL, Query, RestError, illegal, integer, needed, symbols_of
from fsnats.binance.streams import Market, intervals_of

DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1000)  # of futures


class Method(NamedTuple):
    """The parameters that a method needs, and those that it takes besides."""

    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


_RANGE = ("startTime", "endTime", "limit")
_CANDLES = Method(("symbol", "interval"), _RANGE)
_PAIR_CANDLES = Method(("pair", "interval"), _RANGE)
_TRADES = Method(("symbol",), ("limit",))
_AGG_TRADES = Method(("symbol",), ("fromId", *_RANGE))
_OF_SYMBOL = Method(("symbol", "period"), _RANGE)
_OF_CONTRACT = Method(("pair", "contractType", "period"), _RANGE)
_RATIOS = ("topLongShortAccountRatio", "topLongShortPositionRatio", "globalLongShortAccountRatio")
_FUTURES = {
    "ping": Method(),
    "time": Method(),
    "exchangeInfo": Method(),
    "klines": _CANDLES,
    "continuousKlines": Method(("pair", "contractType", "interval"), _RANGE),
    "indexPriceKlines": _PAIR_CANDLES,
    "markPriceKlines": _CANDLES,
    "premiumIndexKlines": _CANDLES,
    "openInterest": Method(("symbol",)),
    "fundingInfo": Method(),
    "futures/data/basis": _OF_CONTRACT,
    "futures/data/delivery-price": Method(("pair",)),
    "depth": _TRADES,
    "trades": _TRADES,
    "aggTrades": _AGG_TRADES,
}
_SOME = Method((), ("symbol", "symbols", "symbolStatus"))
_ONE = Method((), ("symbol",))
_OF_PAIR = Method((), ("symbol", "pair"))
_PRICES = ("ticker/24hr", "ticker/price", "ticker/bookTicker", "premiumIndex")

METHODS: dict[Market, dict[str, Method]] = {
    Market.SPOT: {
        "ping": Method(),
        "time": Method(),
        "exchangeInfo": Method((), ("symbol", "symbols", "permissions", "symbolStatus", "showPermissionSets")),
        "klines": Method(("symbol", "interval"), (*_RANGE, "timeZone")),
        "uiKlines": Method(("symbol", "interval"), (*_RANGE, "timeZone")),
        "depth": Method(("symbol",), ("limit", "symbolStatus")),
        "trades": _TRADES,
        "historicalTrades": Method(("symbol",), ("limit", "fromId")),
        "aggTrades": _AGG_TRADES,
        "avgPrice": Method(("symbol",)),
        "ticker": Method((), (*_SOME.takes, "type", "windowSize")),
        "ticker/tradingDay": Method((), (*_SOME.takes, "type", "timeZone")),
        "ticker/24hr": Method((), (*_SOME.takes, "type")),
        "ticker/price": _SOME,
        "ticker/bookTicker": _SOME,
    },
    Market.USDM: {
        **_FUTURES,
        **dict.fromkeys(_PRICES, _ONE),
        "v2/ticker/price": _ONE,
        "fundingRate": Method((), ("symbol", *_RANGE)),
        "indexInfo": _ONE,
        "assetIndex": _ONE,
        "futures/data/openInterestHist": _OF_SYMBOL,
        "futures/data/takerlongshortRatio": _OF_SYMBOL,
        **{f"futures/data/{name}": _OF_SYMBOL for name in _RATIOS},
    },
    Market.COINM: {
        **_FUTURES,
        **dict.fromkeys(_PRICES, _OF_PAIR),
        "fundingRate": Method(("symbol",), _RANGE),
        "futures/data/openInterestHist": _OF_CONTRACT,
        "futures/data/takerBuySellVol": _OF_CONTRACT,
        **{f"futures/data/{name}": Method(("pair", "period"), _RANGE) for name in _RATIOS},
    },
}

INTEGERS = frozenset(("limit", "startTime", "endTime", "fromId"))
FORMS = {
    "timeZone": r"^[+-]?[0-9]{1,2}(:[0-9]{2})?$",
    "permissions": r'^[A-Z0-9_,"\[\]]{1,2000}$',
    "symbolStatus": r"^[A-Z_]{1,30}$",
    "showPermissionSets": r"^[A-Za-z]{1,5}$",
    "contractType": r"^[A-Z_]{1,30}$",
    "type": r"^[A-Z_]{1,20}$",
    "windowSize": r"^[0-9]{1,2}[mhd]$",
    "period": r"^[0-9]{1,2}[mhd]$",
}
_PATTERNS = {name: re.compile(form) for name, form in FORMS.items()}


def read(market: Market, method: str, pairs: Sequence[tuple[str, str]]) -> Query:
    """The parameters of a request to a method that there is, from those of its URL.  Raises RestError."""
    needs, takes = METHODS[market][method]
    query = dict(pairs)
    if len(query) != len(pairs):
        raise RestError(-1101, "Duplicate values for a parameter detected.")
    unread = query.keys() - {*needs, *takes}
    for name in needs:
        needed(query, name)
    if unread and market is Market.SPOT:
        read_count, sent = len(query) - len(unread), len(query)
        reason = f"Not all sent parameters were read; read '{read_count}' parameter(s) but was sent '{sent}'."
        raise RestError(-1104, reason)
    for name in unread:  # futures do not look at them either
        del query[name]
    for name in query:
        _look_at(market, query, name)
    if market is not Market.SPOT:  # which takes capitals only
        query |= {name: query[name].upper() for name in ("symbol", "pair") if name in query}
    if "symbol" in query and "symbols" in query:
        raise RestError(-1128, "Combination of optional parameters invalid.")
    return query


def _look_at(market: Market, query: Query, name: str) -> None:
    """Whether a parameter is made of what it may be made of."""
    value = needed(query, name)
    if name in INTEGERS:
        integer(query, name)
    elif name == "symbols":
        symbols_of(query)
    elif name in FORMS:
        if not _PATTERNS[name].fullmatch(value):
            raise illegal(name, FORMS[name])
    elif name == "symbol" and market is Market.SPOT and not SYMBOL.fullmatch(value):
        raise illegal(name, SYMBOL_LEGAL)


def known(market: Market, method: str, query: Query, symbols: Container[str], pairs: Container[str]) -> None:
    """Raises RestError where what a request names is not listed, or its interval or depth does not exist."""
    if method == "assetIndex":  # its symbols are assets: the list does not have them
        return
    names = [query["symbol"]] if "symbol" in query else symbols_of(query) if "symbols" in query else []
    if not all(name in symbols for name in names) or ("pair" in query and query["pair"] not in pairs):
        raise RestError(-1121, "Invalid symbol.")
    if "interval" in query:
        kind = "continuousKline" if method == "continuousKlines" else "kline"
        if query["interval"] not in intervals_of(market, kind):
            raise RestError(-1120, "Invalid interval.")
    if method == "depth" and market is not Market.SPOT and "limit" in query and int(query["limit"]) not in DEPTH_LIMITS:
        raise RestError(-4021, f"{query['limit']} is not valid depth limit.")
