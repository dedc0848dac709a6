"""What a client can be told beside a payload: its place in the stream, and when it was where.  Pure."""

import re
from collections.abc import Callable, Mapping

import msgspec

from fsnats import notices
from fsnats.binance.streams import Market, Stream
from fsnats.errors import Unusable
from fsnats.frames import GAP, LATE, Frame
from fsnats.normalised import body
from fsnats.offset import Offset
from fsnats.websocket.frames import text
from gateway.effects import Form, Marks, Shape
from gateway.fanout.candles import is_closed
from gateway.fanout.delays import Delays

RECOVERED = b',"recovered":true'
HISTORY = b',"history":true'

# The event time stands at the beginning of every payload that has one.
_EVENT_TIME = re.compile(rb'"E":(\d+)')
_WITHIN = 200  # bytes; rows of array streams have it in the first row


def _zero() -> int:
    return 0


class Hops(msgspec.Struct):
    """Where this gateway's own times come from; all are nanoseconds since 1970."""

    read_ns: Callable[[], int] = _zero  # when the bus was read last
    now_ns: Callable[[], int] = _zero
    offsets: Mapping[Market, Offset] = {}  # how far each exchange's clock is ahead, where that is known
    delays: Delays | None = None


def marks_of(frame: Frame, wanted: Marks, hops: Hops, market: Market) -> bytes:
    """The fields that a listener wants, each with a comma before it."""
    marks = b""
    if wanted & Marks.PLACE:
        marks += b',"epoch":%d,"seq":%d' % (frame.epoch, frame.seq)
    if wanted & Marks.STAMPS:
        marks += _stamps(frame, hops, market)
    return marks


def rendered(form: Form, frame: Frame, hops: Hops, stream: Stream, more: bytes = b"") -> bytes | None:
    """A frame for those who get it apart from others, with `more` marks; None where they do not want it, or their
    dialect has no word for it."""
    if frame.flags & GAP:
        return told(form, frame.payload) if form.gap else None
    if form.delivery.closed_only and not is_closed(frame.payload):
        return None
    if frame.flags & LATE:
        if not form.gap:
            return None
        more += RECOVERED
    return text(message(form, frame, hops, stream, more))


def message(form: Form, frame: Frame, hops: Hops, stream: Stream, more: bytes = b"") -> bytes:
    """The text of a frame's message.  A payload that cannot be had in the form's shape is told as a gap."""
    marks = more + marks_of(frame, form.delivery.marks, hops, stream.market)
    prefix = form.marked(marks) if marks else form.prefix
    try:
        return prefix + shaped(form.shape, stream, frame.payload, frame.received_ns) + form.suffix
    except Unusable:
        at_ms = frame.received_ns // 1_000_000
        return form.gap + notices.gap(stream, at_ms, at_ms, "ms", "not understood") + b"}"


def shaped(shape: Shape, stream: Stream, payload: bytes, received_ns: int) -> bytes:
    """What stands between the two halves of a form.  Raises Unusable for a payload that has no such shape."""
    if shape is Shape.PAYLOAD:
        return payload
    return body(stream, payload, received_ns // 1_000_000, exact=shape is Shape.EXACT)


def told(form: Form, notice: bytes) -> bytes:
    """A notice of a gap, in a form that has a word for it."""
    assert form.gap
    return text(form.gap + notice + b"}")


def snapshot(frame: Frame) -> bytes:
    """The mark of a value that is not news; it says how old it is."""
    return b',"snapshot":true,"received":%d' % (frame.received_ns // 1_000_000)


def _stamps(frame: Frame, hops: Hops, market: Market) -> bytes:
    """Milliseconds of the exchange's clock, nanoseconds of ours."""
    event = _EVENT_TIME.search(frame.payload, 0, _WITHIN)
    offset = hops.offsets.get(market)
    return b',"stamps":{"event":%b,"received":%d,"published":%d,"gateway":%d,"sent":%d,"offset":%b}' % (
        event[1] if event else b"null",
        frame.received_ns,
        frame.published_ns,
        hops.read_ns(),
        hops.now_ns(),
        b"null" if offset is None else b"%.1f" % offset.offset_ms,
    )
