"""Which dialect a WebSocket handshake asks for, read from its request target alone.

    /  /spot  /usdm  /coinm                  native, with that default market
    […]/normalised                           native, with readable names and numbers
    […]/ws[/<stream>…]   […]/stream[?streams=<stream>/…]     Binance's, per market
    [/usdm]/public|/market|/private/…        Binance's USD-M routes; every stream is served on every route

What else unmodified clients open is accepted too: a number or `stream` in place of a stream name, doubled and trailing
slashes, an empty `streams=`.
"""

from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import NamedTuple, TypeVar
from urllib.parse import unquote_to_bytes

from fsnats.binance.streams import MARKETS, Market
from fsnats.errors import Unusable
from gateway.effects import PLAIN, Delivery, Marks, OnSlow
from gateway.protocol.forms import Envelope, normalised_with

ROUTES = ("public", "market", "private")

_Choice = TypeVar("_Choice", bound=StrEnum)


class NativePath(NamedTuple):
    """A native session, with the market that requests mean when they name none."""

    market: Market
    envelope: Envelope
    delivery: Delivery = PLAIN


class BinancePath(NamedTuple):
    """A Binance session.  `silent` is a `/private` socket: it stays open and delivers nothing."""

    market: Market
    combined: bool
    streams: tuple[str, ...]
    silent: bool


class Refusal(NamedTuple):
    """Refuse the handshake with this HTTP status and sentence."""

    status: HTTPStatus
    reason: str


Path = NativePath | BinancePath


def read_path(target: str, markets: Sequence[Market]) -> Path | Refusal:
    """Read a request target (path and query, as on the request line).  The first of `markets` is the default one."""
    path = _path(target, markets[0])
    if not isinstance(path, Refusal) and path.market not in markets:
        return Refusal(HTTPStatus.NOT_FOUND, f"{path.market} is not carried here; allowed: {', '.join(markets)}")
    return path


_NOT_FOUND = Refusal(HTTPStatus.NOT_FOUND, "no such path; the native protocol is at /, Binance's at /ws and /stream")


def _path(target: str, default: Market) -> Path | Refusal:
    path, _, query_text = target.partition("?")
    segments = [segment for segment in _decode(path).split("/") if segment]
    query = _query(query_text)
    market, named = default, False
    if segments and segments[0] in MARKETS:
        market, named = Market(segments.pop(0)), True
    if not segments:
        return _unit_refusal(market, query) or _native(market, query)
    if segments == ["normalised"]:
        return _normalised(market, query)
    route = ""
    if segments[0] in ROUTES:
        if named and market is not Market.USDM:
            return _NOT_FOUND
        market, route = Market.USDM, segments.pop(0)
    if not segments:
        return _NOT_FOUND
    if segments[:2] == ["stream", "ws"]:
        segments.pop(0)  # ccxt takes a socket for spot's only when its URL holds "/stream"; it reads raw payloads
    kind, *names = segments
    if kind not in ("ws", "stream") or (kind == "stream" and names):
        return _NOT_FOUND
    # ccxt numbers its raw sockets, others open /ws/stream: neither is a stream name.
    streams = [name for name in names if not name.isdecimal() and name != "stream"]
    for value in query.get("streams", ()):
        streams += [name for name in value.split("/") if name]
    path_found = BinancePath(market, kind == "stream", tuple(streams), route == "private")
    return _unit_refusal(market, query) or path_found


def _native(market: Market, query: dict[str, list[str]]) -> NativePath | Refusal:
    try:
        marks = Marks.PLACE * _switch(query, "seq") | Marks.STAMPS * _switch(query, "stamps")
        on_slow = _choice(query, "onSlow", OnSlow.GAP)
        return NativePath(market, _choice(query, "envelope", Envelope.TYPED), Delivery(on_slow, marks=Marks(marks)))
    except ValueError as error:
        return Refusal(HTTPStatus.BAD_REQUEST, str(error))


def _normalised(market: Market, query: dict[str, list[str]]) -> NativePath | Refusal:
    found = _native(market, query)
    if isinstance(found, Refusal):
        return found
    try:
        return found._replace(envelope=normalised_with(query.get("decimal", ["number"])[-1]))
    except Unusable as error:
        return Refusal(HTTPStatus.BAD_REQUEST, str(error))


def _choice(query: dict[str, list[str]], name: str, default: _Choice) -> _Choice:
    """A parameter that has one of few values.  Raises ValueError."""
    wanted = query.get(name, [default])[-1]
    kind = type(default)
    if wanted not in tuple(kind):
        raise ValueError(f"unknown {name} '{wanted[:40]}'; allowed: {', '.join(kind)}")
    return kind(wanted)


def _switch(query: dict[str, list[str]], name: str) -> bool:
    """A parameter that is 1 or 0.  Raises ValueError."""
    wanted = query.get(name, ["0"])[-1]
    if wanted not in ("0", "1"):
        raise ValueError(f"unknown {name} '{wanted[:40]}'; allowed: 0, 1")
    return wanted == "1"


def _unit_refusal(market: Market, query: dict[str, list[str]]) -> Refusal | None:
    """Refuse what would otherwise be milliseconds in the place of microseconds.

    Only spot has the parameter; the futures hosts ignore it, and so do we there.
    """
    units = query.get("timeUnit")
    if market is not Market.SPOT or not units or units[-1].upper() == "MILLISECOND":
        return None
    if units[-1].upper() == "MICROSECOND":
        return Refusal(
            HTTPStatus.BAD_REQUEST, "timeUnit=MICROSECOND is not available: this gateway carries milliseconds"
        )
    return Refusal(HTTPStatus.BAD_REQUEST, f"unknown timeUnit '{units[-1][:40]}'; allowed: MILLISECOND")


def query_of(target: str) -> dict[str, list[str]]:
    """The query of a request target, decoded."""
    return _query(target.partition("?")[2])


def _query(text: str) -> dict[str, list[str]]:
    query: dict[str, list[str]] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if name:
            query.setdefault(_decode(name), []).append(_decode(value))
    return query


def _decode(text: str) -> str:
    """Undo percent-encoding.  A "+" stays one: `btcusdt@kline_1d@+08:00` is a stream, and no name holds a space."""
    # Bytes outside ASCII arrive as surrogates from the HTTP parser; they are UTF-8 like the encoded ones.
    return unquote_to_bytes(text.encode(errors="surrogateescape")).decode(errors="replace")
