"""Lanes that may send only so often: the first message goes at once, the newest of what follows when its time comes."""

import heapq
import math
from collections.abc import Callable
from itertools import count
from typing import Generic, TypeVar

STEP = 0.01  # seconds: what is due within one goes together, so that thousands of paced lanes wake nobody thousandfold

_T = TypeVar("_T")


def _never() -> float:
    return 0.0


def _nobody(delay: float) -> None: ...


class Pace(Generic[_T]):
    """One lane's."""

    __slots__ = ("_held", "_interval", "_next_at")

    def __init__(self, rate: float) -> None:
        """`rate` is in messages a second."""
        self._interval = 1 / rate
        self._next_at = -math.inf
        self._held: _T | None = None

    def sent(self, now: float) -> None:
        """Something went, and what was held is older."""
        self._next_at = now + self._interval
        self._held = None

    def hold(self, message: _T, now: float) -> float | None:
        """Hold this message in the place of an older one, unless it may go at once.

        Returns 0 when it may; else the time at which something has to go, None where that was said already.
        """
        if now >= self._next_at and self._held is None:
            return 0.0
        was_held, self._held = self._held is not None, message
        return None if was_held else self._next_at

    def release(self, now: float) -> _T | None:
        """What is held, if its time has come; it counts as sent."""
        held = self._held
        if held is None or now < self._next_at:
            return None
        self.sent(now)
        return held


class Timetable(Generic[_T]):
    """When whose time comes.

    `wake` is asked to have `due` looked at after so many seconds, instead of when it was asked before.
    """

    def __init__(self, monotonic: Callable[[], float] = _never, wake: Callable[[float], None] = _nobody) -> None:
        self.now = monotonic
        self._wake = wake
        self._entries: list[tuple[float, int, _T]] = []
        self._order = count()
        self._wakes_at = math.inf

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, at: float, whose: _T) -> None:
        """Let `due` have this one at this time, or up to a step later."""
        at = math.ceil(at / STEP) * STEP
        heapq.heappush(self._entries, (at, next(self._order), whose))
        self._wake_up()

    def due(self) -> list[_T]:
        """Take out those whose time has come."""
        now = self.now()
        found = []
        while self._entries and self._entries[0][0] <= now:
            found.append(heapq.heappop(self._entries)[2])
        self._wakes_at = math.inf
        self._wake_up()
        return found

    def _wake_up(self) -> None:
        if self._entries and self._entries[0][0] < self._wakes_at:
            self._wakes_at = self._entries[0][0]
            self._wake(max(self._wakes_at - self.now(), 0.0))
