"""When a program that ended is started again.  Pure."""

from fsnats.backoff import Backoff
from fsnats.errors import EXIT_CONFIG, EXIT_USAGE

DELAY_FIRST = 0.2  # seconds: a worker that was killed has 5 s until its data must flow again
DELAY_MOST = 60.0
# Seconds, counted from readiness.  Longer than the 15 s after which silence is noticed: a program that falls silent
# every time is not healthy in between.
HEALTHY = 30.0
FINAL = frozenset({EXIT_USAGE, EXIT_CONFIG})  # the command or a setting is wrong: starting again cannot help


class Restarts:
    """The restarts of one program: the delay doubles with each, until the program was healthy for a while.

    Nothing is given up for failing too often: what a program waits for may come back after a day.
    """

    def __init__(self) -> None:
        # No jitter: these delays keep one machine calm, there is no crowd to spread.
        self._backoff = Backoff(DELAY_FIRST, DELAY_MOST, lambda: 1.0)
        self.count = 0

    def after_exit(self, status: int, healthy_for: float) -> float | None:
        """Seconds until the next start after a life that was healthy for so long, or None for never again."""
        if status in FINAL:
            return None
        if healthy_for >= HEALTHY:
            self._backoff.healthy()
        self.count += 1
        return self._backoff.next_delay()
