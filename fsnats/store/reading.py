"""What the store has of a range, page by page, and of what it is not known that everything is there.

Candles of an interval that is not stored at all are made of stored 1m where there are any.
"""

from collections.abc import AsyncIterator

import msgspec

from fsnats.binance.rows import Candle
from fsnats.candles.calendar import fills, following, moved, opening, span
from fsnats.history import Missing
from fsnats.store import RawAggTrade, Series, Span, Store
from fsnats.store.forms import AggTrade, agg_trade_of, row_of
from fsnats.store.made import made
from fsnats.store.spans import missing, steps, union

MINUTES = "1m"
_EVER = 2**62


async def source_of(store: Store, series: Series) -> Series:
    """The series that candles come from: itself, or 1m where nothing is stored of it but of that."""
    minutes = msgspec.structs.replace(series, interval=MINUTES)
    if not fills(MINUTES, series.interval) or await _has(store, series) or not await _has(store, minutes):
        return series
    return minutes


async def _has(store: Store, series: Series) -> bool:
    return bool(await store.spans(series)) or bool(await store.klines(series, 0, _EVER, 1))


async def candles(store: Store, series: Series, first: int, last: int, limit: int) -> tuple[list[Candle], int | None]:
    """The first closed candles that open between two times, perhaps fewer than `limit`, and from which opening on to
    ask for more; None: that was all.  Raises StoreUnavailable."""
    return await _page(store, series, await source_of(store, series), first, last, limit)


async def _page(
    store: Store, series: Series, source: Series, first: int, last: int, limit: int
) -> tuple[list[Candle], int | None]:
    if source == series:
        rows = await store.klines(series, first, last, limit)
        goes_on = rows[-1].start_time + 1 if len(rows) == limit and rows[-1].start_time < last else None
        return [row_of(row) for row in rows if row.is_closed], goes_on
    stop = moved(series.interval, opening(series.interval, first), limit)
    whole = [one async for one in made(store, source, series.interval, first, min(last, stop - 1)) if one.whole]
    return [one.candle.row() for one in whole if one.candle is not None], stop if stop <= last else None


async def unknown_candles(store: Store, series: Series, first: int, last: int) -> list[Missing]:
    """Of which openings between two times it is not known that everything is there.  Raises StoreUnavailable."""
    interval = series.interval
    first, last = opening(interval, first), span(interval, last)[0]
    if first > last:
        return []
    source = await source_of(store, series)
    wanted = Span(first, last if source == series else following(interval, last) - 60_000)
    gaps = missing(await store.spans(source), wanted, steps(source))
    touched = [Span(span(interval, one.first)[0], span(interval, one.last)[0]) for one in gaps]
    return [Missing(one.first, one.last) for one in union(touched, steps(series))]


async def pages_of_candles(
    store: Store, series: Series, first: int, last: int, page: int = 5000
) -> AsyncIterator[list[Candle]]:
    """The closed candles that open between two times, both included.  Raises StoreUnavailable."""
    source = await source_of(store, series)
    place: int | None = first
    while place is not None:
        rows, place = await _page(store, series, source, place, last, page)
        yield rows


async def pages_of_trades(
    store: Store, series: Series, start: int, end: int, page: int = 5000
) -> AsyncIterator[list[AggTrade]]:
    """The trades between two times, both included.  Raises StoreUnavailable."""
    first = await store.trade_at(series, start)
    key = first.agg_id if first is not None else None
    while key is not None:
        rows = await store.trades(series, key, _EVER, page)
        key = rows[-1].agg_id + 1 if len(rows) == page and rows[-1].trade_time <= end else None
        yield [agg_trade_of(row) for row in rows if row.trade_time <= end]


async def first_trade(store: Store, series: Series, start: int) -> RawAggTrade | None:
    """The first trade at a time or after it, if it is known for sure that there is none before it."""
    before, first = await store.trade_at(series, start, before=True), await store.trade_at(series, start)
    if first is None:
        return None
    held = next((one for one in await store.spans(series) if one.first <= first.agg_id <= one.last), None)
    if held is None:
        return None
    return first if held.first == 0 or (before is not None and held.first <= before.agg_id) else None


async def unknown_trades(store: Store, series: Series, start: int, end: int) -> list[Missing]:
    """Of which times and ids between two times it is not known that everything is there.  Raises StoreUnavailable."""
    first, last = await store.trade_at(series, start), await store.trade_at(series, end + 1, before=True)
    if first is None or last is None or first.trade_time > end:
        return [Missing(start, end)]
    spans = await store.spans(series)
    gaps = missing(spans, Span(first.agg_id, last.agg_id), steps(series))
    unknown = [Missing(one.first, one.last, "a") for one in gaps]
    if await first_trade(store, series, start) is None:
        unknown.insert(0, Missing(start, first.trade_time))
    beyond = await store.trade_at(series, end + 1)
    if beyond is None or not any(one.first <= last.agg_id and beyond.agg_id <= one.last for one in spans):
        unknown.append(Missing(last.trade_time, end))
    return unknown
