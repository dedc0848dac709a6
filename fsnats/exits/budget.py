"""How much REST weight an address may still use, and how often it may dial.  Pure: time is an argument."""

from collections import deque

from fsnats.binance.limits import DIALS_PER_FIVE_MINUTES, DIALS_PER_MINUTE
from fsnats.window import SlidingWindow

_MINUTE = 60.0  # seconds


class DialBudget:
    """A share of the dials that an address may make in a minute and in five."""

    def __init__(self, share: float) -> None:
        minute, five_minutes = _dials(share)
        self._windows = SlidingWindow(minute, _MINUTE), SlidingWindow(five_minutes, 5 * _MINUTE)

    def resize(self, share: float) -> None:
        """Allow this share from now on."""
        for window, limit in zip(self._windows, _dials(share), strict=True):
            if window.limit != limit:
                window.resize(limit)

    def reserve(self, now: float) -> float:
        """Book the next dial and return in how many seconds it may happen."""
        delay = self.delay(now)
        for window in self._windows:
            window.reserve(now + delay)
        return delay

    def delay(self, now: float) -> float:
        """In how many seconds the next dial may happen; nothing is booked."""
        return max(window.delay(now) for window in self._windows)

    def free(self, now: float) -> int:
        """How many dials could happen now."""
        return min(window.free(now) for window in self._windows)


def _dials(share: float) -> tuple[int, int]:
    return max(1, round(DIALS_PER_MINUTE * share)), max(1, round(DIALS_PER_FIVE_MINUTES * share))


class Budget:
    """At most `limit` of weight in any `span` seconds."""

    def __init__(self, limit: int, span: float) -> None:
        self.limit = limit
        self.span = span
        self._spent: deque[tuple[float, int]] = deque()

    def used(self, now: float) -> int:
        """The weight of the last `span` seconds."""
        while self._spent and self._spent[0][0] + self.span <= now:
            self._spent.popleft()
        return sum(weight for _, weight in self._spent)

    def wait(self, weight: int, now: float) -> float:
        """Seconds until so much may be spent; more than the limit may be when nothing else was."""
        excess = self.used(now) + min(weight, self.limit) - self.limit
        for at, spent in self._spent:
            if excess <= 0:
                break
            excess -= spent
            if excess <= 0:
                return at + self.span - now
        return 0.0

    def spend(self, weight: int, now: float) -> None:
        """Count weight as used."""
        self._spent.append((now, weight))

    def counted(self, total: int, now: float) -> None:
        """The exchange counts `total`: somebody else may share the address."""
        missing = total - self.used(now)
        if missing > 0:
            self.spend(missing, now)
