"""What of a range is in the store, what the exchange does not have, and what is not known: looked at row by row."""

from collections.abc import AsyncIterator

import msgspec

from fsnats.backfill.keys import after, before
from fsnats.store import Series, Span, Store
from fsnats.store.spans import missing, steps

_PAGE = 5000  # rows that are in memory at once


class Continuity(msgspec.Struct, frozen=True):
    """`rows` are there from `first` to `last` (None: none at all), open candles not counted; the exchange has nothing
    at the `absent` keys, and what it has at the `unknown` ones is not in the store."""

    series: Series
    span: Span
    rows: int
    first: int | None
    last: int | None
    absent: list[Span]
    unknown: list[Span]


async def look(store: Store, series: Series, span: Span) -> Continuity:
    """Look at every row of a range.  Raises StoreUnavailable."""
    gaps: list[Span] = []
    rows, first, last, expected = 0, None, None, span.first
    async for key in _keys(store, series, span):
        if key > expected:
            gaps.append(Span(expected, before(series, key)))
        first = key if first is None else first
        rows, last, expected = rows + 1, key, after(series, key)
    if expected <= span.last:
        gaps.append(Span(expected, span.last))
    spans, step = await store.spans(series), steps(series)
    unknown = [part for gap in gaps for part in missing(spans, gap, step)]
    absent = [part for gap in gaps for part in missing(unknown, gap, step)]
    return Continuity(series, span, rows, first, last, absent, unknown)


async def _keys(store: Store, series: Series, span: Span) -> AsyncIterator[int]:
    first = span.first
    while True:
        if series.interval:
            candles = await store.klines(series, first, span.last, _PAGE)
            keys, length = [row.start_time for row in candles if row.is_closed], len(candles)
            newest = candles[-1].start_time if candles else 0
        else:
            trades = await store.trades(series, first, span.last, _PAGE)
            keys, length = [row.agg_id for row in trades], len(trades)
            newest = trades[-1].agg_id if trades else 0
        for key in keys:
            yield key
        if length < _PAGE:
            return
        first = newest + 1
