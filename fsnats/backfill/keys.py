"""How the keys of a series follow one another, and which ones a range of time means.  Pure.

Keys are the opening times of candles (milliseconds since 1970) and the ids of trades; see `fsnats.store`.
"""

from fsnats.candles import calendar
from fsnats.store import Series, Span

SETTLED = 10 * calendar.SECOND  # milliseconds after its end in which REST may still change a candle, or not have it


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


def settled(series: Series, from_ms: int, to_ms: int, now_ms: int) -> Span | None:
    """The same, of those candles that are over for so long that REST has the last word on them."""
    return openings(series, from_ms, min(to_ms, calendar.span(series.interval, now_ms - SETTLED)[0]))


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
