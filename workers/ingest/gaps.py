"""What can be done about a hole: which REST requests fill it, what their rows look like as payloads of the stream, and
the notice for what cannot be had.  Pure."""

from collections.abc import Sequence
from operator import itemgetter

import msgspec

from fsnats import notices
from fsnats.binance.streams import Market, Stream
from fsnats.history import Method
from workers.ingest.track import Missing

PAGE = 1000  # rows of one request, on every market
ROWS_MOST = 100_000  # of one hole; of a larger one the newest are fetched: 100 pages are 2,000 of futures' 2,400 weight


class Fill(msgspec.Struct, frozen=True):
    """A REST request: the method and its parameters."""

    method: Method
    parameters: dict[str, str | int]


class Answer(msgspec.Struct, frozen=True):
    """What rows say about a page: the payloads that came, by number in growing order; what REST does not have; and
    the rest, of which the rows say nothing: the stream may be ahead of REST."""

    come: list[tuple[int, bytes]]
    absent: list[Missing]
    rest: Missing | None


class MissingBars(Missing, frozen=True):
    """Candles, by the times that they span; `trades` were known of the first one."""

    trades: int = 0


class _AggTradeRow(msgspec.Struct):
    a: int
    T: int


class _TradeRow(msgspec.Struct):
    id: int
    price: str
    qty: str
    time: int
    isBuyerMaker: bool
    isBestMatch: bool | None = None  # spot's only


class _KlineRow(msgspec.Struct, array_like=True):
    """Named as in the stream's payload."""

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


_agg_trade_row = msgspec.json.Decoder(_AggTradeRow).decode
_trade_row = msgspec.json.Decoder(_TradeRow).decode
_kline_row = msgspec.json.Decoder(_KlineRow).decode
_encode = msgspec.json.Encoder().encode


def pages(stream: Stream, missing: Missing) -> list[Missing]:
    """The parts of a hole that one request each brings, in order; empty where REST does not have it.

    They end where the hole ends, and begin later where it is too large.
    """
    count = missing.last - missing.first + 1
    match stream.kind:
        case "aggTrade":
            first = max(missing.first, missing.last - ROWS_MOST + 1)
            return [
                Missing(start, min(start + PAGE - 1, missing.last), missing.unit)
                for start in range(first, missing.last + 1, PAGE)
            ]
        case "trade" if count <= PAGE:
            return [missing]
        case "kline" if missing.unit == "bar" and "@" not in stream.name.partition("@")[2]:
            return [missing]
    return []


def request(stream: Stream, page: Missing) -> Fill:
    """The request that brings a page, or its beginning."""
    match stream.kind:
        case "aggTrade":
            limit = page.last - page.first + 1
            return Fill("aggTrades", {"symbol": stream.subject, "fromId": page.first, "limit": limit})
        case "trade":
            # The newest ones: the ones before can be had with an API key only.
            return Fill("trades", {"symbol": stream.subject, "limit": PAGE})
    times: dict[str, str | int] = {"startTime": page.first, "endTime": page.last, "limit": PAGE}
    return Fill("klines", {"symbol": stream.subject, "interval": stream.interval, **times})


def read(stream: Stream, page: Missing, rows: Sequence[msgspec.Raw]) -> Answer:
    """What the rows of an answer mean for a page.

    Payloads are made of what REST tells: event times are those of the trades, a bar's trade ids are not known (-1).
    Raises msgspec.DecodeError for rows of another shape.
    """
    if stream.kind == "kline":
        return _read_bars(stream, page, rows)
    build = _agg_trade if stream.kind == "aggTrade" else _trade
    made = sorted((build(stream, bytes(row)) for row in rows), key=itemgetter(0))
    # Ids grow without end, and REST tells them in order: up to its newest row it has said everything.
    known = min(page.last, made[-1][0]) if made else page.first - 1
    if known < page.first:
        return Answer([], [], page)
    come = [each for each in made if page.first <= each[0] <= known]
    absent = without(Missing(page.first, known, page.unit), [number for number, _ in come])
    return Answer(come, absent, Missing(known + 1, page.last, page.unit) if known < page.last else None)


def notice(stream: Stream, missing: Missing, reason: str) -> bytes:
    """The payload of a gap frame."""
    unit = "ms" if missing.unit == "bar" else missing.unit  # a bar is named by its open time
    return notices.gap(stream, missing.first, missing.last, unit, reason)


def without(missing: Missing, come: Sequence[int]) -> list[Missing]:
    """What is left of a hole of consecutive ids after these have come."""
    left = []
    expected = missing.first
    for number in [*sorted(come), missing.last + 1]:
        if number > expected:
            left.append(Missing(expected, number - 1, missing.unit))
        expected = number + 1
    return left


def bars_between(stream: Stream, newest: bytes, next_one: bytes) -> MissingBars | None:
    """The bars whose closing nobody saw between two kline payloads; times are milliseconds since 1970."""
    before, after = _bar(newest), _bar(next_one)
    first = before.t if not before.x else before.T + 1
    return MissingBars(first, after.t - 1, "bar", 0 if before.x else before.n) if first < after.t else None


class _Bar(msgspec.Struct):
    t: int
    T: int
    x: bool
    n: int = 0


class _Kline(msgspec.Struct):
    k: _Bar


_decode_kline = msgspec.json.Decoder(_Kline).decode


def _bar(payload: bytes) -> _Bar:
    return _decode_kline(payload).k


def _agg_trade(stream: Stream, row: bytes) -> tuple[int, bytes]:
    fields = _agg_trade_row(row)
    # The row's own bytes, with what the stream has around them.
    return fields.a, b'{"e":"aggTrade","E":%d,"s":%b,%b' % (fields.T, _encode(stream.subject), row.lstrip()[1:])


def _trade(stream: Stream, row: bytes) -> tuple[int, bytes]:
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


def _read_bars(stream: Stream, page: Missing, rows: Sequence[msgspec.Raw]) -> Answer:
    bars = [bar for bar in map(_kline_row, rows) if page.first <= bar.t <= page.last]
    bars.sort(key=lambda bar: bar.t)
    # REST may lag the stream: a candle with fewer trades than the stream told of is not its last word.
    if not bars or (isinstance(page, MissingBars) and bars[0].t == page.first and bars[0].n < page.trades):
        return Answer([], [], page)
    following = bars[-1].T + 1
    rest = MissingBars(following, page.last, page.unit) if following <= page.last else None
    return Answer([(bar.t, _kline(stream, bar)) for bar in bars], [], rest)


def _kline(stream: Stream, bar: _KlineRow) -> bytes:
    known = msgspec.structs.asdict(bar)
    made = {
        **{key: known[key] for key in "tT"},
        "s": stream.subject,
        "i": stream.interval,
        "f": -1,
        "L": -1,
        **{key: known[key] for key in "ochlvn"},
        "x": True,
        **{key: known[key] for key in "qVQB"},
    }
    return _encode({"e": "kline", "E": bar.T + 1, "s": stream.subject, "k": made})
