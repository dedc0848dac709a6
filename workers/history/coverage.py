"""What of a range is known to be complete, and what is to be asked of the exchange.  Pure.

Keys are opening times of candles, or ids of trades; spans are in order and do not touch.
"""

from bisect import bisect_right
from collections.abc import Sequence

from fsnats.candles.calendar import HOUR, SECOND, preceding, span
from fsnats.store import Span

SETTLED_MS = 10 * SECOND  # after its end REST may still change a candle
ABSENT_MS = HOUR  # a candle that REST does not have may still come for so long: ours, cautious


def at(spans: Sequence[Span], key: int) -> Span | None:
    """The span that holds a key."""
    place = bisect_right(spans, key, key=lambda one: one.first)
    return spans[place - 1] if place and spans[place - 1].last >= key else None


def after(spans: Sequence[Span], key: int) -> Span | None:
    """The first span that begins after a key."""
    place = bisect_right(spans, key, key=lambda one: one.first)
    return spans[place] if place < len(spans) else None


def before(spans: Sequence[Span], key: int) -> Span | None:
    """The last span that ends before a key."""
    place = bisect_right(spans, key, key=lambda one: one.first)
    return next((one for one in reversed(spans[:place]) if one.last < key), None)


def last_over(interval: str, moment_ms: int) -> int:
    """The opening of the last candle that is over at a moment."""
    return preceding(interval, span(interval, moment_ms)[0])


def proved(interval: str, first: int, until: int, newest: int | None, now_ms: int) -> Span | None:
    """What an answer of REST proves to be complete for ever.

    It was asked for the openings `first` to `until`; the last candle that came opens at `newest`, None if none came.
    """
    last = min(until, last_over(interval, now_ms - ABSENT_MS))
    if newest is not None:
        last = max(last, min(newest, last_over(interval, now_ms - SETTLED_MS)))
    return Span(first, last) if first <= last else None
