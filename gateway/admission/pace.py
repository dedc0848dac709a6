"""How fast one client may send requests."""

from enum import Enum

_TOLD_SECONDS = 10.0  # of requests at the full rate that are answered with an error before the connection is closed


class Verdict(Enum):
    """What becomes of a request."""

    CARRIED_OUT = "carried out"
    REFUSED = "refused"
    THE_LAST = "the last"  # refused like many before it: this client does not listen


class Pace:
    """A bucket that fills with `rate` requests a second and holds one second's worth."""

    __slots__ = ("_at", "_left", "rate")

    def __init__(self, rate: float, now: float) -> None:
        """`now` is in seconds of any monotonic clock."""
        self.rate = rate
        self._left = max(rate, 1.0)
        self._at = now

    def take(self, now: float) -> Verdict:
        """Decide on one request.  What is refused counts as well: who never pauses is closed in the end."""
        self._left = min(self._left + (now - self._at) * self.rate, max(self.rate, 1.0)) - 1.0
        self._at = now
        if self._left >= 0:
            return Verdict.CARRIED_OUT
        return Verdict.REFUSED if self._left > -max(self.rate, 1.0) * _TOLD_SECONDS else Verdict.THE_LAST
