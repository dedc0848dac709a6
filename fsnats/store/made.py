"""Candles of a longer interval, made on reading of the shorter ones or of the trades that are in the store."""

from collections.abc import AsyncIterator, Iterable, Iterator

import msgspec

from fsnats.candles import candle as candles
from fsnats.candles.calendar import following, length_of, opening, span
from fsnats.candles.candle import Candle, number
from fsnats.candles.live import Live
from fsnats.candles.sums import joined
from fsnats.candles.trades import Trade, TradeCandles
from fsnats.store import KlineData, RawAggTrade, Series, Span, Store, Stretch
from fsnats.store.forms import row_of

_PAGE = 5000  # rows that are in memory at once
_PAYS = 10  # shorter candles in a longer one, from which on asking for the sum is less work than reading them
_ASKED = 100  # candles that the database is asked to add up at once


class Made(msgspec.Struct, frozen=True):
    """A candle from `open_ms` up to but without `stop_ms`, as far as the store knows it.

    `missing` are the stretches of it of which not everything is in the store; `candle` does not count what was traded
    in them, and is None where nothing is known.
    """

    open_ms: int
    stop_ms: int
    candle: Candle | None
    missing: tuple[Stretch, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it is the exchange's own candle."""
        return self.candle is not None and not self.missing


async def made(store: Store, series: Series, interval: str, first: int, last: int) -> AsyncIterator[Made]:
    """Candles of `interval` that open between two times, both included, made of the closed ones of `series`.

    In order.  A shorter candle that is not there but lies in one of the store's spans is one that the exchange does not
    have: it is not missing, and a candle all of whose parts the exchange does not have is left out.

    Raises Unusable where candles of `series` do not fill those of `interval`, and StoreUnavailable.
    """
    Live(series.interval, interval)  # refuses what does not fill
    covered = list(_times(series, await store.spans(series)))
    at, end = opening(interval, first), span(interval, last)[1]
    rest = at  # up to where all is told
    async for start, candle in _whole(store, series, interval, at, end):
        if start > rest:
            async for one in _added(store, series, interval, (rest, start), covered):
                yield one
        rest = candle.stop_ms
        yield Made(start, rest, candle)
    if end > rest:
        async for one in _added(store, series, interval, (rest, end), covered):
            yield one


async def _whole(
    store: Store, series: Series, interval: str, first: int, end: int
) -> AsyncIterator[tuple[int, Candle]]:
    """Those candles that the database itself adds up: a fifth of the work of reading what long ones are made of."""
    if span(interval, first)[1] - span(interval, first)[0] < _PAYS * length_of(series.interval):
        return
    oldest = await store.klines(series, first, end - 1, 1)
    newest = await store.klines(series, first, end - 1, 1, newest=True)
    at = span(interval, oldest[0].start_time)[0] if oldest else end
    stop = span(interval, newest[0].start_time)[1] if newest else end
    while at < stop:
        asked: list[Stretch] = []
        while at < stop and len(asked) < _ASKED:
            asked.append(span(interval, at))
            at = asked[-1][1]
        for (start, _), candle in zip(asked, await store.whole(series, asked), strict=True):
            if candle is not None:
                yield start, candle


async def _added(
    store: Store, series: Series, interval: str, stretch: Stretch, covered: list[Stretch]
) -> AsyncIterator[Made]:
    live = Live(series.interval, interval)
    at, end = stretch
    stop = reached = at  # where the candle in the making ends, and the last piece
    async for piece in closed_candles(store, series, at, end - 1):
        if piece.open_ms >= stop:
            opens = span(interval, piece.open_ms)[0]
            known = live.newest if stop > at else None
            while at < opens:
                for one in _told(at, interval, known, reached, covered):
                    yield one
                known, at = None, following(interval, at)
            stop = following(interval, at)
        live.feed(piece)
        reached = piece.stop_ms
    known = live.newest if stop > at else None
    while at < end:
        for one in _told(at, interval, known, reached, covered):
            yield one
        known, at = None, following(interval, at)


def _told(at: int, interval: str, known: Candle | None, reached: int, covered: list[Stretch]) -> Iterator[Made]:
    stop = following(interval, at)
    unknown = [(at, stop)] if known is None else [*known.missing, (reached, stop)]
    missing = _without(unknown, covered)
    if known is not None:
        closed = not missing or missing[-1][1] < stop
        yield Made(at, stop, msgspec.structs.replace(known, closed=closed, missing=missing), missing)
    elif missing:
        yield Made(at, stop, None, missing)


async def closed_candles(store: Store, series: Series, first: int, last: int) -> AsyncIterator[Candle]:
    """The closed candles of a series that open between two times, both included."""
    while True:
        rows = await store.klines(series, first, last, _PAGE)
        for row in rows:
            if row.is_closed:
                yield candle_of(row)
        if len(rows) < _PAGE:
            return
        first = rows[-1].start_time + 1


async def made_of_trades(store: Store, series: Series, interval: str, first: int, last: int) -> AsyncIterator[Candle]:
    """Candles of `interval` that open between two times, both included, made of the aggregated trades of `series`.

    In order; each says itself what is missing in it.  The last one is there when the store has a trade behind it.
    Raises Unusable for COIN-M and for trades whose times go back, and StoreUnavailable.
    """
    making = TradeCandles(series.market, interval)
    earlier = await store.trade_at(series, first, before=True)
    begin = earlier or await store.trade_at(series, first)
    key = begin.agg_id if begin is not None else 0
    while begin is not None:
        rows = await store.trades(series, key, 2**62, _PAGE)
        for row in rows:
            for candle in making.feed(trade_of(row)):
                if first <= candle.open_ms <= last:
                    yield candle
                elif candle.open_ms > last:
                    return
        if len(rows) < _PAGE:
            return
        key = rows[-1].agg_id + 1


def candle_of(row: KlineData) -> Candle:
    """A row of the store with exact numbers.  Raises Unusable for what is no number."""
    made = candles.of_row(row_of(row), closed=row.is_closed)
    return msgspec.structs.replace(made, first_id=row.first_trade_id, last_id=row.last_trade_id)


def trade_of(row: RawAggTrade) -> Trade:
    """A trade of the store with exact numbers.  Raises Unusable for what is no number."""
    return Trade(
        number(row.price),
        number(row.quantity),
        row.first_trade_id,
        row.last_trade_id,
        row.trade_time,
        row.is_buyer_maker,
    )


def _times(series: Series, spans: Iterable[Span]) -> Iterator[Stretch]:
    for one in spans:
        yield one.first, following(series.interval, one.last)


def _without(stretches: Iterable[Stretch], covered: Iterable[Stretch]) -> tuple[Stretch, ...]:
    left = list(stretches)
    for start, stop in covered:
        left = [part for a, b in left for part in ((a, min(b, start)), (max(a, stop), b)) if part[0] < part[1]]
    return joined(part for part in left if part[0] < part[1])
