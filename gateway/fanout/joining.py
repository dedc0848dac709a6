"""A client that begins to listen where it left off, or after some history: what is live waits until what comes before
it is there, so that the two meet without a seam.  Pure.
"""

from collections.abc import Callable

import msgspec

from fsnats.frames import Frame, Key, follows, key_of

LIVE_MOST = 10_000  # live frames that wait for one stream of one client: seconds of the busiest one
CLIENT_MOST = 100_000  # of all its streams: some 40 MB, where nobody else holds the same ones


class Met(msgspec.Struct, frozen=True):
    """What comes before, without what is live already; what is live; and whether nothing is missing between the two."""

    before: list[Frame]
    live: list[Frame]
    is_whole: bool


class Room:
    """How many more frames may wait for one client."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


class Joining:
    """Holds the live frames of one stream for one client."""

    def __init__(self, room: Room | None = None) -> None:
        """`room` is what all of a client's have together."""
        self._room = room or Room(LIVE_MOST)
        self.held: list[Frame] = []
        self.is_left = False  # nobody waits for it any more
        self.is_overrun = False  # more came than can be held: it was given up
        self.wake: Callable[[], None] | None = None  # called with the first frame, or when it is left

    def hold(self, frame: Frame) -> None:
        """Take one live frame."""
        if len(self.held) < LIVE_MOST and self._room.left > 0 and not self.is_overrun:
            self._room.left -= 1
            self.held.append(frame)
            if len(self.held) == 1:
                self._wake()
        else:
            self.is_overrun = True

    def leave(self) -> None:
        """What is held is not wanted any more."""
        if not self.is_left:
            self._room.left += len(self.held)
        self.is_left = True
        self._wake()

    def _wake(self) -> None:
        if self.wake is not None:
            self.wake()

    def meet(self, key: Key, before: list[Frame]) -> Met:
        """Put what was read elsewhere, of the frames after `key`, before what is live."""
        if before:
            key = key_of(before[-1])
        live = [frame for frame in self.held if key_of(frame) > key]
        return Met(before, live, not self.is_overrun and (not live or follows(key, live[0])))
