"""How long to wait before the next try.  Randomness is passed in, time is the caller's."""

import math
from collections.abc import Callable


class Backoff:
    """Doubling delays with jitter, from `first` to `most` seconds.

    It starts over only when `healthy()` is called: after health, not after a handshake.  A server that accepts and
    closes at once would otherwise be dialled hundreds of times a second.
    """

    def __init__(self, first: float, most: float, jitter: Callable[[], float]) -> None:
        """`jitter` returns a number in [0, 1); half of each delay is drawn from it."""
        self._first = first
        self._most = most
        self._jitter = jitter
        self.failures = 0

    def next_delay(self) -> float:
        """Count one more failure and return the seconds to wait: between half of the doubled delay and all of it."""
        # The exponent is capped so that a fleet that fails for a year does not overflow a float.
        doublings = min(self.failures, math.ceil(math.log2(max(self._most / self._first, 1))))
        ceiling = min(self._first * 2.0**doublings, self._most)
        self.failures += 1
        return ceiling * (0.5 + 0.5 * self._jitter())

    def healthy(self) -> None:
        """Forget the failures: the next one waits `first` seconds again."""
        self.failures = 0
