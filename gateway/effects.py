"""What a session wants done, as values.  Sessions decide without I/O; the client carries the effects out in order."""

from collections.abc import Iterable
from enum import IntFlag, StrEnum
from typing import NamedTuple

from fsnats.binance.streams import Market, Stream


class OnSlow(StrEnum):
    """What becomes of a client that reads too slowly when an event has to be dropped."""

    GAP = "gap"  # it is told which
    DISCONNECT = "disconnect"  # it is closed


class Marks(IntFlag):
    """What a listener wants to be told beside each payload."""

    NONE = 0
    PLACE = 1  # the worker's epoch and the number within it: where to resume
    STAMPS = 2  # when the message was where


class Delivery(NamedTuple):
    """What a listener wants of a stream, and when.

    `max_rate` is of messages a second; where it is not None, only the newest counts.  `closed_only` is for candles.
    """

    on_slow: OnSlow = OnSlow.GAP
    marks: Marks = Marks.NONE
    max_rate: float | None = None
    closed_only: bool = False


PLAIN = Delivery()


DATA = b',"data":'


class Shape(StrEnum):
    """What stands between a form's two halves."""

    PAYLOAD = "payload"  # what Binance sent, byte for byte
    NORMALISED = "normalised"  # the same with readable names, and numbers that are numbers
    EXACT = "exact"  # and numbers that are the strings that Binance sent


class Form(NamedTuple):
    """How a listener wants payloads: the bytes before and after them, and their delivery.

    `gap` stands before the notice of a gap, which "}" ends; it is empty where the dialect has no word for it: then a
    client is closed rather than left to miss an event.  Where it is not, `prefix` is an object's beginning up to its
    `data`, before which there is room for more (`marked`).  Equal forms of one stream share one finished frame,
    whichever dialect they come from.  `deflated` ones are compressed, for those whose connections can read that.
    """

    prefix: bytes
    suffix: bytes
    gap: bytes = b""
    delivery: Delivery = PLAIN
    deflated: bool = False
    shape: Shape = Shape.PAYLOAD

    def marked(self, marks: bytes) -> bytes:
        """The prefix with more fields, each with a comma before it."""
        # No string of JSON holds these bytes: its quotes are escaped.
        head, data, rest = self.prefix.partition(DATA)
        return head + marks + data + rest


class Send(NamedTuple):
    """Send this text message."""

    text: bytes


class Snapshot(NamedTuple):
    """The newest value comes first, marked, where there is one."""


class Resume(NamedTuple):
    """Everything after this place comes first; then the session says so (`resumed`)."""

    epoch: int
    seq: int


class History(NamedTuple):
    """The newest events that the exchange remembers, so many, come first, marked; then the session says so
    (`history_ended`)."""

    length: int


class Listen(NamedTuple):
    """From now on, send each payload of `stream` in `form`, after what is to come `before`.  A repeated Listen changes
    nothing."""

    stream: Stream
    form: Form
    before: Snapshot | Resume | History | None = None


class Leave(NamedTuple):
    """Stop sending `stream` in `form`."""

    stream: Stream
    form: Form


class Klines(NamedTuple):
    """Fetch candles and send the reply, or the error, that the session's `klines_fetched` or `klines_failed` makes."""

    market: Market
    symbol: str
    interval: str
    limit: int | None
    start_ms: int | None
    end_ms: int | None
    request_id: object  # echoed in the reply; None where the client gave none
    market_named: bool  # whether the client's request named its market, so that the reply does too
    contract: str = ""  # continuous candles: the type of contract, and `symbol` is a pair


class Unknown(NamedTuple):
    """A name was acknowledged that no exchange delivers (as Binance does): count it and show it to the operator."""

    market: Market
    name: str


class Close(NamedTuple):
    """Send what is before this effect, then close with this code and reason."""

    code: int
    reason: str


Effect = Send | Listen | Leave | Klines | Unknown | Close


def cost(text: str, effects: Iterable[Effect]) -> tuple[int, int]:
    """What a request cost: how many streams it changed, and how many bytes came and went."""
    changes, size = 0, len(text)
    for effect in effects:
        if isinstance(effect, Send):
            size += len(effect.text)
        elif isinstance(effect, Listen | Leave):
            changes += 1
    return changes, size
