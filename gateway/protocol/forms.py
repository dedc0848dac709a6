"""The envelopes around payloads.  The payload itself is spliced between a form's two halves, never re-encoded."""

from enum import StrEnum

from fsnats.binance.streams import Stream
from gateway.effects import PLAIN, Delivery, Form
from gateway.protocol.wire import encode


class Envelope(StrEnum):
    """How the native dialect wraps what was subscribed by `streamType`."""

    TYPED = "typed"  # {"type": …, "data": <payload>}, as the client guide shows
    COMBINED = "combined"  # {"type": …, "data": {"stream": …, "data": <payload>}}, as the old README showed


BARE = Form(b"", b"")

# Payloads that do not say which stream they are of: spot's partial depth names no symbol at all, and on futures it
# looks like a diff (it is a snapshot).
_NEEDS_NAME = frozenset({"partialDepth"})


def combined(stream: Stream) -> Form:
    """Binance's combined framing."""
    return Form(b'{"stream":' + encode(stream.name) + b',"data":', b"}")


def raw(stream: Stream, delivery: Delivery = PLAIN, *, name_market: bool) -> Form:
    """The native dialect's form of a stream subscribed by its Binance name."""
    head = b'{"stream":' + encode(stream.name) + (_market(stream) if name_market else b"")
    return _native(stream, head, b',"data":', b"}", delivery)


def typed(
    stream_type: str, stream: Stream, envelope: Envelope, delivery: Delivery = PLAIN, *, name_market: bool
) -> Form:
    """The native dialect's form of a stream subscribed by `streamType`, the word the client used for it."""
    head = b'{"type":' + encode(stream_type)
    if name_market:
        head += _market(stream)
    if envelope is Envelope.COMBINED:
        return _native(stream, head, b',"data":{"stream":' + encode(stream.name) + b',"data":', b"}}", delivery)
    if stream.kind in _NEEDS_NAME:
        head += b',"stream":' + encode(stream.name)
    return _native(stream, head, b',"data":', b"}", delivery)


def _native(stream: Stream, head: bytes, data: bytes, suffix: bytes, delivery: Delivery) -> Form:
    gap = b'{"type":"gap"' + _market(stream) + b',"data":'
    return Form(head + data, suffix, gap, delivery)


def _market(stream: Stream) -> bytes:
    return b',"market":' + encode(stream.market)
