"""Binance's payloads with names that people can read and numbers that are numbers: the normalised form.  Pure.

`{"type": …, "data": {…}, "timestamp": "2025-12-25T12:00:00.000Z"}`.  A number has the very digits that Binance sent as
a string, so nothing is rounded on the way; with `exact` it stays that string.  What a payload does not tell (spot's
book tickers have no time, the funding rate of a delivery contract is empty) is the time at which it was received, or
null.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any

import msgspec

from fsnats.binance.streams import Scope, Stream
from fsnats.errors import UNREADABLE, Unusable


class Sort(Enum):
    """How a field's value is taken over."""

    NUMBER = auto()  # a string of digits
    ITSELF = auto()  # an integer, a boolean or a word
    LEVELS = auto()  # pairs of price and quantity


_N, _I, _L = Sort.NUMBER, Sort.ITSELF, Sort.LEVELS
Field = tuple[str, str, Sort]
"""Its name here, Binance's key (after "k." or "o." if it lies one level deeper), and its sort."""

_CANDLE: tuple[Field, ...] = (
    ("interval", "k.i", _I),
    ("timestamp", "k.t", _I),
    ("open", "k.o", _N),
    ("high", "k.h", _N),
    ("low", "k.l", _N),
    ("close", "k.c", _N),
    ("volume", "k.v", _N),
    ("is_closed", "k.x", _I),
    ("trades", "k.n", _I),
    ("quote_volume", "k.q", _N),
)
_MINI: tuple[Field, ...] = (
    ("price", "c", _N),
    ("open", "o", _N),
    ("high", "h", _N),
    ("low", "l", _N),
    ("volume", "v", _N),
    ("quote_volume", "q", _N),
)
_TICKER = (*_MINI, ("price_change", "p", _N), ("price_change_percent", "P", _N), ("timestamp", "E", _I))
_MINI_TICKER = (*_MINI, ("timestamp", "E", _I))
_TRADE: tuple[Field, ...] = (
    ("price", "p", _N),
    ("quantity", "q", _N),
    ("timestamp", "T", _I),
    ("is_buyer_maker", "m", _I),
)
_BOOK: tuple[Field, ...] = (
    ("update_id", "u", _I),
    ("bid_price", "b", _N),
    ("bid_quantity", "B", _N),
    ("ask_price", "a", _N),
    ("ask_quantity", "A", _N),
    ("timestamp", "E", _I),
)
_MARK: tuple[Field, ...] = (
    ("mark_price", "p", _N),
    ("index_price", "i", _N),
    ("estimated_settle_price", "P", _N),
    ("funding_rate", "r", _N),
    ("next_funding_time", "T", _I),
    ("timestamp", "E", _I),
)
_LIQUIDATION: tuple[Field, ...] = (
    ("side", "o.S", _I),
    ("order_type", "o.o", _I),
    ("time_in_force", "o.f", _I),
    ("quantity", "o.q", _N),
    ("price", "o.p", _N),
    ("average_price", "o.ap", _N),
    ("status", "o.X", _I),
    ("last_quantity", "o.l", _N),
    ("filled_quantity", "o.z", _N),
    ("timestamp", "o.T", _I),
)
_DEPTH: tuple[Field, ...] = (
    ("first_update_id", "U", _I),
    ("last_update_id", "u", _I),
    ("bids", "b", _L),
    ("asks", "a", _L),
    ("timestamp", "E", _I),
)
_SPOT_PARTIAL: tuple[Field, ...] = (
    ("last_update_id", "lastUpdateId", _I),
    ("bids", "bids", _L),
    ("asks", "asks", _L),
    ("timestamp", "E", _I),
)
_FUTURES_PARTIAL: tuple[Field, ...] = (
    ("last_update_id", "u", _I),
    ("bids", "b", _L),
    ("asks", "a", _L),
    ("timestamp", "E", _I),
)

FORMS: dict[str, tuple[str, tuple[Field, ...]]] = {
    "ticker": ("ticker", _TICKER),
    "tickers": ("ticker", _TICKER),
    "miniTicker": ("mini_ticker", _MINI_TICKER),
    "miniTickers": ("mini_ticker", _MINI_TICKER),
    "kline": ("kline", _CANDLE),
    "continuousKline": ("continuous_kline", (("contract_type", "ct", _I), *_CANDLE)),
    "trade": ("trade", (("trade_id", "t", _I), *_TRADE)),
    "aggTrade": (
        "agg_trade",
        (("trade_id", "a", _I), ("first_trade_id", "f", _I), ("last_trade_id", "l", _I), *_TRADE),
    ),
    "bookTicker": ("book_ticker", _BOOK),
    "bookTickers": ("book_ticker", _BOOK),
    "markPrice": ("mark_price", _MARK),
    "markPrices": ("mark_price", _MARK),
    "pairMarkPrice": ("mark_price", _MARK),
    "forceOrder": ("liquidation", _LIQUIDATION),
    "forceOrders": ("liquidation", _LIQUIDATION),
    "depth": ("depth", _DEPTH),
    "rpiDepth": ("depth", _DEPTH),
    "partialDepth": ("partial_depth", _FUTURES_PARTIAL),
}

KINDS = frozenset(FORMS)
"""The kinds of streams (`fsnats.binance.streams`) that have a normalised form."""

TYPES = tuple(dict.fromkeys(name for name, _ in FORMS.values()))
"""What the normalised form calls them."""

_Raw = Mapping[str, msgspec.Raw]
_Item = tuple[str, Sort, bytes]
_NULL = b"null"
_NUMBER_TEXT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_NUMBER = re.compile(_NUMBER_TEXT.pattern.encode())
_LATEST_MS = 253402300799999  # the end of the year 9999: ISO 8601 has no later one
_LEVEL = 2  # a price and a quantity
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_objects = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_levels = msgspec.json.Decoder(list[list[str]]).decode
_integer = msgspec.json.Decoder(int).decode
_encode = msgspec.json.Encoder().encode


def type_of(stream: Stream) -> str:
    """What the normalised form calls this kind of stream.  Raises Unusable where it has no normalised form."""
    if stream.kind not in FORMS:
        raise Unusable(f"{stream.name}: no normalised form; there is one of {', '.join(sorted(FORMS))}")
    return FORMS[stream.kind][0]


def normalised(stream: Stream, payload: bytes, received_ms: int, *, exact: bool = False) -> bytes:
    """A payload's normalised form, JSON.  An array stream's `data` is an array.

    Raises Unusable for a stream that has none, or for a payload of another shape.
    """
    name = type_of(stream).encode()
    return b'{"type":"%b","data":%b}' % (name, body(stream, payload, received_ms, exact=exact))


def body(stream: Stream, payload: bytes, received_ms: int, *, exact: bool = False) -> bytes:
    """The same from behind `"data":` to before the last "}", for those who put more in front of it."""
    inner, moment = data(stream, payload, received_ms, exact=exact)
    return b'%b,"timestamp":"%b"' % (inner, iso(moment).encode())


def data(stream: Stream, payload: bytes, received_ms: int, *, exact: bool = False) -> tuple[bytes, int]:
    """Its `data` alone, and when it happened, in milliseconds since 1970."""
    type_of(stream)
    found, moment = _items(stream, payload, received_ms)
    objects = [b"{%b}" % b",".join(_member(item, exact) for item in items) for items in found]
    return (b"[%b]" % b",".join(objects) if _is_array(payload) else objects[0]), moment


def values(
    stream: Stream, payload: bytes, received_ms: int, number: Callable[[str], Any] = float
) -> list[dict[str, Any]]:
    """The `data` of the same as Python's values: one, or those of an array; `number` makes numbers of their digits.
    `received_ms` is 0 where it is not known.

    Raises Unusable as `normalised` does.
    """
    type_of(stream)
    found, _ = _items(stream, payload, received_ms)
    return [{name: _value(name, sort, raw, number) for name, sort, raw in items} for items in found]


def iso(ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601, in UTC."""
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_array(payload: bytes) -> bool:
    return payload.lstrip()[:1] == b"["


def _items(stream: Stream, payload: bytes, received_ms: int) -> tuple[list[list[_Item]], int]:
    """The fields of each object in a payload, and when it happened."""
    try:
        events: list[dict[str, msgspec.Raw]] = _objects(payload) if _is_array(payload) else [_object(payload)]
        found = [list(_fields(stream, event, received_ms)) for event in events]
        moment = next((_integer(event["E"]) for event in events if "E" in event), received_ms)
    except UNREADABLE as error:
        raise Unusable(f"{stream.name}: {error}") from error
    if not 0 <= moment <= _LATEST_MS:
        raise Unusable(f"{stream.name}: its event time, {moment}, is no time")
    return found, moment


def _fields(stream: Stream, event: _Raw, received_ms: int) -> Iterator[_Item]:
    name, fields = FORMS[stream.kind]
    if stream.kind == "partialDepth" and "lastUpdateId" in event:
        fields = _SPOT_PARTIAL
    inner = {key: _object(event[key]) for key in ("k", "o") if key in event and bytes(event[key])[:1] == b"{"}
    yield "type", Sort.ITSELF, b'"%b"' % name.encode()
    yield "symbol", Sort.ITSELF, _symbol(stream, event, inner)
    for field, path, sort in fields:
        outer, _, key = path.rpartition(".")
        raw = bytes((inner.get(outer, {}) if outer else event).get(key, _NULL))
        if field == "timestamp" and raw == _NULL and received_ms:
            raw = b"%d" % received_ms
        yield field, sort, raw


def _symbol(stream: Stream, event: _Raw, inner: Mapping[str, _Raw]) -> bytes:
    if stream.scope is Scope.SYMBOL:
        return bytes(_encode(stream.subject))
    if stream.scope is Scope.CONTRACT:
        return bytes(_encode(stream.pair))
    return bytes(event.get("s") or inner.get("o", {}).get("s") or _NULL)


def _member(item: _Item, exact: bool) -> bytes:
    name, sort, raw = item
    if sort is Sort.NUMBER:
        raw = _digits(raw, name)
        raw = b'"%b"' % raw if exact and raw != _NULL else raw
    elif sort is Sort.LEVELS and raw != _NULL:
        between, around = ('","', '["%s"]') if exact else (",", "[%s]")
        raw = f"[{','.join(around % between.join(level) for level in _levels_of(raw, name))}]".encode()
    return b'"%b":%b' % (name.encode(), raw)


def _levels_of(raw: bytes, name: str) -> list[list[str]]:
    try:
        levels: list[list[str]] = _levels(raw)
    except UNREADABLE as error:
        raise Unusable(f"{name}: {error}") from error
    for level in levels:
        if len(level) != _LEVEL:
            raise Unusable(f"{name}: a level of {len(level)}")
        for each in level:
            if not _NUMBER_TEXT.fullmatch(each):
                raise Unusable(f"{name}: {each[:40]!r} is no number")
    return levels


def _digits(raw: bytes, name: str) -> bytes:
    """A string's digits as a JSON number; null for an empty one.  Raises Unusable for what is no number: to leave it
    out would be to say that the exchange did not tell it."""
    digits = raw[1:-1] if raw[:1] == b'"' else raw
    if _NUMBER.fullmatch(digits):
        return digits
    if digits in (b"", _NULL):
        return _NULL
    raise Unusable(f"{name}: {digits[:40]!r} is no number")


def _value(name: str, sort: Sort, raw: bytes, number: Callable[[str], Any]) -> Any:
    if sort is Sort.NUMBER:
        digits = _digits(raw, name)
        return None if digits == _NULL else number(digits.decode())
    if sort is Sort.LEVELS and raw != _NULL:
        return [[number(each) for each in level] for level in _levels_of(raw, name)]
    return msgspec.json.decode(raw)
