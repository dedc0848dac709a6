"""Where finished frames come from, for the sake of those who do not read them: they lose by the kind of the stream."""

from gateway.fanout.lane import Lane

# What it means to a client that a frame never comes.  Plain numbers, since frames are told apart by the million.
REPLY = 0  # its own: the answer to a request, a ping
STATE = 1  # nothing is lost when a newer one of the lane is there
NOTICE = 2  # of a gap in a lane of states: the newest one says enough
EVENT = 3  # each counts
LEFT = 4  # no frame at all: the client left the lane here

Origin = tuple[bytes, Lane | None, int, int]
"""A frame, its lane, when the worker published it in nanoseconds, and one of the numbers above."""


class Origins:
    """Remembers frames until `turn_over` was called twice.

    They are found by their `id()`, which costs the least; the frames are kept with it, so that nothing else takes it.
    """

    __slots__ = ("_old", "_young", "noted_bytes")

    def __init__(self) -> None:
        self._young: dict[int, Origin] = {}
        self._old: dict[int, Origin] = {}
        self.noted_bytes = 0  # since somebody last looked

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def note(self, frame: bytes, lane: Lane, received_ns: int, rank: int) -> None:
        """Remember a frame."""
        self._young[id(frame)] = (frame, lane, received_ns, rank)
        self.noted_bytes += len(frame)

    def of(self, frames: list[bytes]) -> list[Origin]:
        """Where these come from.  One that was not noted is a reply."""
        young, old = self._young.get, self._old.get
        return [young(id(frame)) or old(id(frame)) or (frame, None, 0, REPLY) for frame in frames]

    def turn_over(self) -> None:
        """Forget what was noted before the last time."""
        self._young, self._old = {}, self._young

    def clear(self) -> None:
        """Forget everything."""
        self._young, self._old = {}, {}
        self.noted_bytes = 0
