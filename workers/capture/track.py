"""Where one stream stands in the capture: what follows, what came already, what is missing.  Pure."""

from collections.abc import Iterable, Iterator
from enum import Enum

from fsnats import notices
from fsnats.binance.streams import Stream
from fsnats.frames import GAP, VERSION, Frame, Key, between, follows, key_of

HELD_MOST = 10_000  # frames that wait behind a hole; beyond it the hole is given up

AWAY = "the capture was not running"
LOST = "lost on the way to the capture"
RESTARTED = "the worker was restarted"


class Verdict(Enum):
    """What to do with a frame."""

    WRITE = "write"
    PASS = "pass"  # it came before
    HELD = "held"  # behind a hole that is being filled
    HOLE = "hole"  # held, and the first one: fill the hole
    OVERRUN = "overrun"  # held, and one too many: give the hole up


class Track:
    """One stream.  `key` is the place of its last frame that was written, or was to be."""

    def __init__(self, stream: Stream, key: Key | None = None, last_ns: int = 0) -> None:
        """`key` and `last_ns` are where an earlier capture stopped."""
        self.stream = stream
        self.key = key
        self._last_ns = last_ns
        self._away = key is not None
        self._behind: list[Frame] | None = None
        self._refused: Frame | None = None
        self.held_bytes = 0

    @property
    def is_waiting(self) -> bool:
        """Whether a hole is being filled."""
        return self._behind is not None

    def take(self, frame: Frame) -> Verdict:
        """Find a place for a frame."""
        if self._behind is not None:
            self._hold(frame)
            return Verdict.OVERRUN if len(self._behind) > HELD_MOST else Verdict.HELD
        if self.key is None or follows(self.key, frame):
            self._passed(frame)
            return Verdict.WRITE
        if key_of(frame) <= self.key or (between(self.key, frame) or 0) < 0:
            return Verdict.PASS
        self._behind = []
        self._hold(frame)
        return Verdict.HOLE

    def refuse(self, frame: Frame) -> None:
        """There is no room for this frame.  The next one shows the hole; should none come, `close` tells it."""
        self._refused = frame
        if self.key is None:
            self.key, self._last_ns = (frame.epoch, frame.seq - 1), frame.received_ns

    def close(self) -> Iterator[Frame]:
        """The end of it: what waits behind a hole, and a notice of what was refused."""
        if self._behind is not None:
            yield from self.filled([])
        frame = self._refused
        if frame is not None and self.key is not None and key_of(frame) > self.key:
            yield self._notice(self.key, frame, missed_itself=True)

    def wait(self) -> None:
        """Hold what comes: something is missing, though nothing newer has come yet."""
        if self._behind is None:
            self._behind = []

    def reaches(self, frames: list[Frame]) -> bool:
        """Whether these, read from the replay window, are all that it will have of the hole."""
        assert self._behind is not None
        if not self._behind or (frames and key_of(frames[-1]) >= key_of(self._behind[0])):
            return True
        return self._is_whole(frames)

    def filled(self, frames: list[Frame]) -> Iterator[Frame]:
        """What there is of the hole and behind it, in order, each once; where something is missing, a notice before."""
        merged = self._merged(frames)
        self._behind = None
        self.held_bytes = 0
        for frame in merged:
            if self.key is not None and key_of(frame) > self.key and not follows(self.key, frame):
                yield self._notice(self.key, frame)
            if self.key is None or key_of(frame) > self.key:
                self._passed(frame)
                yield frame

    def _hold(self, frame: Frame) -> None:
        assert self._behind is not None
        self._behind.append(frame)
        self.held_bytes += len(frame.payload)

    def _is_whole(self, frames: list[Frame]) -> bool:
        key = self.key
        for frame in self._merged(frames):
            if key is not None and key_of(frame) > key:
                if not follows(key, frame):
                    return False
                key = key_of(frame)
        return True

    def _merged(self, frames: Iterable[Frame]) -> list[Frame]:
        found = {key_of(frame): frame for frame in (*frames, *(self._behind or ()))}
        return [found[key] for key in sorted(found)]

    def _passed(self, frame: Frame) -> None:
        self.key, self._last_ns, self._away = key_of(frame), frame.received_ns, False

    def _notice(self, key: Key, frame: Frame, *, missed_itself: bool = False) -> Frame:
        missed = between(key, frame)
        if missed is not None:
            missed += missed_itself
        reason = AWAY if self._away else RESTARTED if missed is None else LOST
        first, last = self._last_ns // 1_000_000, frame.received_ns // 1_000_000
        payload = notices.gap(self.stream, first, last, "ms", reason, missed)
        return Frame(VERSION, self.stream.name, frame.received_ns, 0, 0, GAP, payload)
