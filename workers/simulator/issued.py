"""What a load said of one series of ids, so that REST can say the same again.  A pure data structure."""

from bisect import bisect_left
from collections import deque

_KEPT = 100_000  # ids: 200 s of 10,000 messages a second over twenty streams


class Issued:
    """Consecutive ids from `first` on, each with its time; price, quantity and side are the same for all."""

    def __init__(self, following: int, price: str, quantity: str, maker: bool, template: bytes = b"") -> None:
        self.following = following  # the id that comes next
        self.price = price
        self.quantity = quantity
        self.maker = maker
        self.template = template  # of the message, with a place for each id and time
        self._times: deque[int] = deque(maxlen=_KEPT)
        self.begun = following  # older ids are the market model's

    @property
    def first(self) -> int:
        """The oldest id that is remembered."""
        return self.following - len(self._times)

    def say(self, time: int) -> None:
        """The next id was said at that time (milliseconds)."""
        self._times.append(time)
        self.following += 1

    def time_of(self, number: int) -> int:
        """When an id that is remembered was said."""
        return self._times[number - self.first]

    def at(self, time: int) -> int:
        """The first id at or after a time."""
        return self.first + bisect_left(self._times, time)

    def knows(self, time: int) -> bool:
        """Whether a time is one that it, not the model, answers for."""
        return bool(self._times) and time >= self._times[0]
