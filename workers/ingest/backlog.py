"""What waits for a bus that is gone, and what may have gone with it; bounded in bytes and age, the oldest go first."""

from collections import deque
from collections.abc import Callable, Iterable

BYTES_MOST = 64 * 1024 * 1024
SECONDS_MOST = 30.0  # older market data is of no use to anybody who waited for it

Publish = Callable[[str, bytes], bool]


class Backlog:
    """Stands between the router and the bus.

    What the bus does not take waits, and everything after it, so that the order stays; `drain` sends it.  What the bus
    took and may have lost is sent again: readers pass over what they have.  Frames are numbered before they come here:
    what is dropped shows as a hole in its stream's sequence.
    """

    def __init__(self, publish: Publish, is_up: Callable[[], bool], monotonic: Callable[[], float]) -> None:
        self._publish = publish
        self._is_up = is_up
        self._monotonic = monotonic
        self._waiting: deque[tuple[float, str, bytes]] = deque()
        self.bytes = 0
        self.dropped = 0
        self.again = 0  # frames that were sent a second time

    def publish(self, subject: str, frame: bytes) -> bool:
        """Hand a frame to the bus, or keep it until it is back.  False when the bus is there and refuses the frame."""
        if not self._waiting:
            if self._publish(subject, frame):
                return True
            if self._is_up():
                return False
        now = self._monotonic()
        self._waiting.append((now, subject, frame))
        self.bytes += len(frame)
        self._limit(now)
        return True

    def lost(self, frames: Iterable[tuple[str, bytes]]) -> None:
        """The bus is gone, and these, subject and frame, may be gone with it: they wait, before all else."""
        now = self._monotonic()
        again = [(now, subject, frame) for subject, frame in frames]
        self._waiting.extendleft(reversed(again))
        self.bytes += sum(len(frame) for _, _, frame in again)
        self.again += len(again)
        self._limit(now)

    def drain(self) -> None:
        """Send what waits, as long as the bus takes it; what has grown too old meanwhile is dropped."""
        now = self._monotonic()
        while self._waiting:
            since, subject, frame = self._waiting[0]
            if now - since > SECONDS_MOST:
                self.dropped += 1
            elif not self._publish(subject, frame):
                if not self._is_up():
                    return
                self.dropped += 1  # waiting would not help this one, and it must not stop the others
            self._take()

    def _limit(self, now: float) -> None:
        while self._waiting and (self.bytes > BYTES_MOST or now - self._waiting[0][0] > SECONDS_MOST):
            self._take()
            self.dropped += 1

    def _take(self) -> None:
        _, _, frame = self._waiting.popleft()
        self.bytes -= len(frame)

    def __len__(self) -> int:
        return len(self._waiting)
