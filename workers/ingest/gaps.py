"""What can be done about a hole: which REST request fills it, what its rows look like as stream payloads, and the
notice for what cannot be had.  Pure."""

from collections.abc import Sequence

import msgspec

from fsnats import notices
from fsnats.binance.streams import Market, Stream
from fsnats.history import Method
from workers.ingest.track import Missing

ROWS_MOST = 1000  # of one request for trades, on every market
PAGES_MOST = 5  # requests for one hole; a larger one is told as a gap


class Fill(msgspec.Struct, frozen=True):
    """A REST request: the method and its parameters."""

    method: Method
    parameters: dict[str, str | int]


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


_agg_trade_row = msgspec.json.Decoder(_AggTradeRow).decode
_trade_row = msgspec.json.Decoder(_TradeRow).decode
_kline_row = msgspec.json.Decoder(list[int | str]).decode
_encode = msgspec.json.Encoder().encode


def fills(stream: Stream, missing: Missing) -> list[Fill]:
    """The requests that bring what is missing; empty where REST does not have it, or it is too much."""
    count = missing.last - missing.first + 1
    match stream.kind:
        case "aggTrade" if count <= ROWS_MOST * PAGES_MOST:
            return [
                Fill(
                    "aggTrades",
                    {"symbol": stream.subject, "fromId": start, "limit": min(ROWS_MOST, missing.last - start + 1)},
                )
                for start in range(missing.first, missing.last + 1, ROWS_MOST)
            ]
        case "trade" if count <= ROWS_MOST:
            # The newest ones: the ones before can be had with an API key only.
            return [Fill("trades", {"symbol": stream.subject, "limit": ROWS_MOST})]
        case "kline" if missing.unit == "bar" and "@" not in stream.name.partition("@")[2]:
            return [
                Fill(
                    "klines",
                    {
                        "symbol": stream.subject,
                        "interval": stream.interval,
                        "startTime": missing.first,
                        "endTime": missing.last,
                        "limit": ROWS_MOST,
                    },
                )
            ]
    return []


def payloads(stream: Stream, missing: Missing, rows: Sequence[msgspec.Raw]) -> list[tuple[int, bytes]]:
    """The rows that were missing, as payloads of the stream, by id in growing order.

    They are made of what REST tells: event times are those of the trades, a bar's trade ids are not known (-1).
    Raises msgspec.DecodeError for rows of another shape.
    """
    build = {"aggTrade": _agg_trade, "trade": _trade, "kline": _kline}[stream.kind]
    made = dict(build(stream, bytes(row)) for row in rows)
    return sorted((number, payload) for number, payload in made.items() if missing.first <= number <= missing.last)


def notice(stream: Stream, missing: Missing, reason: str) -> bytes:
    """The payload of a gap frame: what did not come and will not come."""
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


def bars_between(stream: Stream, newest: bytes, next_one: bytes) -> Missing | None:
    """The bars whose closing nobody saw between two kline payloads; times are milliseconds since 1970."""
    before, after = _bar(newest), _bar(next_one)
    first = before.t if not before.x else before.T + 1
    return Missing(first, after.t - 1, "bar") if first < after.t else None


class _Bar(msgspec.Struct):
    t: int
    T: int
    x: bool


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


def _kline(stream: Stream, row: bytes) -> tuple[int, bytes]:
    opened, o, h, low, c, v, closed, q, n, taker, taker_quote, ignore = _kline_row(row)
    bar = {
        "t": opened,
        "T": closed,
        "s": stream.subject,
        "i": stream.interval,
        "f": -1,
        "L": -1,
        "o": o,
        "c": c,
        "h": h,
        "l": low,
        "v": v,
        "n": n,
        "x": True,
        "q": q,
        "V": taker,
        "Q": taker_quote,
        "B": ignore,
    }
    assert isinstance(opened, int)
    assert isinstance(closed, int)
    return opened, _encode({"e": "kline", "E": closed + 1, "s": stream.subject, "k": bar})
