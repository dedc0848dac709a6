"""How fast one client may send requests, and how much each of them counts."""

from collections import OrderedDict
from enum import Enum

# So much of what a request causes counts as one more request: each is about two milliseconds of work.
CHANGES = 250  # of streams that are listened to
BYTES = 32 * 1024  # of the request and of its reply

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

    def charge(self, changes: int, size: int) -> None:
        """Let a request that was carried out count by what it changed, and by how many bytes came and went."""
        self._left -= changes / CHANGES + size / BYTES

    @property
    def wait(self) -> float:
        """In how many seconds, since the last request, another one is carried out."""
        return max(0.0, (1.0 - self._left) / self.rate)


class Paces:
    """A pace for each of many clients that have no connection to keep it with; the ones seen last are remembered."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        # By the rate, too: two tokens of one name may have different ones, and neither begins anew for the other.
        self._paces: OrderedDict[tuple[str, float], Pace] = OrderedDict()

    def allow(self, client: str, rate: float, now: float) -> bool:
        """Decide on one request of a client."""
        key = (client, rate)
        pace = self._paces.get(key)
        if pace is None:
            pace = self._paces[key] = Pace(rate, now)
        self._paces.move_to_end(key)
        if len(self._paces) > self._most:
            self._paces.popitem(last=False)
        return pace.take(now) is Verdict.CARRIED_OUT
