"""Who listens to what: all streams of a gateway.  A pure data structure: the hub never touches a socket or the bus."""

from collections.abc import Callable, Iterator

from fsnats.binance.streams import BOOK_SPEEDS, Market, Stream
from fsnats.frames import Frame
from gateway.effects import Form
from gateway.fanout.channel import Channel, Held, Refill
from gateway.fanout.joining import Joining
from gateway.fanout.lane import Listener
from gateway.fanout.marks import Hops
from gateway.fanout.pacing import Timetable
from gateway.fanout.tally import Tally
from gateway.fanout.turn import Later, Turn, now

Key = tuple[Market, str]


class Hub:
    """All channels of a gateway.

    `first` is called for a stream that gets its first listener and `last` when the last one leaves: only those two
    moments concern the bus.  `hops` are the times that clients may ask for, `times` says when to call `release`,
    `later` calls back when what a turn has written is on its way.
    """

    def __init__(
        self,
        first: Callable[[Channel], None],
        last: Callable[[Channel], None],
        tally: Tally,
        hops: Hops | None = None,
        times: Timetable[Held] | None = None,
        refill: Refill | None = None,
        later: Later = now,
    ) -> None:
        self._first = first
        self._last = last
        self._channels: dict[Key, Channel] = {}
        self.turn = Turn(tally, hops, later)
        self._refill = refill
        self._times = Timetable() if times is None else times

    def listen(self, stream: Stream, form: Form, listener: Listener) -> None:
        """Send every payload of `stream` in `form` to `listener`.  Asking twice changes nothing."""
        self._channel(stream).join(form, listener)

    def leave(self, stream: Stream, form: Form, listener: Listener) -> None:
        """Undo `listen`.  Leaving what was never listened to changes nothing."""
        channel = self._channels.get((stream.market, stream.name))
        if channel is not None and channel.part(form, listener):
            self._close(channel)

    def hold(self, stream: Stream, joining: Joining) -> None:
        """Give every frame of `stream` to one who is about to listen."""
        self._channel(stream).hold(joining)

    def let_go(self, stream: Stream, joining: Joining) -> None:
        """Undo `hold`."""
        channel = self._channels.get((stream.market, stream.name))
        if channel is not None:
            channel.let_go(joining)
            if channel.is_idle:
                self._close(channel)

    def begin_after(self, stream: Stream, frame: Frame) -> None:
        """Of a stream that has brought nothing yet, what comes first is to follow this frame."""
        channel = self._channels.get((stream.market, stream.name))
        if channel is not None:
            channel.begin_after(frame)

    def newest(self, stream: Stream) -> Frame | None:
        """The newest frame with a payload, where one came since somebody listens."""
        channel = self._channels.get((stream.market, stream.name))
        return channel.newest if channel is not None else None

    def carries(self, stream: Stream) -> bool:
        """Whether somebody listens to a stream."""
        return (stream.market, stream.name) in self._channels

    def changes(self, market: Market, symbol: str) -> bool:
        """Whether somebody listens to the changes of a symbol's book."""
        return any((market, f"{symbol.lower()}@depth{speed}") in self._channels for speed in BOOK_SPEEDS)

    def beginning(self, market: Market, symbol: str) -> list[Stream]:
        """The streams of a book's changes that somebody listens to and that have brought nothing yet."""
        keys = ((market, f"{symbol.lower()}@depth{speed}") for speed in BOOK_SPEEDS)
        channels = (self._channels.get(key) for key in keys)
        return [channel.stream for channel in channels if channel is not None and channel.newest is None]

    def _channel(self, stream: Stream) -> Channel:
        key = (stream.market, stream.name)
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = Channel(stream, self.turn, self._times, self._refill)
            self._first(channel)
        return channel

    def _close(self, channel: Channel) -> None:
        del self._channels[channel.stream.market, channel.stream.name]
        self._last(channel)

    def touch(self, listener: Listener, frame: bytes) -> None:
        """Send one client a finished frame of its own (a reply), in order with its data."""
        self.turn.touch(listener, frame)

    def release(self) -> None:
        """Send what listeners with a rate have waited for long enough."""
        for channel, lane in self._times.due():
            channel.release(lane)
        self.flush()

    def flush(self) -> None:
        """Write what this turn has brought, one write a client."""
        self.turn.flush()

    def __iter__(self) -> Iterator[Channel]:
        return iter(self._channels.values())

    def __len__(self) -> int:
        return len(self._channels)
