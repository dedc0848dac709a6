"""Where something begins at the exchange: found by asking, not by paging through emptiness."""

import msgspec

from fsnats.backfill.asking import Asking, Refusal
from fsnats.backfill.pages import COINM_RANGE, klines, query, trades
from fsnats.binance.limits import HISTORY_ROWS
from fsnats.binance.streams import Market
from fsnats.candles.calendar import DAY, LENGTHS, counted, opening, preceding, span
from fsnats.errors import UNREADABLE, ExchangeUnavailable
from fsnats.store import RawAggTrade, Series, Span

_TOO_OLD = -4166  # the exchange's code: USD-M finds trades by time within the last 48 hours only
_EARLIEST = 1_483_228_800_000  # 2017-01-01: Binance opened in July of that year


async def candle_from(asking: Asking, series: Series, at_ms: int, now_ms: int) -> int | None:
    """The opening of the first candle that opens at a time or later, which may be open still; None where none does.

    Raises what `Asking.get` does.
    """
    at_ms = max(at_ms, _EARLIEST)
    if series.market is not Market.COINM:
        return await _opening(asking, series, startTime=at_ms, limit=1)
    # COIN-M answers for 200 days at most, and with the newest rows of them: look for the day, then into it.
    days = msgspec.structs.replace(series, interval="1d")
    if LENGTHS.get(series.interval, DAY + 1) >= DAY:
        days = series
    start = span(days.interval, at_ms)[0]
    while start <= now_ms:
        end = start + COINM_RANGE
        for day in await _openings(asking, days, startTime=start, endTime=end, limit=COINM_RANGE // DAY + 1):
            found = day if days is series and day >= at_ms else None
            if days is not series:
                first, last = opening(series.interval, max(day, at_ms)), preceding(series.interval, day + DAY)
                rows = counted(series.interval, first, last)
                inside = {"startTime": first, "endTime": last, "limit": rows}
                found = await _opening(asking, series, **inside) if rows else None
            if found is not None:
                return found
        start = end
    return None


async def _opening(asking: Asking, series: Series, **parameters: int) -> int | None:
    return next(iter(await _openings(asking, series, **parameters)), None)


async def _openings(asking: Asking, series: Series, **parameters: int) -> list[int]:
    body = await asking.get(series.market, *query(series, **parameters))
    try:
        return [row.start_time for row in klines(series, body)]
    except UNREADABLE as error:
        raise ExchangeUnavailable("json", f"the exchange did not answer with candles: {error}") from error


async def newest_trade(asking: Asking, series: Series) -> RawAggTrade | None:
    """The newest aggregated trade; None where there never was one.  Raises what `Asking.get` does."""
    rows = await _trades(asking, series, limit=1)
    return rows[-1] if rows else None


async def trade_from(asking: Asking, series: Series, at_ms: int) -> int | None:
    """The id of the first aggregated trade at a time or later; None where there is none yet.

    Where the exchange does not search that far back, it is found by ids.  Raises what `Asking.get` does.
    """
    try:
        rows = await _trades(asking, series, startTime=max(at_ms, _EARLIEST), limit=1)
    except Refusal as refusal:
        if refusal.code != _TOO_OLD:
            raise
        return await _by_ids(asking, series, at_ms)
    return rows[0].agg_id if rows else None


async def trades_between(asking: Asking, series: Series, from_ms: int, to_ms: int) -> Span | None:
    """The ids of the aggregated trades from one time on and before another; None where there are none.

    Raises what `Asking.get` does.
    """
    first = await trade_from(asking, series, from_ms)
    if first is None:
        return None
    behind = await trade_from(asking, series, to_ms)
    if behind is None:
        newest = await newest_trade(asking, series)
        behind = newest.agg_id + 1 if newest is not None else first
    return Span(first, behind - 1) if first < behind else None


async def _by_ids(asking: Asking, series: Series, at_ms: int) -> int | None:
    newest = await newest_trade(asking, series)
    if newest is None or newest.trade_time < at_ms:
        return None
    oldest = (await _trades(asking, series, fromId=0, limit=1))[:1]
    if not oldest or oldest[0].trade_time >= at_ms:
        return oldest[0].agg_id if oldest else None
    low, found = oldest[0], newest  # the one is before the time, the other at it or later
    before = found.agg_id  # what is looked for is `found`, or lies between `low` and this id
    by_time = True
    while before - low.agg_id > 1:
        guess = _guess(low, found, before, at_ms if by_time else None)
        by_time = not by_time  # where trades come in bursts, halving finds what proportions do not
        rows = await _trades(asking, series, fromId=guess, limit=HISTORY_ROWS)
        earlier = [row for row in rows if row.trade_time < at_ms]
        later = [row for row in rows if row.trade_time >= at_ms]
        if earlier and later:
            return later[0].agg_id
        if earlier:
            low = earlier[-1]
        else:
            before, found = guess, later[0] if later else found
    return found.agg_id


def _guess(low: RawAggTrade, found: RawAggTrade, before: int, at_ms: int | None) -> int:
    """An id between two, from which on a page might hold the time; halfway where no time is given."""
    part = 0.5 if at_ms is None else (at_ms - low.trade_time) / max(1, found.trade_time - low.trade_time)
    middle = low.agg_id + round((before - low.agg_id) * part) - HISTORY_ROWS // 2
    return min(max(middle, low.agg_id + 1), before - 1)


async def _trades(asking: Asking, series: Series, **parameters: int) -> list[RawAggTrade]:
    body = await asking.get(series.market, *query(series, **parameters))
    try:
        return trades(series, body)
    except UNREADABLE as error:
        raise ExchangeUnavailable("json", f"the exchange did not answer with trades: {error}") from error
