"""Turns what a native client is sent into server-sent events (WHATWG HTML, section 9.2).  Pure.

Data becomes messages without a name, with an id that says where the reader is in all of its streams; everything else
(`gap`, `resumed`, `goodbye` …) becomes an event of that name, which `onmessage` does not hear of.  Pings become
comments.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from fsnats.websocket.reader import Opcode
from gateway.sse.places import Line, Place

HEARTBEAT = b": heartbeat\n\n"
BEGINNING = b"retry: 1000\n\n"  # milliseconds until a browser comes back
BACK_SOON = b"retry: 3000\n\n"  # the same where it could not be served

_NOWHERE = b"-"  # the id of who has no place in its one stream: an empty one would not come back

# Our own messages: whose they are, and where; the place is in the id, and normalised data tells its symbol itself.
_MARKS = rb'((?:,"(?:snapshot|recovered)":true|,"received":\d+)*),"epoch":(\d+),"seq":(\d+)'
_TYPED = re.compile(rb'(\{"type":"[^"]*"),"stream":"([^"]*)"' + _MARKS)
_RAW = re.compile(rb'(\{"stream":"([^"]*)")' + _MARKS)
_NAMED = re.compile(rb'\{"type":"([a-zA-Z_]+)"')
_SHARED_MOST = 4096  # bytes of a message whose event is kept for the other readers of the turn
_SHARED = 64  # such messages
_SHORT, _MIDDLE, _LONG = 2, 4, 10  # bytes of a frame's header, by what its second byte says of the length


class _Event(NamedTuple):
    """A message as an event, without its id, and the stream and place that it tells, if it does."""

    text: bytes
    stream: bytes = b""
    place: Place = (0, 0)


class Translation:
    """Of one reader.  `streams` are its streams' names in their order, `places` where it was in them before."""

    def __init__(self, streams: Sequence[str], places: Mapping[str, Place]) -> None:
        self._numbers = {name.encode(): number for number, name in enumerate(streams)}
        self._line = Line([places.get(name) for name in streams])

    def beginning(self) -> bytes:
        """What comes first: where the reader is, so that one that comes back before anything came is known to."""
        return BEGINNING + b"id: %b\n\n" % (str(self._line).encode() or _NOWHERE)

    def events(self, frames: bytes) -> bytes:
        """Whole, unmasked WebSocket frames as events."""
        out = []
        at = 0
        while at < len(frames):
            length, header = frames[at + 1], _SHORT
            if length == 126:
                length, header = int.from_bytes(frames[at + 2 : at + 4]), _MIDDLE
            elif length == 127:
                length, header = int.from_bytes(frames[at + 2 : at + 10]), _LONG
            opcode, start = frames[at] & 0x0F, at + header
            at = start + length
            if opcode == Opcode.TEXT:
                out.append(self._event(frames[start:at]))
            elif opcode == Opcode.PING:
                out.append(HEARTBEAT)
        return b"".join(out)

    def _event(self, text: bytes) -> bytes:
        event = _shared(text) if len(text) <= _SHARED_MOST else _event(text)
        if not event.stream:
            return event.text
        self._line.put(self._numbers[event.stream], event.place)
        return b"id: %b\n%b" % (str(self._line).encode(), event.text)


def _event(text: bytes) -> _Event:
    placed = _TYPED.match(text) or _RAW.match(text)
    if placed is None:
        named = _NAMED.match(text)
        return _Event(b"event: %b\n%b" % (named[1], _data(text)) if named else _data(text))
    head, name, marks, epoch, seq = placed.groups()
    return _Event(_data(head + marks + text[placed.end() :]), name, (int(epoch), int(seq)))


# Every reader of a stream is sent the same message: it is looked at once.
_shared = lru_cache(maxsize=_SHARED)(_event)


def ended(code: int, reason: str) -> bytes:
    """The last event: the code and reason with which a WebSocket would be closed."""
    return b"event: close\n" + _data(msgspec.json.encode({"code": code, "reason": reason}))


def _data(text: bytes) -> bytes:
    if b"\n" in text or b"\r" in text:  # Binance sends none; a line break would end the field
        text = text.replace(b"\r", b" ").replace(b"\n", b" ")  # between JSON's tokens, where else it cannot stand
    return b"data: %b\n\n" % text
