"""Which holes between what is stored are to be filled from REST.  Pure."""

from collections.abc import Collection, Mapping, Sequence

from fsnats.backfill.filler import Want
from fsnats.backfill.keys import count
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

    def asked(self, wants: Collection[Want]) -> None:
        """The exchange gave what it has of these: what is left of them it does not have."""
        self._in_vain |= {(want.series, want.span) for want in wants}
