"""How values are spread: buckets as Prometheus has them, and what of it is recent.  Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

import msgspec

from fsnats.metrics.family import Metric, Sample

# Seconds.  From what a socket costs on one machine to what nobody waits for.
BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Spread(msgspec.Struct, frozen=True):
    """Where half of the recent values and where 99 of 100 are below, in milliseconds, and of how many that is said.

    Estimates, as good as the buckets are narrow; None where there was no value.
    """

    p50: float | None
    p99: float | None
    count: int


class Histogram:
    """Counts values.  `turn` is to be called every now and then: between one and two turns are recent."""

    __slots__ = ("_before", "_bounds", "_counts", "_earlier", "_sum")

    def __init__(self, bounds: Sequence[float] = BOUNDS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._before = self._earlier = list(self._counts)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value; what is less than nothing, as clocks have it, is nothing."""
        if value < 0.0:
            value = 0.0
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def turn(self) -> None:
        """What was counted up to the turn before is recent no more."""
        self._earlier, self._before = self._before, list(self._counts)

    def recent(self) -> Spread:
        """Of the values since the turn before the last."""
        counts = [now - then for now, then in zip(self._counts, self._earlier, strict=True)]
        return Spread(_below(0.5, counts, self._bounds), _below(0.99, counts, self._bounds), sum(counts))

    def samples(self, metric: Metric, *labels: str) -> list[Sample]:
        """All that was counted, as Prometheus wants it: in each bucket those of the smaller ones too."""
        own = dict(zip(metric.labels, labels, strict=True))
        bounds = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        below = list(accumulate(self._counts))
        buckets = [Sample({**own, "le": bound}, count, "_bucket") for bound, count in zip(bounds, below, strict=True)]
        return [*buckets, Sample(own, self._sum, "_sum"), Sample(own, below[-1], "_count")]


def _below(part: float, counts: Sequence[int], bounds: Sequence[float]) -> float | None:
    """Milliseconds that this part of the values does not exceed, as if they lay evenly in their bucket."""
    wanted = part * sum(counts)
    if not wanted:
        return None
    lower, passed = 0.0, 0
    for bound, count in zip(bounds, counts, strict=False):
        if passed + count >= wanted:
            return round((lower + (bound - lower) * (wanted - passed) / count) * 1000, 3)
        lower, passed = bound, passed + count
    return bounds[-1] * 1000  # at least
