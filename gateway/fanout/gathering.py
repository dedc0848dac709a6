"""How long the bus is not read so that several messages go in one write: not at all, until writing them one by one
takes a third of a core.

A write costs 4.5 µs, whatever is in it; four messages in one cost 1.3 µs each, sixteen 0.5.
"""

AT_ONCE = 64_000  # messages a second to all clients that are written as they come
GOAL = 10  # messages in a write, from there on
GAIN = 3  # fewer than that in a write are not worth waiting for
WINDOW = 0.1  # seconds over which the rate is taken


class Gathering:
    """Decides by what was delivered lately."""

    def __init__(self, most: float) -> None:
        """`most` is in seconds."""
        self._most = most
        self._since = 0.0
        self._delivered = 0
        self._delay = 0.0

    def delay(self, now: float, delivered: int, clients: int) -> float:
        """For how many seconds more is to be gathered.  `delivered` is counted since the start."""
        passed = now - self._since
        if passed >= WINDOW:
            self._delay = self._worth((delivered - self._delivered) / passed, clients)
            self._since, self._delivered = now, delivered
        return self._delay

    def _worth(self, rate: float, clients: int) -> float:
        if rate < AT_ONCE:
            return 0.0
        between = clients / rate  # seconds between two messages of one client
        return min(self._most, GOAL * between) if GAIN * between <= self._most else 0.0
