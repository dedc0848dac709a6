"""What waits for a bus that is gone, and what may have gone with it; bounded in bytes and age, the oldest go first.

It waits in parcels, as the bus will write it: large pieces of memory that go back to the system when they are sent.
Tens of thousands of frames, each an object of its own, would leave their room behind for good.
"""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import chain

import msgspec

from fsnats import allocator
from fsnats.bus import wire

BYTES_MOST = 64 * 1024 * 1024
SECONDS_MOST = 30.0  # older market data is of no use to anybody who waited for it
PARCEL_BYTES = allocator.LARGE_BYTES  # that wait, are sent and are dropped together
_PARCEL_SECONDS = 0.5  # from its first frame to its last

Publish = Callable[[str, bytes], bool]


class _Parcel(msgspec.Struct, eq=False):
    since: float  # when its first frame came
    commands: bytearray
    frames: int = 0


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
        self._waiting: deque[_Parcel] = deque()
        self._frames = 0
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
        self._add(self._waiting, now, subject, frame)
        self._limit(now)
        return True

    def lost(self, frames: Iterable[tuple[str, bytes]]) -> None:
        """The bus is gone, and these, subject and frame, may be gone with it: they wait, before all else."""
        now = self._monotonic()
        self.again += self._put_first(frames, now)
        self._limit(now)

    def drain(self) -> bool:
        """Send a parcel of what waits; True when the bus took it and more waits.

        What has grown too old meanwhile is dropped.
        """
        now = self._monotonic()
        self._limit(now)
        if not self._waiting:
            return False
        parcel = self._take()
        frames = wire.published(bytes(parcel.commands))
        for subject, frame in frames:
            if not self._publish(subject, frame):
                if not self._is_up():
                    self._put_first(chain([(subject, frame)], frames), parcel.since)
                    return False
                self.dropped += 1  # waiting would not help this one, and it must not stop the others
        return bool(self._waiting)

    def _add(self, parcels: deque[_Parcel], now: float, subject: str, frame: bytes) -> None:
        last = parcels[-1] if parcels else None
        if last is None or len(last.commands) >= PARCEL_BYTES or now - last.since > _PARCEL_SECONDS:
            last = _Parcel(now, bytearray())
            parcels.append(last)
        command = wire.publish(subject, "", frame)
        last.commands += command
        last.frames += 1
        self._frames += 1
        self.bytes += len(command)

    def _put_first(self, frames: Iterable[tuple[str, bytes]], since: float) -> int:
        """Have these wait before all else; returns how many they are."""
        parcels: deque[_Parcel] = deque()
        for subject, frame in frames:
            self._add(parcels, since, subject, frame)
        self._waiting.extendleft(reversed(parcels))
        return sum(parcel.frames for parcel in parcels)

    def _limit(self, now: float) -> None:
        while self._waiting and (self.bytes > BYTES_MOST or now - self._waiting[0].since > SECONDS_MOST):
            self.dropped += self._take().frames

    def _take(self) -> _Parcel:
        parcel = self._waiting.popleft()
        self._frames -= parcel.frames
        self.bytes -= len(parcel.commands)
        return parcel

    def __len__(self) -> int:
        return self._frames
