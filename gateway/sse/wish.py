"""What an HTTP request for events asks for, read from its target.  Pure.

/api/ws/sse/prices?symbols=BTCUSDT,ETHUSDT       tickers
/api/ws/sse/klines?symbol=BTCUSDT&interval=1m    candles
/api/ws/sse/trades?symbol=BTCUSDT                trades
/api/ws/sse/stream?streams=btcusdt@trade/…       anything
"""

from collections.abc import Sequence
from typing import NamedTuple

from fsnats.binance.streams import Market, parse
from fsnats.errors import StreamNameError, Unusable
from gateway.komas.requests import INTERVAL_DEFAULT, SYMBOLS_DEFAULT, market_of
from gateway.protocol.forms import Envelope, normalised_with
from gateway.protocol.paths import query_of
from gateway.rest.single import single
from gateway.sse.places import STREAMS_MOST
from gateway.sse.routes import PREFIX, ROUTES

_NAMES = {route.path.removeprefix(PREFIX): route.names | {"token"} for route in ROUTES}


class Wish(NamedTuple):
    """Streams of a market by their canonical names, and how they are to be wrapped."""

    market: Market
    streams: tuple[str, ...]
    envelope: Envelope
    last_event_id: str


class NoSuchPath(Unusable):
    """Nothing is served under this path."""


def wish_of(target: str, markets: Sequence[Market]) -> Wish:
    """Read a request target.  Raises NoSuchPath, or Unusable for a parameter that cannot be used."""
    path = target.partition("?")[0].removeprefix(PREFIX).rstrip("/")
    names = _NAMES.get(path)
    if names is None:
        there = ", ".join(route.path for route in ROUTES)
        raise NoSuchPath(f"no events at {PREFIX}{path[:200]}; there are {there}")
    query = single(query_of(target), names)
    market = market_of(query.get("market", str(markets[0])), markets)
    streams = list(dict.fromkeys(_name(market, each) for each in _wanted(path, query)))
    if not 1 <= len(streams) <= STREAMS_MOST:
        raise Unusable(f"{len(streams)} streams: one request is for 1 to {STREAMS_MOST}")
    return Wish(market, tuple(streams), _envelope(query), query.get("lastEventId", ""))


def _wanted(path: str, query: dict[str, str]) -> list[str]:
    if path == "stream":
        return _list(_needed(query, "streams").replace("/", ","))
    if path == "prices":
        symbols = _list(query["symbols"]) if "symbols" in query else SYMBOLS_DEFAULT
        return [f"{symbol}@ticker" for symbol in symbols]
    symbol = _needed(query, "symbol")
    return [f"{symbol}@trade" if path == "trades" else f"{symbol}@kline_{query.get('interval', INTERVAL_DEFAULT)}"]


def _needed(query: dict[str, str], name: str) -> str:
    value = query.get(name, "").strip()
    if not value:
        raise Unusable(f"'{name}' is missing")
    return value


def _list(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _name(market: Market, name: str) -> str:
    try:
        return parse(market, name).name
    except StreamNameError as error:
        raise Unusable(f"'{name[:100]}': {error.reason}") from error


def _envelope(query: dict[str, str]) -> Envelope:
    form, normalised = query.get("format", "normalised"), normalised_with(query.get("decimal", "number"))
    if form not in ("normalised", "raw"):
        raise Unusable(f"unknown format '{form[:40]}'; allowed: normalised, raw")
    return Envelope.TYPED if form == "raw" else normalised
