"""What of a series is not in the store, and how its keys follow one another.  Pure.

Keys are the opening times of candles (milliseconds since 1970) and the ids of trades; see `fsnats.store`.
"""

from collections.abc import Iterable

from fsnats.candles import calendar
from fsnats.store import Series, Span


def after(series: Series, key: int) -> int:
    """The key behind a key: the opening of the next candle, or the next id."""
    return calendar.following(series.interval, key) if series.interval else key + 1


def before(series: Series, key: int) -> int:
    """The key in front of a key."""
    return calendar.preceding(series.interval, key) if series.interval else key - 1


def openings(series: Series, from_ms: int, to_ms: int) -> Span | None:
    """The first and the last candle that open from one time on and before another; None where none does."""
    span = Span(calendar.opening(series.interval, from_ms), before(series, to_ms))
    return span if span.first <= span.last else None


def count(series: Series, span: Span) -> int:
    """How many keys a span of them has."""
    if not series.interval:
        return span.last - span.first + 1
    return calendar.counted(series.interval, span.first, span.last)


def further(series: Series, key: int, keys: int) -> int:
    """The key that comes so many keys later."""
    if not series.interval:
        return key + keys
    return calendar.moved(series.interval, key, keys)


def holes(series: Series, spans: Iterable[Span], wanted: Span) -> list[Span]:
    """The parts of what is wanted that no span covers, in order.  `wanted` begins and ends with keys of the series."""
    left, at = [], wanted.first
    for span in sorted(spans):
        if span.last < at:
            continue
        if span.first > wanted.last:
            break
        if span.first > at:
            left.append(Span(at, before(series, span.first)))
        at = after(series, span.last)
    if at <= wanted.last:
        left.append(Span(at, wanted.last))
    return left
