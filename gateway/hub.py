"""Who listens to what, and the one finished frame that all of them get.  A pure data structure: the hub never touches a
socket or the bus."""

from collections.abc import Callable, Iterable, Iterator

from fsnats import notices
from fsnats.binance.streams import Market, Stream
from fsnats.errors import FrameError
from fsnats.frames import CONTINUES, GAP, LATE, Frame, decode
from fsnats.websocket.frames import text_header
from gateway.effects import Form
from gateway.outbox import Outbox
from gateway.tally import Tally

Key = tuple[Market, str]


class Channel:
    """One stream on this gateway: its listeners, by the form they want, and what has come of it."""

    __slots__ = ("_dirty", "_epoch", "_forms", "_received_ns", "_seq", "_tally", "stream")

    def __init__(self, stream: Stream, dirty: list[Outbox], tally: Tally) -> None:
        """`dirty` collects the outboxes that have something to flush at the end of this turn."""
        self.stream = stream
        self._dirty = dirty
        self._tally = tally
        # A dict for its order and its constant-time removal; the values mean nothing.
        self._forms: dict[Form, dict[Outbox, None]] = {}
        self._epoch = 0
        self._seq = 0
        self._received_ns = 0

    def receive(self, _subject: str, _reply: str, data: bytes) -> None:
        """Take one message of the bus to every listener."""
        try:
            frame = decode(data)
        except FrameError:
            self._tally.unreadable += 1
            return
        self._tally.frames += 1
        if frame.epoch != self._epoch or frame.seq != self._seq + 1:
            if frame.epoch == self._epoch and frame.seq <= self._seq:
                self._tally.repeated += 1  # a worker sends again what may have been lost with NATS
                return
            self._broken(frame)
        self._epoch, self._seq, self._received_ns = frame.epoch, frame.seq, frame.received_ns
        if frame.flags & GAP:
            self._tell_gap(frame.payload)
        elif frame.flags & LATE:
            # Not for dialects in which ids never go back.
            late = [(Form(form.late, form.suffix), outboxes) for form, outboxes in self._forms.items() if form.late]
            self._deliver(late, frame.payload)
        else:
            self._deliver(self._forms.items(), frame.payload)

    def _deliver(self, forms: Iterable[tuple[Form, dict[Outbox, None]]], payload: bytes) -> None:
        dirty = self._dirty
        for (prefix, suffix, _, _), listeners in forms:
            finished = b"%b%b%b%b" % (
                text_header(len(prefix) + len(payload) + len(suffix)),
                prefix,
                payload,
                suffix,
            )
            for outbox in listeners:
                frames = outbox.frames
                if not frames:
                    dirty.append(outbox)
                frames.append(finished)

    def _tell_gap(self, notice: bytes) -> None:
        self._tally.gaps += 1
        self._deliver(
            [(Form(form.gap, b"}"), listeners) for form, listeners in self._forms.items() if form.gap], notice
        )

    def _broken(self, frame: Frame) -> None:
        """The frame does not follow the one before: say what that means, unless it is the first one."""
        if self._epoch == 0:
            return
        if frame.epoch > self._epoch and not (frame.flags & CONTINUES and frame.seq > self._seq):
            reason = "the worker was restarted"
        elif frame.epoch >= self._epoch and frame.seq > self._seq + 1:
            self._tally.lost += frame.seq - self._seq - 1
            reason = "lost on the way from the worker"
        else:
            return
        before, after = self._received_ns // 1_000_000, frame.received_ns // 1_000_000
        self._tell_gap(notices.gap(self.stream, before, after, "ms", reason))

    @property
    def listeners(self) -> int:
        """How many (client, form) pairs listen."""
        return sum(map(len, self._forms.values()))


class Hub:
    """All channels of a gateway.

    `first` is called for a stream that gets its first listener and `last` when the last one leaves: only those two
    moments concern the bus.
    """

    def __init__(self, first: Callable[[Channel], None], last: Callable[[Channel], None], tally: Tally) -> None:
        self._tally = tally
        self._first = first
        self._last = last
        self._channels: dict[Key, Channel] = {}
        self._dirty: list[Outbox] = []

    def listen(self, stream: Stream, form: Form, outbox: Outbox) -> None:
        """Send every payload of `stream` in `form` to `outbox`.  Asking twice changes nothing."""
        key = (stream.market, stream.name)
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = Channel(stream, self._dirty, self._tally)
            self._first(channel)
        channel._forms.setdefault(form, {})[outbox] = None

    def leave(self, stream: Stream, form: Form, outbox: Outbox) -> None:
        """Undo `listen`.  Leaving what was never listened to changes nothing."""
        key = (stream.market, stream.name)
        channel = self._channels.get(key)
        if channel is None or outbox not in channel._forms.get(form, {}):
            return
        del channel._forms[form][outbox]
        if not channel._forms[form]:
            del channel._forms[form]
        if not channel._forms:
            del self._channels[key]
            self._last(channel)

    def touch(self, outbox: Outbox, frame: bytes) -> None:
        """Send one client a finished frame of its own (a reply), in order with its data."""
        if not outbox.frames:
            self._dirty.append(outbox)
        outbox.frames.append(frame)

    def flush(self) -> None:
        """Write what this turn has brought, one write a client."""
        dirty = self._dirty
        for outbox in dirty:
            outbox.flush()
        dirty.clear()

    def __iter__(self) -> Iterator[Channel]:
        return iter(self._channels.values())

    def __len__(self) -> int:
        return len(self._channels)
