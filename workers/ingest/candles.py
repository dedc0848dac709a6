"""Candles whose closing nobody saw: which they are, and how REST's rows become payloads of the stream.  Pure."""

from collections.abc import Callable, Sequence

import msgspec

from fsnats.binance.streams import BEIJING, Stream
from workers.ingest.pages import PAGE, Answer, Fill
from workers.ingest.track import Missing


class MissingBars(Missing, frozen=True):
    """Candles, by the times that they span; `trades` were known of the first one."""

    trades: int = 0


class _Bar(msgspec.Struct):
    t: int
    T: int
    x: bool
    n: int = 0


class _Kline(msgspec.Struct):
    k: _Bar


class _Row(msgspec.Struct, array_like=True):
    """A row of REST, its fields named as in the stream's payload."""

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


_decode = msgspec.json.Decoder(_Kline).decode
_row = msgspec.json.Decoder(_Row).decode
_encode = msgspec.json.Encoder().encode


def bars_between(newest: bytes, next_one: bytes) -> MissingBars | None:
    """The bars whose closing nobody saw between two payloads; times are milliseconds since 1970."""
    before, after = _decode(newest).k, _decode(next_one).k
    first = before.t if not before.x else before.T + 1
    return MissingBars(first, after.t - 1, "bar", 0 if before.x else before.n) if first < after.t else None


def request(stream: Stream, page: Missing) -> Fill:
    """The request that brings a page, or its beginning."""
    times: dict[str, str | int] = {"startTime": page.first, "endTime": page.last, "limit": PAGE}
    parameters: dict[str, str | int] = {"interval": stream.interval, **times}
    match stream.kind:
        case "continuousKline":
            contract = stream.subject.removeprefix(f"{stream.pair}_")
            return Fill("continuousKlines", {"pair": stream.pair, "contractType": contract, **parameters})
        case "indexPriceKline":
            return Fill("indexPriceKlines", {"pair": stream.subject, **parameters})
        case "markPriceKline":
            return Fill("markPriceKlines", {"symbol": stream.subject, **parameters})
    if stream.name.endswith(BEIJING):
        parameters["timeZone"] = "8"
    return Fill("klines", {"symbol": stream.subject, **parameters})


def read(stream: Stream, page: Missing, rows: Sequence[msgspec.Raw]) -> Answer:
    """What the rows of an answer mean for a page.  Raises msgspec.DecodeError for rows of another shape."""
    bars = [bar for bar in map(_row, rows) if page.first <= bar.t <= page.last]
    bars.sort(key=lambda bar: bar.t)
    # REST may lag the stream: a candle with fewer trades than the stream told of is not its last word.
    if not bars or (isinstance(page, MissingBars) and bars[0].t == page.first and bars[0].n < page.trades):
        return Answer([], [], page)
    following = bars[-1].T + 1
    rest = MissingBars(following, page.last, page.unit) if following <= page.last else None
    build = _BUILD[stream.kind]
    return Answer([(bar.t, _encode(build(stream, bar))) for bar in bars], [], rest)


Fields = dict[str, object]


def _kline(stream: Stream, bar: _Row) -> Fields:
    return {"e": "kline", "E": bar.T + 1, "s": stream.subject, "k": _bar(stream, bar, {"s": stream.subject})}


def _continuous(stream: Stream, bar: _Row) -> Fields:
    contract = stream.subject.removeprefix(f"{stream.pair}_")
    return {"e": "continuous_kline", "E": bar.T + 1, "ps": stream.pair, "ct": contract, "k": _bar(stream, bar, {})}


def _index_price(stream: Stream, bar: _Row) -> Fields:
    return {"e": "indexPrice_kline", "E": bar.T + 1, "ps": stream.subject, "k": _bar(stream, bar, {"s": "0"})}


def _mark_price(stream: Stream, bar: _Row) -> Fields:
    pair, _, _ = stream.subject.partition("_")
    return {"e": "markPrice_kline", "E": bar.T + 1, "ps": pair, "k": _bar(stream, bar, {"s": stream.subject})}


def _bar(stream: Stream, bar: _Row, symbol: Fields) -> Fields:
    known = msgspec.structs.asdict(bar)
    return {
        **{key: known[key] for key in "tT"},
        **symbol,
        "i": stream.interval,
        "f": -1,  # ids of trades are not known
        "L": -1,
        **{key: known[key] for key in "ochlvn"},
        "x": True,
        **{key: known[key] for key in "qVQB"},
    }


_BUILD: dict[str, Callable[[Stream, _Row], Fields]] = {
    "kline": _kline,
    "continuousKline": _continuous,
    "indexPriceKline": _index_price,
    "markPriceKline": _mark_price,
}
