"""What the native dialect says unasked of a market's symbols."""

import msgspec

from fsnats import notices
from fsnats.binance.streams import Stream
from fsnats.changes import Change
from gateway.protocol.topics import SYMBOLS
from gateway.protocol.wire import encode


def changed(change: Change) -> bytes:
    """How a market's list changed, for those who asked."""
    lists = {"listed": change.listed, "delisted": change.delisted, "halted": change.halted, "resumed": change.resumed}
    return encode({"type": SYMBOLS, "market": change.market, **lists, "time": change.at_ms})


def ended(stream: Stream, reason: str, at_ms: int) -> bytes:
    """The stream, subscribed by its name, is silent from now on: a gap without an end."""
    gap = msgspec.Raw(notices.gap(stream, at_ms, at_ms, "ms", reason))
    return encode({"type": "gap", "market": stream.market, "data": gap})
