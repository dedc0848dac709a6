"""What is known to be complete: spans of keys, joined and taken from one another.  Pure."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from fsnats.candles.calendar import following, preceding
from fsnats.store import Series, Span


class Steps(NamedTuple):
    """Which key comes after another one, and which before it."""

    after: Callable[[int], int]
    before: Callable[[int], int]


def steps(series: Series) -> Steps:
    """The keys of a series: ids of trades follow one another, candles open when the one before is over.

    Raises Unusable for candles of an interval that Binance does not have.
    """
    if series.kind == "aggTrade":
        return Steps(lambda key: key + 1, lambda key: key - 1)
    following(series.interval, 0)
    return Steps(partial(following, series.interval), partial(preceding, series.interval))


def union(spans: Iterable[Span], steps: Steps) -> list[Span]:
    """The same keys in as few spans as can be, in order."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.first <= steps.after(joined[-1].last):
            if span.last > joined[-1].last:
                joined[-1] = Span(joined[-1].first, span.last)
        else:
            joined.append(span)
    return joined


def missing(spans: Iterable[Span], wanted: Span, steps: Steps) -> list[Span]:
    """What of the wanted keys no span has, in order."""
    gaps: list[Span] = []
    first = wanted.first
    for span in union(spans, steps):
        if span.last < first:
            continue
        if span.first > wanted.last:
            break
        if span.first > first:
            gaps.append(Span(first, steps.before(span.first)))
        first = steps.after(span.last)
    if first <= wanted.last:
        gaps.append(Span(first, wanted.last))
    return gaps


class Changes(NamedTuple):
    """What becomes of the spans of a series: those with these beginnings go, and these come in their place."""

    gone: list[int]
    new: list[Span]


def touching(covered: list[Span], steps: Steps) -> Span:
    """The keys in which spans lie that new ones, in order, may be joined with."""
    return Span(steps.before(covered[0].first), steps.after(covered[-1].last))


def changes(there: list[Span], covered: list[Span], steps: Steps) -> Changes:
    """What new spans do to those that they may touch."""
    joined = union([*there, *covered], steps)
    firsts, known = {span.first for span in joined}, set(there)
    return Changes(
        [span.first for span in there if span.first not in firsts], [span for span in joined if span not in known]
    )
