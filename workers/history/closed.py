"""REST requests for candles that are all over: answered from the store where it has every one of them, and kept there
when the exchange has answered.

Only what is bound to end with a candle that is over: a range with an end, or so many candles from a time on.
"""

import msgspec

from fsnats.binance.limits import KLINES_DEFAULT, KLINES_LIMIT
from fsnats.binance.parameters import Query
from fsnats.binance.streams import Market
from fsnats.candles.calendar import opening, span
from fsnats.errors import ExchangeUnavailable
from fsnats.store import Series
from workers.history import coverage
from workers.history.candles import WINDOW, Candles, Times, read

_ASKED = frozenset(("symbol", "pair", "contractType", "interval", "startTime", "endTime", "limit"))
_LATEST = 2**42  # milliseconds: the year 2109; calendars end somewhere
_encode = msgspec.json.Encoder().encode


class Range(msgspec.Struct, frozen=True):
    """What is asked: candles that open from `first` to `last`, both included, but not more than `limit`: the first
    ones, or the `newest`.  Where `last` is None they may go on to the open one."""

    series: Series
    first: int
    last: int | None
    limit: int
    newest: bool = False


def range_of(market: Market, method: str, query: Query) -> Range | None:
    """The range that a request names; None for any other request.  Its parameters were checked but for their size."""
    if method not in ("klines", "continuousKlines") or not query.keys() <= _ASKED:
        return None
    bounds = query.keys() & {"startTime", "endTime"}
    # On COIN-M one of them means two hundred days before it or behind it, depending on what there is.
    if not bounds or (market is Market.COINM and len(bounds) == 1):
        return None
    start, end = int(query.get("startTime", 0)), int(query.get("endTime", _LATEST - 1))
    limit = int(query.get("limit", KLINES_DEFAULT))
    if not start <= end < _LATEST or not 1 <= limit <= KLINES_LIMIT[market]:
        return None
    if market is Market.COINM and end - start > WINDOW:
        return None
    interval = query["interval"]
    if method == "klines":
        series = Series(market, "kline", query["symbol"], interval)
    else:
        series = Series(market, "continuousKline", f"{query['pair']}_{query['contractType']}", interval)
    first, last = opening(interval, start), span(interval, end)[0]
    if first > last:
        return None
    # Of more candles than it may tell COIN-M tells the last ones.
    newest = market is Market.COINM or "startTime" not in query
    return Range(series, first, last if "endTime" in query else None, limit, newest)


class Closed:
    """Closed candles for the relay."""

    def __init__(self, candles: Candles, times: Times) -> None:
        self._candles = candles
        self._times = times

    async def answer(self, asked: Range) -> bytes | None:
        """The body of the exchange's answer; None where it is not known that the store has all of it."""
        settled = self._settled(asked)
        if settled < (asked.first if asked.last is None else asked.last):
            return None
        last, full = (settled, True) if asked.last is None else (asked.last, False)
        rows = await self._candles.whole(asked.series, asked.first, last, asked.limit, newest=asked.newest, full=full)
        return None if rows is None else _encode(rows)

    async def keep(self, asked: Range, body: bytes, now_ms: int) -> None:
        """Keep what the exchange answered to a question that was asked at `now_ms` by its clock."""
        if asked.last is not None and self._settled(asked) < asked.last:
            return
        try:
            rows = read(body, asked.first, asked.last)
        except ExchangeUnavailable:
            return  # whoever asked sees it
        if asked.last is None and not rows:
            return  # it begins later than anything yet
        first, until = asked.first, rows[-1].t if asked.last is None else asked.last
        if len(rows) >= asked.limit and asked.newest:
            first = rows[0].t
        elif len(rows) >= asked.limit:
            until = rows[-1].t
        await self._candles.keep(asked.series, rows, first, until, now_ms)

    def now_ms(self, market: Market) -> int:
        """The exchange's time."""
        return self._times.now_ms(market)

    def _settled(self, asked: Range) -> int:
        """The opening of the newest candle that will not change any more."""
        now = self._times.now_ms(asked.series.market)
        return coverage.last_over(asked.series.interval, now - coverage.SETTLED_MS)
