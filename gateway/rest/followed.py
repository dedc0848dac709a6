"""Streams that are listened to because somebody polls over REST what they tell.

The first question goes to the exchange.  Who asks again within seconds has the stream subscribed, as if he listened to
it, until nobody has asked for a while: then its newest message answers, as long as it is new enough.  A stream that is
silent, late or interrupted answers nothing, and the exchange is asked as before.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, Protocol

from fsnats.binance.streams import Market, Stream
from fsnats.clock import Clock
from fsnats.errors import UNREADABLE
from fsnats.frames import GAP, LATE, RECOVERED, SNAPSHOT, Frame
from fsnats.offset import Offset
from gateway.fanout.joining import Joining
from gateway.rest.live import KNOWN, Live, Message, read, terms_of

AGAIN = 15.0  # seconds within which a second question makes it polling
IDLE = 60.0  # seconds without a question after which a stream is left
MOST = 200  # streams that one gateway follows
_REMEMBERED = 2000  # first questions
_LAG = 0.5  # seconds that a message may have taken from the exchange to us, by its own event time
_AHEAD = 1.0  # seconds that clocks may differ

Key = tuple[Market, str]


class Hub(Protocol):
    """What the gateway listens to."""

    def carries(self, stream: Stream) -> bool: ...

    def hold(self, stream: Stream, joining: Joining) -> None: ...

    def let_go(self, stream: Stream, joining: Joining) -> None: ...


class Found(NamedTuple):
    """An answer, and for how many seconds its message has been here."""

    body: bytes
    age: float


class _Newest(Joining):
    """Keeps the newest frame of one stream, and when it came."""

    def __init__(self, stream: Stream, clock: Clock) -> None:
        super().__init__()
        self.stream = stream
        self._clock = clock
        self.frame: Frame | None = None
        self.came = 0.0
        self.asked = clock.monotonic()
        self.answered = 0.0  # when the exchange was asked last: what came before it may be older than what it said
        self.terms: Message = {}

    def hold(self, frame: Frame) -> None:
        if frame.flags & LATE:
            return
        # After a gap, or with what was fetched to fill one, it is not known what is newest: the next one is.
        self.frame = None if frame.flags & (GAP | RECOVERED | SNAPSHOT) else frame
        self.came = self._clock.monotonic()


class Followed:
    """The streams that this gateway follows for those who poll."""

    def __init__(
        self,
        hub: Hub,
        offset: Callable[[Market], Offset | None],
        clock: Clock,
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        """`later` calls a function after so many seconds."""
        self._hub = hub
        self._offset = offset
        self._clock = clock
        self._later = later
        self._streams: dict[Key, _Newest] = {}
        self._first: OrderedDict[Key, float] = OrderedDict()  # when what is not followed was asked last

    def __len__(self) -> int:
        return len(self._streams)

    def answer(self, live: Live) -> Found | None:
        """What the stream's newest message answers; None where the exchange must be asked."""
        newest = self._streams.get(_key(live))
        if newest is None:
            return None
        newest.asked = now = self._clock.monotonic()
        frame, age = newest.frame, now - newest.came
        if frame is None or age > live.age or newest.came <= newest.answered:
            return None
        held = (self._clock.time_ns() - frame.received_ns) / 1e9  # since a worker read it, if the clocks agree
        if not -_AHEAD <= held <= live.age:
            return None
        try:
            message = read(frame.payload)
        except UNREADABLE:
            return None
        if not self._is_of_now(live, message):
            return None
        body = live.body(message, newest.terms if now - newest.answered <= KNOWN else {})
        return None if body is None else Found(body, max(age, held))

    def _is_of_now(self, live: Live, message: Message) -> bool:
        """Whether an event is as new as its arrival: the exchange itself may lag."""
        if "E" not in message:
            return True
        offset = self._offset(live.stream.market)
        now = self._clock.time_ns() / 1e9 + (offset.offset_ms / 1000 if offset is not None else 0.0)
        return -_AHEAD <= now - int(bytes(message["E"])) / 1000 <= live.age + _LAG

    def asked(self, live: Live, body: bytes) -> None:
        """The exchange was asked, and answered `body`."""
        key, now = _key(live), self._clock.monotonic()
        newest = self._streams.get(key)
        if newest is None and self._is_polled(key, live.stream, now):
            newest = self._follow(key, live.stream)
        if newest is not None:
            newest.answered, newest.terms = now, terms_of(body)

    def _is_polled(self, key: Key, stream: Stream, now: float) -> bool:
        before = self._first.pop(key, None)
        # What somebody listens to anyway costs nothing to follow.
        if len(self._streams) < MOST and (self._hub.carries(stream) or (before is not None and now - before <= AGAIN)):
            return True
        self._first[key] = now
        if len(self._first) > _REMEMBERED:
            self._first.popitem(last=False)
        return False

    def _follow(self, key: Key, stream: Stream) -> _Newest:
        if not self._streams:
            self._later(IDLE, self._leave)
        newest = self._streams[key] = _Newest(stream, self._clock)
        self._hub.hold(stream, newest)
        return newest

    def _leave(self) -> None:
        """Leave what nobody asks for any more."""
        now = self._clock.monotonic()
        for key, newest in list(self._streams.items()):
            if now - newest.asked >= IDLE:
                del self._streams[key]
                self._hub.let_go(newest.stream, newest)
        if self._streams:
            self._later(IDLE, self._leave)


def _key(live: Live) -> Key:
    return live.stream.market, live.stream.name
