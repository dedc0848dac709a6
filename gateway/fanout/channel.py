"""One stream on one gateway: from a frame of the bus to the one finished WebSocket frame that all get.  Pure."""

from collections.abc import Callable, Iterable

from fsnats import notices
from fsnats.binance.streams import Loss, Stream
from fsnats.errors import FrameError
from fsnats.frames import GAP, LATE, Frame, Key, between, decode, follows, key_of
from fsnats.websocket.frames import text_header
from gateway.effects import Form
from gateway.fanout.candles import is_closed
from gateway.fanout.delays import MASK
from gateway.fanout.joining import Joining
from gateway.fanout.lane import Lane, Listener
from gateway.fanout.marks import marks_of, message, rendered, told
from gateway.fanout.origins import EVENT, NOTICE, STATE
from gateway.fanout.pacing import Timetable
from gateway.fanout.turn import Turn

Refill = Callable[["Channel", Key], None]
"""Reads what is missing after a key, and calls `refilled`."""


class Channel:
    """One stream on this gateway: its listeners, by the form they want, and what has come of it."""

    __slots__ = (
        "_choosy",
        "_epoch",
        "_joining",
        "_lanes",
        "_received_ns",
        "_refill",
        "_seq",
        "_times",
        "_turn",
        "behind",
        "newest",
        "stream",
    )

    def __init__(self, stream: Stream, turn: Turn, times: Timetable["Held"], refill: Refill | None = None) -> None:
        """Without `refill`, what is missing is told at once."""
        self.stream = stream
        self._refill = refill
        self.behind: Joining | None = None  # what came behind a hole that is being refilled
        self._turn = turn
        self._times = times
        self._lanes: dict[Form, Lane] = {}
        self._choosy: dict[Form, Lane] = {}  # those that do not take every message
        self._joining: dict[Joining, None] = {}
        self.newest: Frame | None = None  # of those with a payload
        self._epoch = 0
        self._seq = 0
        self._received_ns = 0

    def receive(self, _subject: str, _reply: str, data: bytes) -> None:
        """Take one message of the bus to every listener."""
        try:
            frame = decode(data)
        except FrameError:
            self._turn.tally.unreadable += 1
            return
        tally = self._turn.tally
        tally.frames = count = tally.frames + 1
        if not count & MASK and (delays := self._turn.hops.delays) is not None:
            delays.note(frame, self.stream.market)
        if frame.epoch == self._epoch and frame.seq == self._seq + 1 and self.behind is None:
            self._pass(frame)
        else:
            self._sort(frame)

    def _sort(self, frame: Frame) -> None:
        """Find a place for a frame that does not simply follow."""
        if self.behind is not None:
            self.behind.hold(frame)
            if self.behind.is_overrun:
                self.refilled(self.behind, [])
                self._take(frame)
        elif self._refill is not None and self._misses_events(frame):
            self.behind = Joining()
            self.behind.hold(frame)
            self._refill(self, self._key)
        else:
            self._take(frame)

    def begin_after(self, frame: Frame) -> None:
        """Somebody who listens has this frame: if the first one here does not follow it, something is missing."""
        if self._epoch == 0:
            self._epoch, self._seq, self._received_ns = frame.epoch, frame.seq, frame.received_ns

    def refilled(self, behind: Joining, before: list[Frame]) -> None:
        """Go on with what was missing, as far as it was to be had, and what came behind it."""
        if self.behind is not behind:
            return  # it took too long
        self.behind = None
        behind.leave()
        met = behind.meet(self._key, before)
        self._turn.tally.refilled += len(set(map(key_of, met.before)) - set(map(key_of, behind.held)))
        for frame in [*met.before, *met.live]:
            self._take(frame)

    def _misses_events(self, frame: Frame) -> bool:
        """Whether something is missing before a frame that listeners should have."""
        if (
            self._epoch == 0
            or frame.epoch < self._epoch
            or (self.stream.loss is Loss.STATE and not self.stream.interval)
        ):
            return False
        lost = between(self._key, frame)
        return lost is None or lost > 0

    @property
    def _key(self) -> Key:
        """Of the newest frame."""
        return self._epoch, self._seq

    def _take(self, frame: Frame) -> None:
        """Pass a frame on unless it came before; tell what is missing before it."""
        if not follows(self._key, frame):
            if frame.epoch == self._epoch and frame.seq <= self._seq:
                self._turn.tally.repeated += 1  # a worker sends again what may have been lost with NATS
                return
            self._broken(frame)
        self._pass(frame)

    def _pass(self, frame: Frame) -> None:
        self._epoch, self._seq, self._received_ns = frame.epoch, frame.seq, frame.received_ns
        for joining in self._joining:
            joining.hold(frame)
        if frame.flags & GAP:
            self._tell_gap(frame.payload, frame.received_ns)
        elif frame.flags & LATE:
            for lane in self._all():
                self._send(lane, self._rendered(lane, frame), frame.received_ns, EVENT, lane.listeners)
        else:
            self.newest = frame
            self._deliver(frame, self._lanes.values())
            if self._choosy:
                self._deliver(frame, self._chosen(frame))

    def _all(self) -> list[Lane]:
        return [*self._lanes.values(), *self._choosy.values()]

    def _chosen(self, frame: Frame) -> list[Lane]:
        """The lanes that do not take everything, and take this one now."""
        rank = self._rank(frame.payload)
        now = self._times.now()
        chosen = []
        for lane in self._choosy.values():
            pace = lane.pace
            if pace is None:
                if rank == EVENT:
                    chosen.append(lane)
            elif rank == EVENT or (at := pace.hold(frame, now)) == 0.0:
                pace.sent(now)
                lane.newcomers.clear()
                chosen.append(lane)
            else:
                if at is not None:
                    self._times.add(at, (self, lane))
                if lane.newcomers:  # the first message goes at once, whatever the others wait for
                    self._send(lane, self._rendered(lane, frame), frame.received_ns, rank, lane.newcomers)
                    lane.newcomers.clear()
        return chosen

    def release(self, lane: Lane) -> None:
        """Send what a lane has held, if its time has come."""
        assert lane.pace is not None
        frame = lane.pace.release(self._times.now())
        if frame is not None:
            self._deliver(frame, [lane])

    def _deliver(self, frame: Frame, lanes: Iterable[Lane]) -> None:
        turn = self._turn
        dirty = turn.dirty
        payload = frame.payload
        rank = self._rank(payload) if turn.slow else 0
        for lane in lanes:
            prefix, suffix = lane.prefix, lane.suffix
            if lane.marks:
                prefix = lane.form.marked(self._marks(lane, frame))
            if lane.is_shaped:
                text = message(lane.form, frame, turn.hops, self.stream)
                finished = turn.deflater.text(text) if lane.deflated else text_header(len(text)) + text
            elif lane.deflated:
                finished = turn.deflater.text(prefix + payload + suffix)
            else:
                finished = b"%b%b%b%b" % (
                    text_header(len(prefix) + len(payload) + len(suffix)),
                    prefix,
                    payload,
                    suffix,
                )
            if rank:
                turn.origins.note(finished, lane, frame.published_ns or frame.received_ns, rank)
            for listener in lane.listeners:
                frames = listener.frames
                if not frames:
                    dirty.append(listener)
                frames.append(finished)

    def _marks(self, lane: Lane, frame: Frame) -> bytes:
        return marks_of(frame, lane.marks, self._turn.hops, self.stream.market)

    def _rank(self, payload: bytes) -> int:
        """What it means to miss a payload: for those who wait."""
        stream = self.stream
        if stream.loss is Loss.EVENTS or (stream.interval and is_closed(payload)):
            return EVENT
        return STATE

    def _tell_gap(self, notice: bytes, received_ns: int) -> None:
        self._turn.tally.gaps += 1
        # A candle that cannot be had may be a closed one.
        rank = NOTICE if self.stream.loss is Loss.STATE and not self.stream.interval else EVENT
        for lane in self._all():
            if lane.form.gap:
                self._send(lane, told(lane.form, notice), received_ns, rank, lane.listeners)

    def _rendered(self, lane: Lane, frame: Frame) -> bytes | None:
        return rendered(lane.form, frame, self._turn.hops, self.stream)

    def _send(
        self, lane: Lane, finished: bytes | None, received_ns: int, rank: int, listeners: Iterable[Listener]
    ) -> None:
        """Send something that does not come every day, unless it is nothing to them."""
        if finished is None:
            return
        turn = self._turn
        if turn.slow:
            turn.origins.note(finished, lane, received_ns, rank)
        for listener in listeners:
            turn.give(listener, finished)

    def _broken(self, frame: Frame) -> None:
        """The frame does not follow the one before: say what that means, unless it is the first one."""
        if self._epoch == 0:
            return
        lost = between(self._key, frame)
        if lost is None:
            reason = "the worker was restarted"
        elif lost == 1 and self.newest is None:
            # Nothing was live here: somebody resumed, see `begin_after`.  A worker leaves one out of what rested.
            reason = "nobody wanted the stream for a while"
        elif lost > 0:
            self._turn.tally.lost += lost
            reason = "lost on the way from the worker"
        else:
            return
        before, after = self._received_ns // 1_000_000, frame.received_ns // 1_000_000
        self._tell_gap(notices.gap(self.stream, before, after, "ms", reason), frame.received_ns)

    @property
    def listeners(self) -> int:
        """How many (client, form) pairs listen."""
        return sum(len(lane.listeners) for lane in self._all())

    def join(self, form: Form, listener: Listener) -> None:
        """Deliver to this listener, in this form."""
        lanes = self._lanes_of(form)
        lane = lanes.get(form)
        if lane is None:
            lane = lanes[form] = Lane(self.stream, form)
        if lane.pace is not None and listener not in lane.listeners:
            lane.newcomers[listener] = None
        lane.listeners[listener] = None

    def part(self, form: Form, listener: Listener) -> bool:
        """Undo `join`.  True when nobody listens any more."""
        lanes = self._lanes_of(form)
        lane = lanes.get(form)
        if lane is not None and listener in lane.listeners:
            del lane.listeners[listener]
            lane.newcomers.pop(listener, None)
            listener.forget(lane)
            if not lane.listeners:
                del lanes[form]
        return self.is_idle

    def hold(self, joining: Joining) -> None:
        """Give each frame to one who is about to join."""
        self._joining[joining] = None

    def let_go(self, joining: Joining) -> None:
        """Undo `hold`."""
        self._joining.pop(joining, None)

    @property
    def is_idle(self) -> bool:
        """Whether nobody listens, or is about to."""
        return not self._lanes and not self._choosy and not self._joining

    def _lanes_of(self, form: Form) -> dict[Form, Lane]:
        delivery = form.delivery
        return self._choosy if delivery.closed_only or delivery.max_rate is not None else self._lanes


Held = tuple[Channel, Lane]
"""A lane that holds something, and whose it is."""
