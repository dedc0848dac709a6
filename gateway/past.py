"""History before what is live: which rows of REST come before the first live one, and whether the two meet.  Pure."""

from collections.abc import Sequence

import msgspec

from fsnats.binance import rows as rows_of
from fsnats.binance.limits import HISTORY_ROWS, KLINES_LIMIT
from fsnats.binance.streams import Market, Stream
from fsnats.errors import UNREADABLE
from fsnats.frames import GAP, LATE, Frame

_ANY = 2**62
_SETTLED = 1000  # milliseconds after its end in which REST may still change a candle
# Rows beside those that are wanted: what comes, or begins, before REST has answered, comes live.
_TRADES_MEANWHILE = 100
_CANDLES_MEANWHILE = 2  # the open one, and one that closes
_SECONDS_MEANWHILE = 12  # of candles of a second: REST is waited for so long


class Event(msgspec.Struct, frozen=True):
    """One past event: its id, or the opening time of its candle; its payload; and the id that follows it.

    `is_final` says that it will not change: an open candle will, and one that REST has only just closed may.
    """

    number: int
    payload: bytes
    next_number: int
    is_final: bool


class _Bar(msgspec.Struct):
    t: int


class _Live(msgspec.Struct):
    """What a live payload is known by."""

    a: int = -1
    t: int = -1
    k: _Bar | None = None


_decode = msgspec.json.Decoder(_Live).decode


class Past(msgspec.Struct, frozen=True):
    """Past events in their order."""

    events: list[Event]

    def before(self, stream: Stream, held: Sequence[Frame]) -> list[bytes]:
        """The payloads that come before the live frames."""
        first = _first(stream, held)
        return [event.payload for event in self.events if first is None or event.number < first]

    def meets(self, stream: Stream, held: Sequence[Frame]) -> bool:
        """Whether nothing is missing between the past and the live frames."""
        first = _first(stream, held)
        if first is None or not self.events:
            return True
        earlier = [event for event in self.events if event.number < first]
        if len(earlier) < len(self.events):
            return not earlier or earlier[-1].is_final
        return earlier[-1].is_final and earlier[-1].next_number >= first


def rows_to_ask(stream: Stream, length: int) -> int:
    """How many of the newest rows hold `length` events from before what is live, as far as one answer can."""
    if stream.kind == "kline":
        meanwhile = _SECONDS_MEANWHILE if stream.interval == "1s" else _CANDLES_MEANWHILE
        return min(length + meanwhile, KLINES_LIMIT[stream.market])
    return min(length + _TRADES_MEANWHILE, HISTORY_ROWS)


def past_of(stream: Stream, rows: Sequence[msgspec.Raw], asked_ms: int) -> Past:
    """Read the rows that REST answered at about `asked_ms`, milliseconds since 1970.

    Raises msgspec.DecodeError for rows of another shape, RecursionError for such as are nested without end.
    """
    if stream.kind == "kline":
        bars = [rows_of.candle(row) for row in rows]
        return Past(
            [
                Event(
                    bar.t,
                    rows_of.candle_payload(stream, bar, closed=asked_ms > bar.T),
                    bar.T + 1,
                    asked_ms > bar.T + _SETTLED,
                )
                for bar in sorted(bars, key=lambda bar: bar.t)
            ]
        )
    build = rows_of.agg_trade if stream.kind == "aggTrade" else rows_of.trade
    made = sorted(build(stream, bytes(row)) for row in rows)
    # The ids of futures' trades only grow: whether one is missing between two is not to be told.
    step = 1 if stream.kind == "aggTrade" or stream.market is Market.SPOT else _ANY
    return Past([Event(number, payload, number + step, True) for number, payload in made])


def _first(stream: Stream, held: Sequence[Frame]) -> int | None:
    """What the first live event is known by."""
    for frame in held:
        if frame.flags & (GAP | LATE):
            continue
        try:
            live = _decode(frame.payload)
        except UNREADABLE:
            return None
        if stream.kind == "kline":
            return live.k.t if live.k is not None else None
        return live.a if stream.kind == "aggTrade" else live.t
    return None
