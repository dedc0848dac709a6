"""How much REST weight an address may still use.  Pure: time is an argument."""

from collections import deque


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
