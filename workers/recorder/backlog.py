"""What waits for the store: deliveries in their order, a bounded number of them.  Pure."""

from collections import deque

from workers.recorder.deliveries import Delivery

FRAMES_MOST = 20_000  # what does not fit stays in the replay window, as long as that keeps it
BYTES_MOST = 64 * 1024 * 1024


class Backlog:
    """Deliveries count until `done` says that they are stored: those that are taken to be written, too."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, Delivery]] = deque()
        self._taken: list[tuple[float, Delivery]] = []
        self.bytes = 0

    def add(self, delivery: Delivery, now: float) -> None:
        """Take one more.  Nothing is refused: whoever pulls asks for `room` before."""
        self._waiting.append((now, delivery))
        self.bytes += len(delivery.data)

    def take(self, most: int) -> list[Delivery]:
        """The oldest ones, to be written together.  Those that were taken before are `done`."""
        assert not self._taken
        self._taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        return [delivery for _, delivery in self._taken]

    def done(self) -> None:
        """What was taken is stored."""
        self.bytes -= sum(len(delivery.data) for _, delivery in self._taken)
        self._taken = []

    @property
    def waiting(self) -> int:
        """How many can be taken."""
        return len(self._waiting)

    @property
    def room(self) -> int:
        """How many more may come; negative where several were asked at once."""
        return 0 if self.bytes >= BYTES_MOST else FRAMES_MOST - len(self)

    def age(self, now: float) -> float:
        """For how many seconds the oldest one waits; 0 where none does."""
        line = self._taken or self._waiting
        return now - line[0][0] if line else 0.0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._taken)
