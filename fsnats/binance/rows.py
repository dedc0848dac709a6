"""Rows of Binance's REST as payloads of the streams that bring the same.  Pure.

They are made of what REST tells: event times are those of the trades, a candle's trade ids are not known (-1).  Every
function raises msgspec.DecodeError for a row of another shape.
"""

from collections.abc import Callable

import msgspec

from fsnats.binance.streams import Market, Stream


class Candle(msgspec.Struct, array_like=True):
    """A candle, its fields named as in the stream's payload; times are milliseconds since 1970."""

    t: int
    o: str
    h: str
    l: str  # noqa: E741 # Binance's name
    c: str
    v: str
    T: int
    q: str
    n: int
    V: str
    Q: str
    B: str


class _AggTrade(msgspec.Struct):
    a: int
    T: int


class _Trade(msgspec.Struct):
    id: int
    price: str
    qty: str
    time: int
    isBuyerMaker: bool
    isBestMatch: bool | None = None  # spot's only


candle = msgspec.json.Decoder(Candle).decode
_agg_trade_row = msgspec.json.Decoder(_AggTrade).decode
_trade_row = msgspec.json.Decoder(_Trade).decode
_encode = msgspec.json.Encoder().encode


def agg_trade(stream: Stream, row: bytes) -> tuple[int, bytes]:
    """The id and the payload of a row of `aggTrades`."""
    fields = _agg_trade_row(row)
    # The row's own bytes, with what the stream has around them.
    return fields.a, b'{"e":"aggTrade","E":%d,"s":%b,%b' % (fields.T, _encode(stream.subject), row.lstrip()[1:])


def trade(stream: Stream, row: bytes) -> tuple[int, bytes]:
    """The id and the payload of a row of `trades`."""
    fields = _trade_row(row)
    made: dict[str, object] = {
        "e": "trade",
        "E": fields.time,
        "s": stream.subject,
        "t": fields.id,
        "p": fields.price,
        "q": fields.qty,
        "T": fields.time,
        "m": fields.isBuyerMaker,
    }
    if stream.market is Market.SPOT:
        made["M"] = fields.isBestMatch
    return fields.id, _encode(made)


def candle_payload(stream: Stream, bar: Candle, *, closed: bool = True) -> bytes:
    """The payload of a candle of any kind of candle stream."""
    return _encode(_BUILD[stream.kind](stream, bar, closed))


Fields = dict[str, object]


def _kline(stream: Stream, bar: Candle, closed: bool) -> Fields:
    return {"e": "kline", "E": bar.T + 1, "s": stream.subject, "k": _bar(stream, bar, closed, {"s": stream.subject})}


def _continuous(stream: Stream, bar: Candle, closed: bool) -> Fields:
    contract = stream.subject.removeprefix(f"{stream.pair}_")
    return {
        "e": "continuous_kline",
        "E": bar.T + 1,
        "ps": stream.pair,
        "ct": contract,
        "k": _bar(stream, bar, closed, {}),
    }


def _index_price(stream: Stream, bar: Candle, closed: bool) -> Fields:
    return {"e": "indexPrice_kline", "E": bar.T + 1, "ps": stream.subject, "k": _bar(stream, bar, closed, {"s": "0"})}


def _mark_price(stream: Stream, bar: Candle, closed: bool) -> Fields:
    pair, _, _ = stream.subject.partition("_")
    return {"e": "markPrice_kline", "E": bar.T + 1, "ps": pair, "k": _bar(stream, bar, closed, {"s": stream.subject})}


def _bar(stream: Stream, bar: Candle, closed: bool, symbol: Fields) -> Fields:
    known = msgspec.structs.asdict(bar)
    return {
        **{key: known[key] for key in "tT"},
        **symbol,
        "i": stream.interval,
        "f": -1,  # ids of trades are not known
        "L": -1,
        **{key: known[key] for key in "ochlvn"},
        "x": closed,
        **{key: known[key] for key in "qVQB"},
    }


_BUILD: dict[str, Callable[[Stream, Candle, bool], Fields]] = {
    "kline": _kline,
    "continuousKline": _continuous,
    "indexPriceKline": _index_price,
    "markPriceKline": _mark_price,
}
