"""What is tried, and when, to bring a silent stream back.  Pure.

One after the other, each with time to help: have the exchange list the connection's subscriptions, and subscribe to
what it does not list; unsubscribe and subscribe; carry the stream on another connection; carry it on another route,
where the market has some.  Then it goes where it belongs, and after a rest all is tried again.
"""

from collections.abc import Iterator
from enum import StrEnum
from itertools import cycle

PATIENCE, PATIENCE_MOST = 5.0, 30.0  # seconds that a step gets to help; streams that speak rarely get more of them
REST = 180.0  # seconds before it is all tried again


class Step(StrEnum):
    """One thing to try."""

    LIST = "listing subscriptions"
    RENEW = "subscribing again"
    MOVE = "another connection"
    REROUTE = "another route"
    HOME = "resting"


class Probe:
    """The steps for one silent stream."""

    def __init__(self, now: float, cadence: float | None, *, has_routes: bool) -> None:
        """`cadence` is the stream's, in seconds, where it is known."""
        self._patience = min(max(PATIENCE, 2 * (cadence or 0.0)), PATIENCE_MOST)
        # A new connection takes a dial, and so may another route.
        routes = ((Step.REROUTE, 2.0),) if has_routes else ()
        steps = ((Step.LIST, 1.0), (Step.RENEW, 1.0), (Step.MOVE, 2.0), *routes, (Step.HOME, REST / self._patience))
        self._steps: Iterator[tuple[Step, float]] = cycle(steps)
        self._next_at = now
        self.step: Step | None = None  # the newest
        self.taken_at = now

    def due(self, now: float) -> Step | None:
        """The step to take now, if any."""
        if now < self._next_at:
            return None
        self.step, patience = next(self._steps)
        self.taken_at = now
        self._next_at = now + patience * self._patience
        return self.step

    def helped(self, now: float) -> bool:
        """Whether a stream that speaks now does so, as it seems, because of the newest step."""
        return self.step is not Step.HOME and now < self._next_at
