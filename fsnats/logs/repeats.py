"""How often one event is told: so many times in a while as it is, and from there on as a count.  Pure.

Nothing is lost from the counts: whatever was not admitted is in exactly one `Held` that `due` or `rest` gives.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

WINDOW = 60.0  # seconds
SUBJECTS_MOST = 1000  # subjects that are remembered; the oldest one is told and forgotten when there are more
EVENT_FACTOR = 10  # an event may be told of all its subjects together so many times as often as of one

_ALL = object()  # stands for the subjects of an event that is told too often of all together


class Held(NamedTuple, Generic[T]):
    """How often an event was not told; `sample` is the newest of them."""

    sample: T
    times: int
    seconds: float


class _Count(Generic[T]):
    __slots__ = ("began", "held", "sample", "seen")

    def __init__(self, began: float) -> None:
        self.began = began
        self.seen = 0
        self.held = 0
        self.sample: T


class Repeats(Generic[T]):
    """Counts events by their subjects.  Times are in seconds of any monotonic clock."""

    def __init__(self, most: int, window: float = WINDOW) -> None:
        """`most` of one event and subject are admitted in a window, which begins with the first of them."""
        self._most = most
        self._window = window
        self._counts: OrderedDict[Hashable, _Count[T]] = OrderedDict()  # in the order in which they began
        self._evicted: list[Held[T]] = []

    def admit(self, event: str, subject: Hashable, sample: T, now: float) -> bool:
        """Decide on one event.  Call `due` first: a window that is over is not looked at here."""
        while len(self._counts) > SUBJECTS_MOST - 2:  # before any is looked up
            self._end(next(iter(self._counts)), now, self._evicted)
        one = self._count((event, subject), now)
        every = self._count((event, _ALL), now)
        one.seen += 1
        if one.seen > self._most:
            one.held += 1
            one.sample = sample
            return False
        every.seen += 1
        if every.seen > self._most * EVENT_FACTOR:
            every.held += 1
            every.sample = sample
            return False
        return True

    def _count(self, key: Hashable, now: float) -> _Count[T]:
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count(now)
        return count

    def due(self, now: float) -> list[Held[T]]:
        """What was held back in windows that are over."""
        told, self._evicted = self._evicted, []
        while self._counts:
            key, oldest = next(iter(self._counts.items()))
            if now - oldest.began < self._window:
                break
            self._end(key, now, told)
        return told

    def rest(self, now: float) -> list[Held[T]]:
        """The same of all windows: nothing more will be asked."""
        told = self.due(now)
        for key in list(self._counts):
            self._end(key, now, told)
        return told

    @property
    def holds(self) -> bool:
        """Whether anything waits to be told."""
        return bool(self._evicted) or any(count.held for count in self._counts.values())

    def _end(self, key: Hashable, now: float, told: list[Held[T]]) -> None:
        count = self._counts.pop(key)
        if count.held:
            told.append(Held(count.sample, count.held, now - count.began))
