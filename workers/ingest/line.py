"""One stream on its way through a worker, and what is told to whoever fills its holes.  Pure."""

import contextlib
from collections import deque
from typing import Protocol

import msgspec

from fsnats.binance.streams import Stream
from fsnats.errors import UNREADABLE
from workers.ingest.hole import Hole
from workers.ingest.track import ALWAYS, Missing, Tracker, tracker_of

_ODD_KEPT = 1000  # messages of one stream: several seconds by which one connection may be behind another

Held = tuple[bytes, int, int]
"""Payload, time of its reading, flags."""


class Line(msgspec.Struct, eq=False):
    """One stream on its way through: where it goes, where it stands, how many frames went."""

    stream: Stream
    subject: str
    mixed: bool  # an all-market stream of a futures host: other markets' rows are taken out
    tracker: Tracker | None  # None: nothing of the payload is looked at
    seq: int = 0
    received_ns: int = 0  # of the newest message
    newest: bytes = b""
    held: deque[Held | Hole] | None = None  # what came after a hole that is being filled, and further holes
    resuming: bool = False  # the connection was lost: the next payload is the first one after it
    continues: bool = False  # it goes on where another worker stopped, and the next frame is the one that says so
    briefly: bool = False  # look at payloads only until the next new one: what comes before it may come twice
    odd: dict[bytes, None] | None = None  # what no tracker could read lately, while several connections bring the same
    # What is told of it to operators.
    begun: int = 0  # `seq` before its first frame
    aside: int = 0  # of its frames, those that were no live messages
    payload_bytes: int = 0  # of its live messages
    gaps: int = 0  # notices of what is lost
    recovered: int = 0  # messages that were fetched

    @property
    def messages(self) -> int:
        """Live ones, since it is carried."""
        return self.seq - self.begun - self.aside

    @property
    def latest(self) -> bytes:
        """The newest live message that came, held or published; empty where none did."""
        waiting = (entry[0] for entry in reversed(self.held or ()) if isinstance(entry, tuple) and not entry[2])
        return next(waiting, self.newest)

    def follow(self) -> Tracker:
        """The stream's tracker, made now and told where the stream stands where nobody needed one so far."""
        if self.tracker is None:
            self.tracker = tracker_of(self.stream)
            if latest := self.latest:
                with contextlib.suppress(*UNREADABLE):  # what no tracker can read has passed all the same
                    self.tracker.see(latest)
        return self.tracker

    def overlap(self) -> None:
        """Follow for as long as several connections bring the same."""
        self.follow()
        self.briefly = False
        if self.odd is None:
            self.odd = {}

    def is_copy(self, payload: bytes) -> bool:
        """Whether another connection brought the same, as far as bytes tell: of what no tracker can read."""
        if self.odd is None:
            return False
        if payload in self.odd:
            return True
        self.odd[payload] = None
        if len(self.odd) > _ODD_KEPT:
            del self.odd[next(iter(self.odd))]
        return False

    def unfollow(self) -> None:
        """Look at payloads again only where a sequence can show a hole."""
        self.briefly = False
        self.odd = None
        if self.stream.kind not in ALWAYS:
            self.tracker = None


class Repairs(Protocol):
    """Who fills holes.  While `Line.held` is not None, the line's messages are put there instead of being published."""

    def missing(self, line: Line, missing: Missing) -> None:
        """There is a hole before the message that is about to be published."""

    def resumed(self, line: Line, payload: bytes) -> None:
        """This is the first payload after a lost connection."""

    def crowded(self, line: Line) -> None:
        """More than HELD_MESSAGES are held."""

    def begun_anew(self, line: Line, since: int, until: int) -> None:
        """The exchange counts anew: what came between these times (milliseconds since 1970) was taken for old."""


class NoRepairs:
    """Leaves holes as they are."""

    def missing(self, line: Line, missing: Missing) -> None:
        pass

    def resumed(self, line: Line, payload: bytes) -> None:
        pass

    def crowded(self, line: Line) -> None:
        pass

    def begun_anew(self, line: Line, since: int, until: int) -> None:
        pass
