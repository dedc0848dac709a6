"""From one message of a feed to one frame on the bus: the hot path of a worker."""

import logging
from collections.abc import Callable

import msgspec

from fsnats import frames
from fsnats.binance.commands import Reply
from fsnats.binance.streams import Market, Scope, Stream
from fsnats.subjects import subject_of
from workers.ingest.arrays import own_rows

logger = logging.getLogger(__name__)

_SAMPLE_BYTES = 200  # how much of a message that cannot be read is logged


class _Combined(msgspec.Struct):
    """A message of a combined connection.  Control replies have no `stream`."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Combined).decode
_decode_reply = msgspec.json.Decoder(Reply).decode


class Line(msgspec.Struct):
    """One stream on its way through: where it goes and how many frames went."""

    stream: Stream
    subject: str
    mixed: bool  # an all-market stream of a futures host: other markets' rows are taken out
    seq: int = 0
    received_ns: int = 0  # of the newest message


class Router:
    """Counts, wraps and publishes.  One per worker: a stream's sequence goes on when it moves to another feed."""

    def __init__(self, market: Market, publish: Callable[[str, bytes], bool], epoch: int) -> None:
        """`epoch` is when this worker started, nanoseconds since 1970."""
        self._market = market
        self._publish = publish
        self._epoch = epoch
        self._lines: dict[str, Line] = {}
        self.messages = 0
        self.unpublished = 0  # the bus was down
        self.unreadable = 0
        self.unasked = 0  # streams nobody here carries: late messages after an UNSUBSCRIBE

    def carry(self, streams: dict[str, Stream]) -> None:
        """Route exactly these streams from now on.  A stream that returns later goes on counting."""
        for name, stream in streams.items():
            if name not in self._lines:
                mixed = stream.scope is Scope.ALL and self._market is not Market.SPOT
                self._lines[name] = Line(stream, subject_of(self._market, name), mixed)

    def line(self, name: str) -> Line | None:
        """What went through for one stream so far."""
        return self._lines.get(name)

    def receive(self, data: bytes, received_ns: int) -> Reply | str | None:
        """Handle one text message.

        Returns the name of the stream it belonged to, the `Reply` when it answers a control message, or None when
        nothing could be made of it.
        """
        self.messages += 1
        try:
            message = _decode(data)
        except msgspec.DecodeError as error:
            self._unreadable(data, error)
            return None
        name = message.stream
        line = self._lines.get(name)
        if line is None:
            return self._other(name, data)
        payload = bytes(message.data)
        if line.mixed:
            try:
                kept = own_rows(self._market, payload)
            except msgspec.DecodeError as error:
                self._unreadable(data, error)
                return None
            if kept is None:
                return name
            payload = kept
        line.seq = seq = line.seq + 1
        line.received_ns = received_ns
        frame = frames.encode(frames.Frame(frames.VERSION, name, received_ns, self._epoch, seq, 0, payload))
        if not self._publish(line.subject, frame):
            self.unpublished += 1
        return name

    def _other(self, name: str, data: bytes) -> Reply | None:
        if name:
            self.unasked += 1
            return None
        try:
            return _decode_reply(data)
        except msgspec.DecodeError as error:
            self._unreadable(data, error)
            return None

    def _unreadable(self, data: bytes, error: Exception) -> None:
        self.unreadable += 1
        if self.unreadable == 1:
            sample = bytes(data[:_SAMPLE_BYTES]).decode(errors="replace")
            logger.warning("a message cannot be read", extra={"error": str(error), "sample": sample})
