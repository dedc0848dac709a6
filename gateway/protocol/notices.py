"""What the native dialect says unasked of a market's symbols."""

from fsnats.binance.streams import Stream
from fsnats.changes import Change
from gateway.protocol.topics import SYMBOLS
from gateway.protocol.wire import encode


def symbols(change: Change) -> bytes:
    """How a market's list changed, for those who asked."""
    lists = {"listed": change.listed, "delisted": change.delisted, "halted": change.halted, "resumed": change.resumed}
    return encode({"type": SYMBOLS, "market": change.market, **lists, "time": change.at_ms})


def ended(stream: Stream, reason: str, at_ms: int) -> bytes:
    """The stream, subscribed by its name, is silent from now on: a gap without an end."""
    gap = {"e": "gap", "stream": stream.name, "from": at_ms, "to": at_ms, "unit": "ms", "reason": reason}
    return encode({"type": "gap", "market": stream.market, "data": gap})
