"""Which URL is which market, route and framing, and what may be delivered there.  No I/O."""

from urllib.parse import parse_qsl, unquote

import msgspec

from fsnats.binance.streams import MARKETS, Market, Stream, parse
from fsnats.errors import StreamNameError


class Endpoint(msgspec.Struct, frozen=True):
    """What a handshake asks for.  `route` is public, market or private; legacy for USD-M's old paths without one."""

    market: Market
    route: str
    combined: bool
    streams: tuple[str, ...] = ()
    microseconds: bool = False


def endpoint(target: str) -> Endpoint | None:
    """Read a request target such as `/usdm/market/stream?streams=btcusdt@aggTrade`; None for what does not exist."""
    path, _, query = target.partition("?")
    parts = path.split("/")[1:]
    if len(parts) < 2 or parts[0] not in MARKETS:
        return None
    market, parts = Market(parts[0]), parts[1:]
    route = ""
    if market is Market.USDM:
        route = "legacy"
        if parts[0] in ("public", "market", "private"):
            route, parts = parts[0], parts[1:]
    options = dict(parse_qsl(query, keep_blank_values=True)) if query else {}
    # A "+" in a query is a blank to parse_qsl, but part of the name in `@kline_1d@+08:00`.
    given = next((part[8:] for part in query.split("&") if part.startswith("streams=")), "")
    if parts == ["stream"]:
        names = given.split("/")
    elif parts[:1] == ["ws"] and not (market is not Market.SPOT and (parts[-1] == "" or query)):
        names = parts[1:]  # futures know neither `/ws/` nor `/ws?…`
    else:
        return None
    unit = options.get("timeUnit", "").upper()
    return Endpoint(
        market,
        route,
        parts == ["stream"],
        tuple(unquote(name) for name in names if name),
        market is Market.SPOT and unit == "MICROSECOND",
    )


def delivered(market: Market, route: str, name: str) -> Stream | None:
    """The stream that a name subscribed on a route stands for; None where the exchange would acknowledge and be silent.

    That is so for names it does not have, for upper-case symbols, and on USD-M for streams of another route.
    """
    try:
        stream = parse(market, name)
    except StreamNameError:
        return None
    if stream.name != name:
        return None
    if route and stream.route != ("public" if route == "legacy" else route):
        return None
    return stream
