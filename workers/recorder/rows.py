"""What a frame's payload says, as a row of the store.  Pure."""

from typing import Annotated

import msgspec
from msgspec import Meta

from fsnats.binance.streams import Stream
from fsnats.frames import RECOVERED
from fsnats.store import Kind, KlineData, Origin, RawAggTrade, Series

Row = KlineData | RawAggTrade

_Int = Annotated[int, Meta(ge=-1, le=2**63 - 1)]  # what a database's integer holds
# As the store wants them, and Binance writes them: one row that it refused would hold up all that came with it.
_Number = Annotated[str, Meta(pattern=r"\A(?!-0(?:\.0+)?\Z)-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?\Z", max_length=60)]


class _Trade(msgspec.Struct, gc=False):
    a: _Int
    p: _Number
    q: _Number
    f: _Int
    l: _Int  # noqa: E741 # Binance's name
    T: _Int
    m: bool


class _Bar(msgspec.Struct, gc=False):
    t: _Int
    T: _Int
    i: str
    o: _Number
    c: _Number
    h: _Number
    l: _Number  # noqa: E741 # Binance's name
    v: _Number
    n: _Int
    x: bool
    q: _Number
    V: _Number
    Q: _Number
    f: _Int = -1
    L: _Int = -1
    B: _Number = "0"


class _Event(msgspec.Struct, gc=False):
    k: _Bar


_trade = msgspec.json.Decoder(_Trade).decode
_event = msgspec.json.Decoder(_Event).decode


def series_of(stream: Stream) -> Series:
    """What the rows of a stream belong to.  The stream is one of those that become rows (`fsnats.recording.KINDS`)."""
    kind: Kind = "aggTrade"
    if stream.kind != kind:
        kind = "kline" if stream.kind == "kline" else "continuousKline"
    return Series(stream.market, kind, stream.subject, stream.interval)


def origin_of(flags: int) -> Origin:
    """Where a frame with these flags came from."""
    return Origin.RECOVERED if flags & RECOVERED else Origin.LIVE


def row_of(series: Series, payload: bytes) -> Row:
    """The row that a payload is.  Raises one of `errors.UNREADABLE` for what is not of the series' kind."""
    if series.kind == "aggTrade":
        trade = _trade(payload)
        return RawAggTrade(series.name, trade.p, trade.q, trade.T, trade.a, trade.f, trade.l, trade.m)
    k = _event(payload).k
    if k.i != series.interval:
        raise msgspec.ValidationError(f"a candle of '{k.i}', not of '{series.interval}'")
    return KlineData(k.t, k.T, k.i, k.f, k.L, k.o, k.c, k.h, k.l, k.v, k.n, k.x, k.q, k.V, k.Q, k.B)
