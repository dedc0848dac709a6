"""What waits for one client while its socket is full, within a limit.

A client that is behind for a moment gets everything, in order.  One that is behind by two seconds or by its limit gets,
when it reads again, the newest of each state; events are kept up to the limit, and the oldest go first: one notice for
each stream then stands in their place.  The order of what belongs to one stream never changes.
"""

from collections import deque
from collections.abc import Hashable, Iterable, Iterator

import msgspec

from fsnats import notices
from gateway.fanout.lane import Lane
from gateway.fanout.marks import told
from gateway.fanout.origins import EVENT, LEFT, NOTICE, REPLY, STATE, Origin
from gateway.fanout.tally import Tally

LIMIT_BYTES = 1024 * 1024
# By the times at which the worker published what waits: what was held while NATS was gone, or is replayed, comes in one
# moment and is still taken by whoever reads.
BEHIND_NS = 2_000_000_000
COST = 128  # bytes that it takes to keep a frame, besides its own


class _Missed(msgspec.Struct):
    """Events of one lane that were dropped; their notice stands where the one of this number stood."""

    number: int
    first_ns: int
    last_ns: int
    count: int


class Waiting:
    """Frames on their way to one client that does not read."""

    def __init__(self, limit_bytes: int, tally: Tally) -> None:
        """`limit_bytes` is of events and replies; of each state there is one at most."""
        self._limit = limit_bytes
        self._tally = tally
        self._is_behind = False
        # Until the client is behind, everything; then the events.  They are numbered as they come, from the left.
        self._line: deque[Origin] = deque()
        self._number = 0  # of the first in line
        self._oldest_ns = 0  # of the first in line, 0 where that is not known
        # Once it is behind, the rest, by lane or by number: which event in line it comes before, and the frame.
        self._kept: dict[Hashable, tuple[int, bytes]] = {}
        self._replies = 0
        self._missed: dict[Lane, _Missed] = {}
        self._limited = 0  # bytes of events and replies
        self._bytes = 0  # of everything

    def __repr__(self) -> str:
        return f"<Waiting: {len(self._line) + len(self._kept)} frames, {self._bytes} bytes>"

    @property
    def held_bytes(self) -> int:
        """What it takes to keep all of it."""
        return self._bytes

    def hold(self, frames: list[Origin]) -> bool:
        """Keep what came.

        False when something would have to be dropped that must not be: the client has to be closed.
        """
        if self._is_behind:
            self._sort(frames)
        else:
            self._line += frames
            self._bytes += sum(len(frame) + COST for frame, *_ in frames)
            if self._bytes <= self._limit and self._lag(frames) <= BEHIND_NS:
                return True
            self._fall_behind()
        return self._drop()

    def take(self, most: int) -> list[bytes]:
        """Take out about this many bytes, from the front.  Nothing when nothing waits."""
        taken: list[bytes] = []
        size = 0
        for frame in self._in_order():
            if frame:  # else it marks where the client left a lane
                taken.append(frame)
                size += len(frame)
                if size >= most:
                    break
        self._oldest_ns = self._line[0][2] if self._line else 0
        if not self._line and not self._kept and not self._missed:
            self._is_behind = False
        return taken

    def forget(self, lane: Lane) -> None:
        """The client left this lane.  Should it come back, what comes then belongs after what is said until then."""
        if self._is_behind:
            self._superseded(lane)
        else:
            self._line.append((b"", lane, 0, LEFT))
            self._bytes += COST

    def _fall_behind(self) -> None:
        line, self._line = self._line, deque()
        self._number = self._bytes = 0
        self._is_behind = True
        self._sort(line)

    def _lag(self, frames: list[Origin]) -> int:
        """Nanoseconds between the oldest that waits and the newest."""
        times = [received_ns for _, _, received_ns, _ in frames if received_ns]
        if not times:
            return 0
        self._oldest_ns = self._oldest_ns or times[0]
        return times[-1] - self._oldest_ns

    def _sort(self, line: Iterable[Origin]) -> None:
        kept = self._kept
        for origin in line:
            frame, lane, _, rank = origin
            size = len(frame) + COST
            if rank == EVENT:
                if kept:
                    self._superseded(lane)  # an open candle is nothing once it is closed
                self._line.append(origin)
                self._limited += size
            elif rank == LEFT:
                self._superseded(lane)
                continue
            elif rank == REPLY:
                self._replies += 1
                kept[self._replies] = self._number + len(self._line), frame
                self._limited += size
            else:
                key = lane if rank == STATE else (NOTICE, lane)
                before = kept.get(key)
                if before is None:
                    kept[key] = self._number + len(self._line), frame
                else:
                    kept[key] = before[0], frame
                    self._bytes -= len(before[1]) + COST
                    self._tally.conflated += 1
            self._bytes += size

    def _superseded(self, lane: Lane | None) -> None:
        """The state that waits of this lane is not wanted any more."""
        before = self._kept.pop(lane, None)
        if before is not None:
            self._bytes -= len(before[1]) + COST

    def _drop(self) -> bool:
        """Drop the oldest events until the limit is kept.  False where a client must not miss one, and where replies
        alone fill the limit."""
        line, missed = self._line, self._missed
        size, number = 0, self._number
        while self._limited - size > self._limit:
            if not line:
                return False
            frame, lane, received_ns, _ = line.popleft()
            assert lane is not None
            if not lane.tells:
                return False
            size += len(frame) + COST
            gap = missed.get(lane)
            if gap is None:
                missed[lane] = _Missed(number, received_ns, received_ns, 1)
            else:
                gap.count += 1
                if received_ns > gap.last_ns:
                    gap.last_ns = received_ns
                elif received_ns < gap.first_ns:
                    gap.first_ns = received_ns
            number += 1
        self._tally.dropped += number - self._number
        self._number = number
        self._limited -= size
        self._bytes -= size
        return True

    def _next_in_line(self) -> Origin:
        origin = self._line.popleft()
        self._number += 1
        size = len(origin[0]) + COST
        self._bytes -= size
        if self._is_behind:
            self._limited -= size
        return origin

    def _in_order(self) -> Iterator[bytes]:
        """Everything from the front; each frame is taken out as it is given."""
        # The front of a dict is found by walking over what was removed from it, so it is asked for only once.
        kept = iter(list(self._kept.items()))
        missed = iter(list(self._missed.items()))
        next_kept, next_missed = next(kept, None), next(missed, None)
        while next_kept or next_missed or self._line:
            number = next_missed[1].number if next_missed else self._number
            if next_kept and (next_kept[1][0] <= number or not (next_missed or self._line)):
                key, (_, frame) = next_kept
                next_kept = next(kept, None)
                del self._kept[key]
                size = len(frame) + COST
                self._bytes -= size
                if isinstance(key, int):
                    self._limited -= size
                yield frame
            elif next_missed:
                lane, gap = next_missed
                next_missed = next(missed, None)
                del self._missed[lane]
                yield _notice(lane, gap)
            else:
                yield self._next_in_line()[0]


def _notice(lane: Lane, missed: _Missed) -> bytes:
    first, last = missed.first_ns // 1_000_000, missed.last_ns // 1_000_000
    notice = notices.gap(lane.stream, first, last, "ms", "slow consumer", missed.count)
    return told(lane.form, notice)
