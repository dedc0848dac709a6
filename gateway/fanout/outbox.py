"""The way to one client: written to at once while it reads, and as far as it reads while it does not."""

from collections.abc import Callable

from gateway.fanout.lane import Lane
from gateway.fanout.turn import Turn
from gateway.fanout.waiting import LIMIT_BYTES, Waiting

# Written at a time when a client reads again: what has not been written can still be replaced by something newer.
PIECE_BYTES = 64 * 1024


def _nowhere(data: bytes) -> None:
    """Where frames of a closed client go."""


def _nothing() -> int:
    """How much waits in no transport."""
    return 0


def _nobody() -> None:
    """Who hears of the overflow of a closed client's."""


class Outbox:
    """Frames on their way to one client, in order.

    Whoever appends to `frames` does so by the rules of `Turn`.  They go straight to the socket while nothing waits in
    the transport before it: a transport looks at every client twice, and takes a tenth of what a write costs.
    """

    __slots__ = (
        "_direct",
        "_is_closed",
        "_is_full",
        "_limit",
        "_overflow",
        "_turn",
        "_unsent",
        "_write",
        "frames",
        "send",
        "waiting",
    )

    def __init__(
        self,
        write: Callable[[bytes], None],
        overflow: Callable[[], None],
        turn: Turn,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        """`write` takes all that it is given, as a transport does.  `overflow` is called, once, when something would
        have to be dropped that the client must not miss."""
        self._write = write
        self._direct: Callable[[bytes], int] | None = None
        self._unsent: Callable[[], int] = _nothing
        self.send: Callable[[bytes], int] = self._behind
        self._overflow = overflow
        self._turn = turn
        self._limit = limit_bytes
        self._is_full = False
        self._is_closed = False
        self.frames: list[bytes] = []
        self.waiting: Waiting | None = None

    @property
    def held_bytes(self) -> int:
        """What it takes to keep what waits."""
        return self.waiting.held_bytes + sum(map(len, self.frames)) if self.waiting is not None else 0

    def open(
        self, write: Callable[[bytes], None], unsent: Callable[[], int], direct: Callable[[bytes], int] | None
    ) -> None:
        """The client is there: `write` and `unsent` are its transport's, `direct` its socket's `send`, where there is
        nothing between the two."""
        self._write, self._unsent, self._direct = write, unsent, direct

    def keep(self, rest: bytes) -> None:
        """Give the transport what the socket did not take."""
        self.queue()
        self._write(rest)

    def queue(self) -> None:
        """Something waits in the transport, perhaps: what comes next must not pass it by."""
        if not self._is_closed:
            self.send = self._behind

    def _behind(self, data: bytes) -> int:
        """Write behind what waits in the transport; when nothing does, go past it again."""
        if self._direct is not None and not self._unsent():
            self.send = self._direct
            return self._direct(data)
        self._write(data)
        return len(data)

    def hold(self) -> None:
        """Sort what came while the client does not read."""
        if self.waiting is not None and self.frames:
            fits = self.waiting.hold(self._turn.origins.of(self.frames))
            self.frames.clear()
            if not fits:
                overflow = self._overflow
                self.discard()
                overflow()

    def forget(self, lane: Lane) -> None:
        """The client left this lane."""
        self.hold()
        if self.waiting is not None:
            self.waiting.forget(lane)

    def pause(self) -> None:
        """The client's socket is full: hold what comes."""
        self._is_full = True
        if self.waiting is None and not self._is_closed:
            self.waiting = Waiting(self._limit, self._turn.tally)
            self._turn.wait_for(self)

    def resume(self) -> None:
        """The client reads again: write what waits, until its socket is full once more."""
        self._is_full = False
        self.hold()
        while self.waiting is not None and not self._is_full:  # a write may call `pause`
            frames = self.waiting.take(PIECE_BYTES)
            if not frames:
                self._wait_no_more()
                return
            self._turn.tally.delivered += len(frames)
            self.keep(b"".join(frames))

    def discard(self) -> None:
        """Forget what waits, and what may come: the client is being disconnected."""
        self.frames.clear()
        # Nothing leads back to the client any more: it goes without the garbage collector, who stops everybody to look.
        self._write = _nowhere
        self.send = len
        self._direct = None
        self._unsent = _nothing
        self._overflow = _nobody
        self._is_closed = True
        self._wait_no_more()

    def _wait_no_more(self) -> None:
        if self.waiting is not None:
            self._turn.wait_no_more(self)
        self.waiting = None
