"""A client that begins to listen where it left off, or after some history: what is live waits until what comes before
it is there, so that the two meet without a seam.  Pure.
"""

import msgspec

from fsnats.frames import CONTINUES, Frame

LIVE_MOST = 10_000  # live frames that wait for one stream of one client: seconds of the busiest one

Place = tuple[int, int]
"""A worker's epoch and the number of a frame within it: frames of a stream are in the order of their places."""


class Met(msgspec.Struct, frozen=True):
    """What comes before, without what is live already; what is live; and whether nothing is missing between the two."""

    before: list[Frame]
    live: list[Frame]
    is_whole: bool


class Joining:
    """Holds the live frames of one stream for one client."""

    def __init__(self) -> None:
        self.held: list[Frame] = []
        self.is_left = False  # the client does not want the stream any more
        self.is_overrun = False  # more came than can be held: it was given up

    def hold(self, frame: Frame) -> None:
        """Take one live frame."""
        if len(self.held) < LIVE_MOST:
            self.held.append(frame)
        else:
            self.is_overrun = True

    def meet(self, place: Place, before: list[Frame]) -> Met:
        """Put what was read elsewhere, of the frames after `place`, before what is live."""
        if before:
            place = place_of(before[-1])
        live = [frame for frame in self.held if place_of(frame) > place]
        return Met(before, live, not self.is_overrun and (not live or follows(place, live[0])))


def place_of(frame: Frame) -> Place:
    """Where a frame stands."""
    return frame.epoch, frame.seq


def follows(place: Place, frame: Frame) -> bool:
    """Whether nothing lies between a place and a frame."""
    epoch, seq = place
    return frame.seq == seq + 1 and (frame.epoch == epoch or bool(frame.flags & CONTINUES))
