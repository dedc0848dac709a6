"""Compares the candles that the store has, or from which it can make some, with the exchange's own."""

from collections.abc import Callable, Mapping

import msgspec

from fsnats.backfill.asking import Asking, Refusal
from fsnats.backfill.comparison import Difference, differences
from fsnats.backfill.keys import after
from fsnats.backfill.pages import klines, pages, request
from fsnats.binance.streams import Market
from fsnats.candles.calendar import fills
from fsnats.candles.candle import Candle
from fsnats.errors import UNREADABLE, ExchangeUnavailable, Unusable
from fsnats.store import Series, Span, Store
from fsnats.store.made import candle_of, made, made_of_trades

LOWER = "1m"  # of which longer candles are made

Found = Mapping[int, Candle | None]
"""Candles of a page by their opening: None is one that is known not to be; of what is left out nothing is known."""


class Verdict(msgspec.Struct):
    """What came of one series in one way: `stored` itself, made of `1m`, or made of `trades`."""

    series: Series
    way: str
    compared: int = 0
    refused: str = ""  # why there is no more of it
    unknown: int = 0  # candles of the exchange of which the store does not know everything
    differences: list[Difference] = []


async def ways(store: Store, series: Series) -> list[str]:
    """In which ways the store knows candles of a series.  Raises StoreUnavailable."""
    there = set(await store.series(series.market))
    known = ["stored"] if series in there else []
    if fills(LOWER, series.interval) and _lower(series) in there:
        known.append(LOWER)
    # COIN-M's trades do not tell what its candles count; continuous candles have no trades of their own.
    if series.kind == "kline" and series.market is not Market.COINM and _trades(series) in there:
        known.append("trades")
    return known


async def verify(
    store: Store, asking: Asking, series: Series, span: Span, told: Callable[[int], None]
) -> list[Verdict]:
    """Compare the candles that open in a span, in each way in which the store knows them; `told` hears of so many that
    are done.

    Where the exchange refuses to say, or no candles can be made of the trades, the verdict tells it.  Raises
    StoreUnavailable, and what else `Asking.get` does.
    """
    verdicts = [Verdict(series, way) for way in await ways(store, series)]
    for page in pages(series, span) if verdicts else ():
        try:
            body = await asking.get(series.market, *request(series, page))
        except Refusal as refusal:
            for verdict in verdicts:
                verdict.refused = str(refusal)
            break
        try:
            theirs = {row.start_time: candle_of(row) for row in klines(series, body)}
        except UNREADABLE as error:
            raise ExchangeUnavailable("json", f"the exchange did not answer with candles: {error}") from error
        for verdict in verdicts:
            try:
                if not verdict.refused:
                    compare(verdict, await _found(store, series, verdict.way, page.span), theirs)
            except Unusable as error:
                verdict.refused = str(error)
        told(page.keys)
    return verdicts


def compare(verdict: Verdict, ours: Found, theirs: Mapping[int, Candle]) -> None:
    """Add a page to a verdict.  What the store knows nothing of is not taken for a difference."""
    for open_ms in sorted(ours.keys() | theirs.keys()):
        if open_ms not in ours:
            verdict.unknown += 1
            continue
        if ours[open_ms] is not None or open_ms in theirs:
            verdict.compared += 1
            verdict.differences += differences(open_ms, ours[open_ms], theirs.get(open_ms))


async def _found(store: Store, series: Series, way: str, span: Span) -> Found:
    match way:
        case "stored":
            return await _stored(store, series, span)
        case "trades":
            candles = made_of_trades(store, _trades(series), series.interval, span.first, span.last)
            return {candle.open_ms: candle async for candle in candles if candle.whole}
    found: dict[int, Candle | None] = dict.fromkeys(_openings(series, span))
    async for one in made(store, _lower(series), series.interval, span.first, span.last):
        if one.whole:
            found[one.open_ms] = one.candle
        else:
            del found[one.open_ms]
    return found


async def _stored(store: Store, series: Series, span: Span) -> Found:
    spans = await store.spans(series)
    found: dict[int, Candle | None] = {
        at: None for at in _openings(series, span) if any(one.first <= at <= one.last for one in spans)
    }
    for row in await store.klines(series, span.first, span.last, 2**31):
        if row.is_closed:
            found[row.start_time] = candle_of(row)
    return found


def _openings(series: Series, span: Span) -> list[int]:
    openings, at = [], span.first
    while at <= span.last:
        openings.append(at)
        at = after(series, at)
    return openings


def _lower(series: Series) -> Series:
    return msgspec.structs.replace(series, interval=LOWER)


def _trades(series: Series) -> Series:
    return Series(series.market, "aggTrade", series.name)
