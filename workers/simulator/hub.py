"""Who gets what: channels, their listeners, and the frames on their way.  Touches no socket and reads no clock but the
stamp's."""

import re
import time
from typing import Protocol

from fsnats.binance.streams import Market, Stream
from fsnats.websocket.frames import text
from workers.simulator.ledger import Events, Ledger

_EVENT_TIME = re.compile(rb'"E":(\d{13})(?=[,}])')
_FUTURE = 3_600_000  # milliseconds: an age of minus one hour
_TIMES = re.compile(rb'"([EtTOC])":(\d{13})(?=[,}])')


class Listener(Protocol):
    """A connection as the hub sees it."""

    combined: bool
    microseconds: bool
    muted: bool  # a ghost: alive by its pongs, but without data
    outbox: list[bytes]

    def flush(self) -> None:
        """Write what is in the outbox and empty it."""
        ...

    def backlog(self) -> int:
        """Bytes that were written and not yet taken by the reader's side."""
        ...


class Channel:
    """One stream of one market with at least one listener that gets it."""

    def __init__(self, market: Market, stream: Stream, events: Events) -> None:
        self.market = market
        self.stream = stream
        self.name = stream.name
        self.events = events
        self.listeners: list[Listener] = []
        self.head = f'{{"stream":"{stream.name}","data":'.encode()


class ChannelWatcher(Protocol):
    """Whoever produces the events of a channel while it exists."""

    def opened(self, channel: Channel) -> None: ...

    def closed(self, channel: Channel) -> None: ...


class Hub:
    """All channels."""

    def __init__(self, ledger: Ledger, *, record: bool, stamp: bool, judged: bool = False) -> None:
        """`judged` keeps identities for a judge; channels then outlive their listeners: what nobody hears happens."""
        self.channels: dict[tuple[Market, str], Channel] = {}
        self.watcher: ChannelWatcher | None = None
        self._ledger = ledger
        self._record = record
        self._stamp = stamp
        self._judged = judged
        self.skew = 0  # milliseconds that the exchange's clock is ahead
        self.odd = 0  # so many more events say a time of the future
        self._waiting: list[Listener] = []  # listeners with something in their outbox

    def join(self, listener: Listener, market: Market, stream: Stream) -> None:
        """Let a listener hear a stream from now on."""
        key = (market, stream.name)
        channel = self.channels.get(key)
        if channel is None:
            channel = self.channels[key] = Channel(market, stream, self._ledger.of(market, stream.name))
            channel.listeners.append(listener)
            if self.watcher is not None:
                self.watcher.opened(channel)
        elif listener not in channel.listeners:  # also the first one of a channel that outlived its listeners
            channel.listeners.append(listener)

    def leave(self, listener: Listener, market: Market, name: str) -> None:
        """Forget that a listener hears a stream, if it does."""
        channel = self.channels.get((market, name))
        if channel is None or listener not in channel.listeners:
            return
        channel.listeners.remove(listener)
        if not channel.listeners and not self._judged:
            del self.channels[market, name]
            if self.watcher is not None:
                self.watcher.closed(channel)

    def deliver(self, channel: Channel, payload: bytes, combined: bytes | None = None) -> None:
        """Put an event into the outboxes of all listeners; `combined` is its text in that framing where it is given."""
        if self.skew or self.odd:
            payload = shifted(payload, self.skew + (_FUTURE if self.odd else 0))
            combined = None
            self.odd = max(0, self.odd - 1)
        if self._stamp and payload[:1] == b"{":
            payload = b'{"TS":%d,%b' % (time.monotonic_ns(), payload[1:])
            combined = None
        events = channel.events
        events.produced += 1
        if self._judged:
            events.note(channel.stream.kind, payload, time.time_ns() // 1_000_000)
        if self._record:
            events.payloads.append(payload)
        bare = wrapped = None
        for listener in channel.listeners:
            if listener.muted:
                continue
            events.delivered += 1
            outbox = listener.outbox
            if not outbox:
                self._waiting.append(listener)
            if listener.microseconds:
                precise = in_microseconds(payload)
                outbox.append(text(channel.head + precise + b"}" if listener.combined else precise))
            elif listener.combined:
                if wrapped is None:
                    wrapped = text(combined or channel.head + payload + b"}")
                outbox.append(wrapped)
            else:
                if bare is None:
                    bare = text(payload)
                outbox.append(bare)

    def flush(self) -> None:
        """Have every listener write what it got: one write each, however many events there were."""
        waiting, self._waiting = self._waiting, []
        for listener in waiting:
            listener.flush()


def shifted(payload: bytes, milliseconds: int) -> bytes:
    """A payload of an exchange whose clock is off: event times move, the times of trades and candles are facts."""
    return _EVENT_TIME.sub(lambda match: b'"E":%d' % (int(match[1]) + milliseconds), payload)


def in_microseconds(payload: bytes) -> bytes:
    """A spot payload with its times in microseconds, as `timeUnit=MICROSECOND` asks; ends of candles stay ends."""

    def finer(match: re.Match[bytes]) -> bytes:
        end = match[1] == b"T" and match[2].endswith(b"999")
        return b'"%b":%b%b' % (match[1], match[2], b"999" if end else b"000")

    return _TIMES.sub(finer, payload)
