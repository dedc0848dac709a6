"""Which strand brings messages first, and by how much the others are late.  Pure: times are those of reading.

One of SAMPLE messages of a stream is remembered until another strand brings it, one at a time.
"""

from collections.abc import Collection

import msgspec

from workers.ingest.line import Line

SAMPLE = 8  # messages
FORGET_NS = 30 * 10**9  # after which a message that no other strand brought is no longer waited for


class Tally:
    """How the connections of one strand do against those of the others, while others carry too."""

    def __init__(self) -> None:
        self.first = 0  # messages that they brought before the others
        self.compared = 0  # messages that they brought after another, of those that were timed
        self._late_ns = 0
        self.late_max_ns = 0

    def late(self, by_ns: int) -> None:
        """A message came so much later than over another strand."""
        self.compared += 1
        self._late_ns += by_ns
        self.late_max_ns = max(self.late_max_ns, by_ns)

    @property
    def late_mean_ns(self) -> float:
        """How much later, on the average of those that were timed."""
        return self._late_ns / self.compared if self.compared else 0.0


class _Sample(msgspec.Struct, eq=False):
    payload: bytes
    received_ns: int
    tally: Tally


class Timing:
    """The messages that are being timed."""

    def __init__(self) -> None:
        self._samples: dict[Line, _Sample] = {}

    def first(self, line: Line, payload: bytes, received_ns: int, tally: Tally) -> None:
        """A strand brought a message that was published."""
        tally.first += 1
        if line.seq % SAMPLE == 1:
            sample = self._samples.get(line)
            if sample is None or received_ns - sample.received_ns > FORGET_NS:
                self._samples[line] = _Sample(payload, received_ns, tally)

    def again(self, line: Line, payload: bytes, received_ns: int, tally: Tally) -> None:
        """A strand brought what had been published."""
        sample = self._samples.get(line)
        if sample is not None and sample.tally is not tally and sample.payload == payload:
            del self._samples[line]
            tally.late(max(0, received_ns - sample.received_ns))

    def keep(self, lines: Collection[Line]) -> None:
        """Wait only for messages of these."""
        self._samples = {line: sample for line, sample in self._samples.items() if line in lines}
