"""From one message of a feed to one frame on the bus: the hot path of a worker."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from fsnats.binance.commands import Reply
from fsnats.binance.events import KNOWN, event_time, event_type
from fsnats.binance.streams import Market, Scope, Stream
from fsnats.errors import UNREADABLE
from fsnats.frames import CONTINUES, VERSION, Frame, encode
from fsnats.subjects import subject_of
from workers.ingest.arrays import own_rows
from workers.ingest.delays import Delays
from workers.ingest.line import Line, NoRepairs, Repairs
from workers.ingest.oddities import LARGE_BYTES, Kind, Oddities, kind_of
from workers.ingest.track import ALWAYS, NEXT, OLD, Missing, tracker_of

AHEAD_NS = 1_000_000_000  # by which an event may be ahead of this machine's clock, which is not known any better
_LOOK_MASK = 15  # one of sixteen messages of a stream is looked at: to look at each would cost 0.3 of 2.8 µs
_TIME_MASK = 63  # one of 64, among these, is timed
_LOOK_OLD = 64  # one of so many messages that came already, by their ids, is looked at: it may be a new one
_SHUTDOWN = "!serverShutdown"  # the pseudo stream that announces the end of a connection
HELD_MESSAGES = 10_000  # of one stream while a hole before them is being filled: 2 s of the busiest stream, tenfold


class Shutdown:
    """The exchange announced that it will end the connection."""


class _Combined(msgspec.Struct):
    """A message of a combined connection.  Control replies have no `stream`; a raw shutdown notice has `e`."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()
    e: str = ""


_NOTHING: Mapping[str, Frame] = {}
_decode = msgspec.json.Decoder(_Combined).decode
_decode_reply = msgspec.json.Decoder(Reply).decode


class Router:
    """Counts, wraps and publishes.  One per worker: a stream's sequence goes on when it moves to another feed."""

    def __init__(
        self,
        market: Market,
        publish: Callable[[str, bytes], bool],
        epoch: int,
        repairs: Repairs | None = None,
        now_ns: Callable[[], int] = lambda: 0,
        delays: Delays | None = None,
    ) -> None:
        """`epoch` is when this worker started, and `now_ns` the time now, nanoseconds since 1970; `delays` hears of
        those messages that are looked at."""
        self._market = market
        self._publish = publish
        self.epoch = epoch  # in which it counts: not to be changed once something was published
        self._repairs = repairs or NoRepairs()
        self._now_ns = now_ns
        self._delays = delays or Delays(market, {})
        self._lines: dict[str, Line] = {}
        self._resting: dict[str, Line] = {}  # not carried now; their counts go on
        self.messages = 0
        self.unpublished = 0  # the bus was down
        self.oddities = Oddities()
        self.unasked = 0  # streams nobody here carries: late messages after an UNSUBSCRIBE
        self.duplicates = 0  # came already over another connection, or again over this one
        self.holes = 0
        self._uncounted = 0  # numbers that are no frames of this worker's

    @property
    def frames(self) -> int:
        """How many were published: the streams count them."""
        return sum(line.seq for line in (*self._lines.values(), *self._resting.values())) - self._uncounted

    def strange(self, names: Iterable[str]) -> list[str]:
        """Of these streams, those that were never carried."""
        return [name for name in names if name not in self._lines and name not in self._resting]

    def carry(self, streams: dict[str, Stream], inherited: Mapping[str, Frame] = _NOTHING) -> None:
        """Route exactly these streams from now on.  A stream that returns later goes on counting, one number on.

        One that was never carried goes on after its frame in `inherited`: the last one of the worker before.
        """
        for name in self._lines.keys() - streams.keys():
            self._resting[name] = self._lines.pop(name)
        for name in streams.keys() - self._lines.keys():
            stream = streams[name]
            mixed = stream.scope is Scope.ALL and self._market is not Market.SPOT
            tracker = tracker_of(stream) if stream.kind in ALWAYS else None
            line = Line(stream, subject_of(self._market, name), mixed, tracker)
            before = self._resting.pop(name, None)
            if before is not None and before.seq:
                # What came meanwhile nobody took: who comes back to the stream must see that something is missing.
                line.seq = before.seq + 1
                self._uncounted += 1
            elif name in inherited:
                self._continue(line, inherited[name])
            line.begun = line.seq
            self._lines[name] = line

    @property
    def carried(self) -> Mapping[str, Line]:
        """The lines of all streams that are carried, by name."""
        return self._lines

    def lines(self, names: Iterable[str]) -> list[Line]:
        """The lines of these streams, of those that are carried."""
        return [line for name in names if (line := self._lines.get(name)) is not None]

    def line(self, name: str) -> Line | None:
        """What is known of one stream."""
        return self._lines.get(name)

    def receive(self, data: bytes, received_ns: int) -> Line | Reply | Shutdown | None:
        """Handle one text message.

        Returns the stream's line, the `Reply` when it answers a control message, `Shutdown` for the notice, or None
        when nothing could be made of it.
        """
        split = self.split(data)
        if type(split) is not tuple:
            return split  # type: ignore[return-value]  # what is no tuple is one of the others
        line, payload = split
        self.accept(line, payload, received_ns)
        return line

    def split(self, data: bytes) -> tuple[Line, bytes] | Line | Reply | Shutdown | None:
        """Take a message apart, without any effect but counting.

        Returns line and payload; the line alone where nothing of the payload is this market's; otherwise as `receive`.
        """
        self.messages += 1
        try:
            message = _decode(data)
            if not data.isascii():
                # The payload as well, of which a decoder only finds the end: a client ends a connection for it.
                data.decode()
        except UNREADABLE as error:
            self._unreadable(data, error)
            return None
        line = self._lines.get(message.stream)
        if line is None:
            return self._other(message, data)
        payload = bytes(message.data)
        if not payload:
            self.oddities.note(Kind.SHAPE, data)
            return None
        if line.mixed:
            try:
                kept = own_rows(self._market, payload)
            except UNREADABLE as error:
                self._unreadable(data, error)
                return None
            if kept is None:
                return line
            payload = kept
        return line, payload

    def accept(self, line: Line, payload: bytes, received_ns: int) -> bool:
        """Publish a payload unless it came already, and return whether it was new.

        Where one is missing before it, that is filled or told first.
        """
        if line.resuming:
            line.resuming = False
            if line.tracker is None:
                # The new connection may lag, and bring once more what the lost one brought.
                line.follow()
                line.briefly = True
            self._repairs.resumed(line, payload)
        tracker = line.tracker
        if tracker is not None:
            try:
                verdict = tracker.see(payload)
            except UNREADABLE as error:
                # Of a shape we do not know: it passes, only its place in the sequence cannot be looked at.
                self._unreadable(payload, error)
                verdict = OLD if line.is_copy(payload) else NEXT
            if verdict is not NEXT:
                if isinstance(verdict, Missing):
                    self.holes += 1
                    self._repairs.missing(line, verdict)
                else:  # OLD
                    self.duplicates += 1
                    if self.duplicates % _LOOK_OLD or not self._begins_anew(line, payload):
                        return False
            if line.briefly:
                line.unfollow()
        if line.held is not None:
            line.held.append((payload, received_ns, 0))
            if len(line.held) > HELD_MESSAGES:
                self._repairs.crowded(line)
            return True
        self.publish(line, payload, received_ns, 0)
        return True

    def publish(self, line: Line, payload: bytes, received_ns: int, flags: int) -> None:
        """Publish one payload as the stream's next frame."""
        line.seq = seq = line.seq + 1
        published_ns = self._now_ns()
        if not flags:
            line.newest = payload
            line.received_ns = received_ns
            line.payload_bytes += len(payload)
            if seq & _LOOK_MASK == 1:
                at = self._look(payload, received_ns)
                if seq & _TIME_MASK == 1:
                    self._delays.note(at, received_ns, published_ns)
        else:
            line.aside += 1
        if line.continues:
            line.continues = False
            flags |= CONTINUES
        name = line.stream.name
        frame = encode(Frame(VERSION, name, received_ns, self.epoch, seq, flags, payload, published_ns))
        if not self._publish(line.subject, frame):
            self.unpublished += 1
            if len(payload) >= LARGE_BYTES:
                self.oddities.note(Kind.LARGE, payload)

    def _continue(self, line: Line, last: Frame) -> None:
        try:
            if line.tracker is not None:
                line.tracker.see(last.payload)
        except UNREADABLE as error:
            self._unreadable(last.payload, error)
            return
        line.seq = last.seq
        self._uncounted += last.seq
        line.newest = last.payload
        line.resuming = line.continues = True

    def _begins_anew(self, line: Line, payload: bytes) -> bool:
        """Whether what ids call old is newer by its time: then the exchange counts anew, and so does the tracker."""
        before, now = event_time(line.newest), event_time(payload)
        # What is held is not the newest yet: a copy of it would look newer than that.
        if line.held is not None or before is None or now is None or now <= before + AHEAD_NS // 1_000_000:
            return False
        line.tracker = tracker_of(line.stream)
        line.tracker.see(payload)
        self.holes += 1
        self._repairs.begun_anew(line, before, now)
        return True

    def _other(self, message: _Combined, data: bytes) -> Reply | Shutdown | None:
        if message.stream == _SHUTDOWN or message.e == _SHUTDOWN[1:]:
            return Shutdown()
        if message.stream in self._resting:
            self.unasked += 1
            return None
        if message.stream:
            self.oddities.note(Kind.LARGE if len(data) >= LARGE_BYTES else Kind.STREAM, data)
            return None
        try:
            reply = _decode_reply(data)
        except UNREADABLE as error:
            self._unreadable(data, error)
            return None
        if reply.id is None and reply.failure is None:
            self.oddities.note(Kind.SHAPE, data)  # an object that answers nothing
            return None
        return reply

    def _look(self, payload: bytes, received_ns: int) -> int | None:
        """Is it what it should be?  It passes in any case.  Its event time, where it tells one."""
        event = event_type(payload)
        if event is not None and event not in KNOWN:
            self.oddities.note(Kind.EVENT, payload)
        at = event_time(payload)
        if at is not None and at * 1_000_000 > received_ns + AHEAD_NS:
            self.oddities.note(Kind.FUTURE, payload)
        return at

    def _unreadable(self, data: bytes, error: Exception) -> None:
        self.oddities.note(kind_of(data, error), data, error)
