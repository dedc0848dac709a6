"""REST requests for candles that are all over: answered from the store where it has every one of them, and kept there
when the exchange has answered.

Only ranges that are named from their first to their last moment: anything else may end with a candle that is open.
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
    """What is asked: candles that open from `first` to `last`, both included, but not more than `limit`."""

    series: Series
    first: int
    last: int
    limit: int


def range_of(market: Market, method: str, query: Query) -> Range | None:
    """The range that a request names; None for any other request.  Its parameters were checked but for their size."""
    if method not in ("klines", "continuousKlines") or not query.keys() <= _ASKED:
        return None
    if "startTime" not in query or "endTime" not in query:
        return None
    start, end, limit = int(query["startTime"]), int(query["endTime"]), int(query.get("limit", KLINES_DEFAULT))
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
    return Range(series, first, last, limit) if first <= last else None


class Closed:
    """Closed candles for the relay."""

    def __init__(self, candles: Candles, times: Times) -> None:
        self._candles = candles
        self._times = times

    async def answer(self, asked: Range) -> bytes | None:
        """The body of the exchange's answer; None where it is not known that the store has all of it."""
        if not self._is_over(asked):
            return None
        newest = asked.series.market is Market.COINM  # of more candles than it may tell it tells the last ones
        rows = await self._candles.whole(asked.series, asked.first, asked.last, asked.limit, newest=newest)
        return None if rows is None else _encode(rows)

    async def keep(self, asked: Range, body: bytes, now_ms: int) -> None:
        """Keep what the exchange answered to a question that was asked at `now_ms` by its clock."""
        if not self._is_over(asked):
            return
        try:
            rows = read(body, asked.first, asked.last)
        except ExchangeUnavailable:
            return  # whoever asked sees it
        first, until = asked.first, asked.last
        if len(rows) >= asked.limit and asked.series.market is Market.COINM:
            first = rows[0].t
        elif len(rows) >= asked.limit:
            until = rows[-1].t
        await self._candles.keep(asked.series, rows, first, until, now_ms)

    def now_ms(self, market: Market) -> int:
        """The exchange's time."""
        return self._times.now_ms(market)

    def _is_over(self, asked: Range) -> bool:
        now = self._times.now_ms(asked.series.market)
        return asked.last <= coverage.last_over(asked.series.interval, now - coverage.SETTLED_MS)
