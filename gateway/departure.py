"""When which client is told that the gateway goes, and when it is closed: spread, so that they do not all come back at
once."""

from math import ceil

_LEAD = 0.25  # of the time: between a client's goodbye and its closing it can connect elsewhere without a hole


class Departure:
    """The departure of `count` clients within `seconds`, by their place in the row."""

    def __init__(self, count: int, seconds: float) -> None:
        self._count = count
        self._saying = seconds * (1 - _LEAD)
        self.lead = seconds * _LEAD  # seconds from goodbye to closing

    def told(self, elapsed: float) -> int:
        """How many have been told, `elapsed` seconds after the beginning.  The first one at once."""
        if elapsed < 0:
            return 0
        if elapsed >= self._saying:
            return self._count
        return min(ceil(self._count * elapsed / self._saying + 1e-9), self._count)

    def closed(self, elapsed: float) -> int:
        """How many have been closed."""
        return self.told(elapsed - self.lead)
