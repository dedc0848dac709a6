"""Answers `/api/v1/symbols`: what the markets list now.  The gateway knows it: nobody is asked, at no weight."""

import time
from collections.abc import Sequence
from http import HTTPStatus

import msgspec

from fsnats.binance.streams import Market
from fsnats.symbols import Listing
from fsnats.websocket.handshake import Headers
from gateway.admission.pace import Paces
from gateway.rest.problem import Problem
from gateway.rest.visits import House, Receive, Scope, Send, Visits, asked_of, require_reading

PATH = "/api/v1/symbols"
NAMES = frozenset({"market", "token"})


class Listed(msgspec.Struct):
    """A symbol as the exchange lists it; spot's have neither pair nor contract."""

    symbol: str
    pair: str
    contract: str
    status: str


class ListedMarket(msgspec.Struct):
    """What a market lists, and when it was asked, in milliseconds since 1970."""

    market: Market
    taken: int
    simulated: bool
    replayed: bool
    symbols: list[Listed]


class Lists(msgspec.Struct):
    """All that is told."""

    markets: list[ListedMarket]


class _Made(msgspec.Struct):
    """One market's part of an answer, and the listing that it was made of."""

    listing: Listing
    part: msgspec.Raw


class Symbols:
    """An ASGI application."""

    def __init__(self, house: House, paces: Paces) -> None:
        """`paces` are those of the other REST requests."""
        self._house = house
        self._visits = Visits(house, paces, time.monotonic)
        self._made: dict[Market, _Made] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def tell(headers: Headers) -> bytes:
            return self._answer(scope, headers)

        await self._visits.respond(scope, send, tell)

    def _answer(self, scope: Scope, headers: Headers) -> bytes:
        require_reading(scope)
        grant = self._visits.guest(scope, headers).pass_.grant
        asked = asked_of(scope, NAMES).get("market")
        markets = self._markets(asked)
        forbidden = grant.why_not(markets[0]) if asked else None
        if forbidden is not None:
            raise Problem(HTTPStatus.FORBIDDEN, forbidden, "FORBIDDEN")
        self._visits.require_ready()
        return msgspec.json.encode({"markets": [self._part(each) for each in markets if grant.why_not(each) is None]})

    def _markets(self, asked: str | None) -> Sequence[Market]:
        carried = self._house.config.markets
        if asked is None:
            return carried
        if asked not in carried:
            detail = f"market: {asked[:100]!r} is not carried here; there are {', '.join(carried)}"
            raise Problem(HTTPStatus.NOT_FOUND, detail, "UNKNOWN_MARKET")
        return [Market(asked)]

    def _part(self, market: Market) -> msgspec.Raw:
        listing = self._house.listings[market]
        made = self._made.get(market)
        if made is None or made.listing is not listing:
            made = self._made[market] = _Made(listing, msgspec.Raw(msgspec.json.encode(_told(listing))))
        return made.part


def _told(listing: Listing) -> ListedMarket:
    symbols = [Listed(each.name, each.pair, each.contract, each.status) for each in listing.symbols]
    return ListedMarket(listing.market, listing.taken_ms, listing.simulated, listing.replayed, symbols)
