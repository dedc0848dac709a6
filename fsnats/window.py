"""A strict sliding window: at most `limit` events in any `span` seconds, counted from their own instants.

A token bucket would let a burst through whenever it was idle before, and Binance closes such a connection (reference:
nautilus_trader#5012).  This is used for control messages, dials and REST weight alike.
"""

from collections import deque


class SlidingWindow:
    """Says when the next event is allowed.  Holds no clock: `now` is in seconds of any monotonic clock."""

    def __init__(self, limit: int, span: float) -> None:
        self.limit = limit
        self.span = span
        self._instants: deque[float] = deque(maxlen=limit)

    def reserve(self, now: float) -> float:
        """Book the next event and return how many seconds from `now` it may happen (0 when at once).

        Reservations are granted in order: a caller that waits as told never breaks the window, however many wait.
        """
        at = self._next(now)
        self._instants.append(at)
        return at - now

    def delay(self, now: float) -> float:
        """How many seconds from `now` the next event may happen; nothing is booked."""
        return self._next(now) - now

    def free(self, now: float) -> int:
        """How many events could happen at `now` without waiting."""
        return self.limit - sum(1 for instant in self._instants if instant > now - self.span)

    def resize(self, limit: int) -> None:
        """Allow so many in a span from now on."""
        self.limit = limit
        self._instants = deque(self._instants, maxlen=limit)

    def _next(self, now: float) -> float:
        at = now
        if len(self._instants) == self.limit:
            at = max(at, self._instants[0] + self.span)
        if self._instants:
            at = max(at, self._instants[-1])
        return at
