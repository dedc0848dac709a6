"""The way to one client: written to at once while it reads, and as far as it reads while it does not."""

from collections.abc import Callable

from gateway.lane import Lane, Origins
from gateway.turn import Turn
from gateway.waiting import LIMIT_BYTES, Waiting

# Written at a time when a client reads again: what has not been written can still be replaced by something newer.
PIECE_BYTES = 64 * 1024

_CLOSED = object()


def _nowhere(data: bytes) -> None:
    """Where frames of a closed client go."""


class Outbox:
    """Frames on their way to one client, in order.

    Whoever appends to `frames` does so by the rules of `Turn`.  `write` takes finished bytes.
    """

    __slots__ = ("_is_full", "_limit", "_overflow", "_turn", "frames", "waiting", "write")

    def __init__(
        self,
        write: Callable[[bytes], None],
        overflow: Callable[[], None],
        turn: Turn,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        """`overflow` is called, once, when something would have to be dropped that the client must not miss."""
        self.write = write
        self._overflow = overflow
        self._turn = turn
        self._limit = limit_bytes
        self._is_full = False
        self.frames: list[bytes] = []
        self.waiting: object = None

    @property
    def held_bytes(self) -> int:
        """What it takes to keep what waits."""
        return self.waiting.held_bytes if isinstance(self.waiting, Waiting) else 0

    def hold(self, origins: Origins) -> None:
        """Keep what this turn brought, the client does not read."""
        waiting = self.waiting
        if isinstance(waiting, Waiting) and not waiting.hold(self.frames, origins):
            self.discard()
            self._overflow()
        self.frames.clear()

    def forget(self, lane: Lane) -> None:
        """The client left this lane."""
        if isinstance(self.waiting, Waiting):
            self.waiting.forget(lane)

    def pause(self) -> None:
        """The client's socket is full: hold what comes."""
        self._is_full = True
        if self.waiting is None:
            self.waiting = Waiting(self._limit, self._turn.tally)
            self._turn.slow += 1

    def resume(self) -> None:
        """The client reads again: write what waits, until its socket is full once more."""
        self._is_full = False
        waiting = self.waiting
        if not isinstance(waiting, Waiting):
            return
        while not self._is_full:  # a write may call `pause`
            frames = waiting.take(PIECE_BYTES)
            if not frames:
                self._wait_no_more(None)
                return
            self._turn.tally.delivered += len(frames)
            self.write(b"".join(frames))

    def discard(self) -> None:
        """Forget what waits, and what may come: the client is being disconnected."""
        self.frames.clear()
        self.write = _nowhere
        self._wait_no_more(_CLOSED)

    def _wait_no_more(self, then: object) -> None:
        if isinstance(self.waiting, Waiting):
            self._turn.slow -= 1
        self.waiting = then
