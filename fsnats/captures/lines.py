"""One line of a capture: a message as it came, when, and of what.  Pure.

A line is a JSON object:

t        when it was received, seconds since 1970 (float: what it cannot hold is in t_raw)
t_raw    the same as it was noted, text: nanoseconds in our own captures; seconds, ms or µs in those of others
market   spot, usdm or coinm
kind     ws: a message of a stream · gap: a notice that some are missing · rest: an answer of REST (others' captures) ·
         head: the first line of each of our files, which says whether the data is simulated
url      where it came from: `nats:<subject>` in our own
raw      the message in Binance's combined form `{"stream":…,"data":<payload>}`, byte for byte
base64   instead of raw (null), in the improbable case that the bytes are not UTF-8
epoch, seq, flags   of the frame that brought it, see `fsnats.frames`; only in our own
"""

import re
from base64 import b64encode
from typing import NamedTuple

import msgspec

from fsnats.binance.streams import Market
from fsnats.frames import GAP, Frame
from fsnats.subjects import subject_of

_COMBINED = re.compile(rb'\{"stream":"([^"]+)","data":')
_NEAR_NS = 1_000_000  # t and t_raw are the same moment; as a float it is off by less than a microsecond

_encode = msgspec.json.Encoder().encode


class Row(msgspec.Struct):
    """One line."""

    t: float
    market: Market
    kind: str
    url: str = ""
    t_raw: str = ""
    raw: str | None = None
    base64: bytes | None = None
    epoch: int = 0
    seq: int = 0
    flags: int = 0
    simulated: bool = False

    @property
    def received_ns(self) -> int:
        """When it was received, nanoseconds since 1970."""
        about = round(self.t * 1e6) * 1_000  # a float tells no more than microseconds
        whole, _, part = self.t_raw.partition(".")
        if (whole + part).isdecimal():
            for digits in (9, 6, 3, 0):  # the unit is not told: it is the one that agrees with `t`
                exact = int(whole + part[:digits].ljust(digits, "0"))
                if abs(exact - about) < _NEAR_NS:
                    return exact
        return about


class Message(msgspec.Struct, frozen=True, gc=False):
    """What one line says of a stream: `raw` is the text in combined form, `data` the payload inside.

    `due_ns` is its place in time among others: when it was received, but never before what it came behind.
    """

    market: Market
    stream: str
    received_ns: int
    due_ns: int
    flags: int
    raw: bytes
    data: bytes

    @property
    def is_gap(self) -> bool:
        """Whether it is a notice and no message of the stream."""
        return bool(self.flags & GAP)


def head(now_ns: int, program: str, *, simulated: bool) -> bytes:
    """The first line of a file, with its end of line."""
    fields = {"t": now_ns / 1e9, "t_raw": str(now_ns), "market": Market.SPOT, "kind": "head", "url": program}
    return _encode({**fields, "raw": None, "simulated": simulated}) + b"\n"


class Line(NamedTuple):
    """A line that is to be written, and what is counted of it; `notice` is the payload of one of kind gap."""

    text: bytes
    market: Market
    stream: str
    received_ns: int
    epoch: int
    seq: int
    notice: bytes | None = None


decode = msgspec.json.Decoder(Row).decode


def message_of(row: Row) -> Message | None:
    """The message of a line; None for a line that holds none."""
    if row.kind not in ("ws", "gap"):
        return None
    raw = row.raw.encode() if row.raw is not None else row.base64
    found = _COMBINED.match(raw) if raw is not None else None
    if raw is None or found is None:
        return None
    received_ns = row.received_ns
    flags = row.flags | GAP if row.kind == "gap" else row.flags & ~GAP
    stream = found[1].decode(errors="replace")
    return Message(row.market, stream, received_ns, received_ns, flags, raw, raw[found.end() : -1])


class Spelling:
    """How the lines of one stream are written."""

    def __init__(self, market: Market, stream: str) -> None:
        """Raises StreamNameError for a name with an empty part."""
        # With its opening quotation mark, and without the closing one: the payload goes on in the same text.
        self._opening = _encode(f'{{"stream":"{stream}","data":')[:-1]
        self._combined = f'{{"stream":"{stream}","data":'.encode()
        subject = subject_of(market, stream).encode()
        self._head = b'{"t":%%d.%%09d,"t_raw":"%%d","market":"%b","kind":"%%b","url":"nats:%b"' % (
            market.encode(),
            subject.replace(b"%", b"%%"),
        ) + (b',"epoch":%d,"seq":%d,"flags":%d,"raw":')

    def line(self, frame: Frame) -> bytes:
        """The line of a frame, with its end of line."""
        seconds, nanoseconds = divmod(frame.received_ns, 1_000_000_000)
        head = self._head % (
            seconds,
            nanoseconds,
            frame.received_ns,
            b"gap" if frame.flags & GAP else b"ws",
            frame.epoch,
            frame.seq,
            frame.flags,
        )
        try:
            text = _encode(frame.payload.decode())
        except UnicodeDecodeError:
            return b'%bnull,"base64":"%b"}\n' % (head, b64encode(self._combined + frame.payload + b"}"))
        return b'%b%b%b}"}\n' % (head, self._opening, text[1:-1])
