"""By what two copies of one event are known to be the same, whichever way they came.  Pure.

Exchange and reader use the same words: the simulator's ledger lists the identities of what it produced, the judge
computes those of what it was delivered.
"""

from zlib import crc32

import msgspec

from fsnats.errors import UNREADABLE


class Identity(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One event of one stream.

    `first` and `last` are its ids where it has some, else 0; `contents` stands for what a copy fetched over REST must
    share with it, 0 where REST has no such thing; `whole` stands for all of its bytes.
    """

    key: str
    first: int
    last: int
    contents: int
    whole: int
    counts: bool  # whether missing it is a loss; of a state, only the newest counts


class _Aggregate(msgspec.Struct):
    a: int
    p: str
    q: str
    f: int
    l: int  # noqa: E741 # Binance's name
    T: int
    m: bool


class _Trade(msgspec.Struct):
    t: int
    p: str
    q: str
    T: int
    m: bool


class _Depth(msgspec.Struct):
    U: int
    u: int


class _Best(msgspec.Struct):
    u: int


class _Bar(msgspec.Struct):
    t: int
    o: str
    h: str
    l: str  # noqa: E741
    c: str
    v: str
    n: int
    x: bool


class _Candle(msgspec.Struct):
    k: _Bar


_aggregate = msgspec.json.Decoder(_Aggregate).decode
_trade = msgspec.json.Decoder(_Trade).decode
_depth = msgspec.json.Decoder(_Depth).decode
_best = msgspec.json.Decoder(_Best).decode
_candle = msgspec.json.Decoder(_Candle).decode


def identify(kind: str, payload: bytes) -> Identity:
    """Who an event is.  What cannot be read as an event of its type is known by its bytes."""
    whole = crc32(payload)
    try:
        match kind:
            case "aggTrade":
                aggregate = _aggregate(payload)
                text = f"{aggregate.p} {aggregate.q} {aggregate.f} {aggregate.l} {aggregate.T} {aggregate.m}"
                return Identity(str(aggregate.a), aggregate.a, aggregate.a, crc32(text.encode()), whole, True)
            case "trade":
                trade = _trade(payload)
                text = f"{trade.p} {trade.q} {trade.T} {trade.m}"
                return Identity(str(trade.t), trade.t, trade.t, crc32(text.encode()), whole, True)
            case "depth" | "rpiDepth":
                depth = _depth(payload)
                return Identity(f"{depth.U}-{depth.u}", depth.U, depth.u, 0, whole, True)
            case "bookTicker":
                best = _best(payload)
                return Identity(str(best.u), best.u, best.u, 0, whole, False)
            case "kline":
                bar = _candle(payload).k
                if bar.x:
                    text = f"{bar.o} {bar.h} {bar.l} {bar.c} {bar.v} {bar.n}"
                    return Identity(f"{bar.t}x", 0, 0, crc32(text.encode()), whole, True)
                return Identity(f"{bar.t}:{whole:08x}", 0, 0, 0, whole, False)
    except (ValueError, *UNREADABLE):
        pass
    return Identity(f"{whole:08x}:{len(payload)}", 0, 0, 0, whole, False)
