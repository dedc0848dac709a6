"""Which holes between what is stored are to be filled from REST.  Pure."""

from collections.abc import Collection, Mapping, Sequence

from fsnats.backfill.filler import Want
from fsnats.backfill.keys import after, count, settled
from fsnats.store import Series, Span
from fsnats.store.spans import missing, steps

KEYS_MOST = 1_000_000  # of one hole; more is for `fsnats backfill`: a thousand requests for trades take many minutes


class Holes:
    """Tell `look` what is known to be complete, every now and then.

    A hole is wanted when it was there the time before, too: what a worker missed it may still bring by itself.  One
    that was asked for in vain is not wanted again.
    """

    def __init__(self) -> None:
        self._before: set[tuple[Series, Span]] = set()
        self._in_vain: set[tuple[Series, Span]] = set()
        self.open = 0
        self.too_large = 0

    @property
    def in_vain(self) -> int:
        """How many were asked for and are still there."""
        return len(self._in_vain)

    def look(self, known: Mapping[Series, Sequence[Span]]) -> list[Want]:
        """What is to be filled now: all that is missing between the first and the last span of each series."""
        found = {
            (series, hole)
            for series, spans in known.items()
            if len(spans) > 1
            for hole in missing(spans, Span(spans[0].first, spans[-1].last), steps(series))
        }
        self.open = len(found)
        large = {(series, hole) for series, hole in found if count(series, hole) > KEYS_MOST}
        self.too_large = len(large)
        wanted = (found & self._before) - self._in_vain - large
        self._before = found
        self._in_vain &= found
        return [Want(series, hole) for series, hole in sorted(wanted)]

    def begin(self, known: Mapping[Series, Sequence[Span]], now_ms: int) -> list[Want]:
        """What is to be filled when a recorder starts: candles that were over while none ran.

        No hole shows before the next one closes, which of days takes a day.  (The next trade is never far.)
        """
        behind = {
            series: settled(series, after(series, spans[-1].last), now_ms, now_ms)
            for series, spans in known.items()
            if spans and series.interval
        }
        return [
            Want(series, span)
            for series, span in sorted(behind.items())
            if span is not None and count(series, span) <= KEYS_MOST
        ]

    def asked(self, wants: Collection[Want]) -> None:
        """The exchange gave what it has of these: what is left of them it does not have."""
        self._in_vain |= {(want.series, want.span) for want in wants}
