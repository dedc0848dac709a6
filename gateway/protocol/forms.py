"""The envelopes around payloads.  The payload itself is spliced between a form's two halves, never re-encoded."""

from enum import StrEnum

from fsnats.binance.streams import Stream
from fsnats.errors import Unusable
from fsnats.normalised import type_of
from gateway.effects import DATA, PLAIN, Delivery, Form, Marks, Shape
from gateway.protocol.wire import encode


class Envelope(StrEnum):
    """How the native dialect wraps what was subscribed by `streamType`."""

    TYPED = "typed"  # {"type": …, "data": <payload>}, as the client guide shows
    COMBINED = "combined"  # {"type": …, "data": {"stream": …, "data": <payload>}}, as the old README showed
    NORMALISED = "normalised"  # {"type": …, "data": <readable names and numbers>, "timestamp": …}
    EXACT = "exact"  # the same with strings for numbers


_SHAPES = {Envelope.NORMALISED: Shape.NORMALISED, Envelope.EXACT: Shape.EXACT}


_DECIMALS = {"number": Envelope.NORMALISED, "string": Envelope.EXACT}

BARE = Form(b"", b"")

# Payloads that do not say which stream they are of: spot's partial depth names no symbol at all, and on futures it
# looks like a diff (it is a snapshot).
_NEEDS_NAME = frozenset({"partialDepth"})


def combined(stream: Stream) -> Form:
    """Binance's combined framing."""
    return Form(b'{"stream":' + encode(stream.name) + b',"data":', b"}")


def normalised_with(decimal: str) -> Envelope:
    """The normalised envelope with decimals as a `number` or a `string`.  Raises Unusable for another word."""
    if decimal not in _DECIMALS:
        raise Unusable(f"unknown decimal '{decimal[:40]}'; allowed: {', '.join(_DECIMALS)}")
    return _DECIMALS[decimal]


def is_normalised(envelope: Envelope) -> bool:
    """Whether only streams that have a normalised form can be wrapped so."""
    return envelope in _SHAPES


def raw(stream: Stream, delivery: Delivery = PLAIN, *, name_market: bool, envelope: Envelope = Envelope.TYPED) -> Form:
    """The native dialect's form of a stream subscribed by its Binance name."""
    if envelope in _SHAPES:
        return _normalised(stream, delivery, _SHAPES[envelope], name_market=name_market)
    head = b'{"stream":' + encode(stream.name) + (_market(stream) if name_market else b"")
    return _native(stream, head, b',"data":', b"}", delivery)


def typed(
    stream_type: str, stream: Stream, envelope: Envelope, delivery: Delivery = PLAIN, *, name_market: bool
) -> Form:
    """The native dialect's form of a stream subscribed by `streamType`, the word the client used for it."""
    if envelope in _SHAPES:
        return _normalised(stream, delivery, _SHAPES[envelope], name_market=name_market)
    head = b'{"type":' + encode(stream_type)
    if name_market:
        head += _market(stream)
    if envelope is Envelope.COMBINED:
        return _native(stream, head, b',"data":{"stream":' + encode(stream.name) + b',"data":', b"}}", delivery)
    if stream.kind in _NEEDS_NAME:
        head += b',"stream":' + encode(stream.name)
    return _native(stream, head, b',"data":', b"}", delivery)


def _normalised(stream: Stream, delivery: Delivery, shape: Shape, *, name_market: bool) -> Form:
    head = b'{"type":' + encode(type_of(stream)) + (_market(stream) if name_market else b"")
    if delivery.marks & Marks.PLACE:  # a place is of use only to who knows whose it is
        head += b',"stream":' + encode(stream.name)
    return _native(stream, head, DATA, b"}", delivery)._replace(shape=shape)


def _native(stream: Stream, head: bytes, data: bytes, suffix: bytes, delivery: Delivery) -> Form:
    gap = b'{"type":"gap"' + _market(stream) + b',"data":'
    return Form(head + data, suffix, gap, delivery)


def _market(stream: Stream) -> bytes:
    return b',"market":' + encode(stream.market)
