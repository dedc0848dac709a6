"""Many deadlines of one length, with one timer: one for each connection would be a tenth of its handshake's cost."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Deadlines(Generic[_T]):
    """Calls `expired` with everything that was added and not discarded within `seconds`."""

    def __init__(self, seconds: float, expired: Callable[[_T], None]) -> None:
        self._seconds = seconds
        self._expired = expired
        self._loop = asyncio.get_running_loop()
        self._due: dict[_T, float] = {}  # in the order of their deadlines, since all have the same length
        self._timer: asyncio.TimerHandle | None = None

    def add(self, item: _T) -> None:
        """Start the time of something that is not being timed."""
        self._due[item] = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._look)

    def discard(self, item: _T) -> None:
        """Stop its time, if it runs."""
        self._due.pop(item, None)

    def close(self) -> None:
        """Forget everything."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        now = self._loop.time()
        for item, due in list(self._due.items()):
            if due > now:
                self._timer = self._loop.call_later(due - now, self._look)
                return
            del self._due[item]
            self._expired(item)
