"""The Komas module's REST: what is pinned, and the newest prices of it."""

import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

import msgspec

from fsnats.binance.streams import Stream, parse
from fsnats.bus import Bus
from fsnats.errors import UNREADABLE, BusUnavailable, StreamNameError, Unusable
from fsnats.fleet.answers import sorted_out
from fsnats.normalised import data
from fsnats.pins import PINS_MOST, VALUES_MOST, Pin, checked
from fsnats.rollcall import RollCall
from fsnats.websocket.handshake import Headers
from gateway.admission.grants import Grant
from gateway.admission.pace import Paces
from gateway.fanout.hub import Hub
from gateway.komas import routes
from gateway.komas.answers import Pinned, Prices, Started, State, Status, Streams, Switched, Unpinned
from gateway.komas.keeper import Keeper
from gateway.komas.requests import (
    SYMBOLS_DEFAULT,
    Subscribe,
    Unsubscribe,
    described,
    market_of,
    stream_of_id,
    streams_of,
)
from gateway.komas.routes import BODY_MOST, allowed, route_of
from gateway.openapi.parts import Operation
from gateway.rest import visits
from gateway.rest.fresh import Fresh
from gateway.rest.problem import AGAIN, Problem
from gateway.rest.single import parameters
from gateway.rest.visits import Receive, Scope, Send, Visits, path_of, query_of
from gateway.sse import routes as events

_ASK_WITHIN = 0.3  # seconds in which workers tell of their connections

Answer = Awaitable[msgspec.Struct]


class _Worker(msgspec.Struct):
    """What is read of a program's status."""

    kind: str = ""
    connections: list[dict[str, Any]] = []


_worker = msgspec.json.Decoder(_Worker).decode


class Asking(NamedTuple):
    """One request."""

    name: str  # of the session, as it was given
    query: Mapping[str, str]
    body: bytes
    grant: Grant

    @property
    def symbols(self) -> list[str]:
        """Those of the query."""
        return [each.strip() for each in self.query.get("symbols", "").split(",") if each.strip()]

    @property
    def session(self) -> str:
        """The session's name where it is kept: each token has sessions of its own."""
        owner = "".join(each if each.isascii() and each.isalnum() else f"-{ord(each):x}-" for each in self.grant.name)
        return f"{owner}--{self.name}" if owner else self.name


class House(visits.House, Protocol):
    """What this needs of the gateway."""

    name: str
    hub: Hub

    @property
    def readers(self) -> int: ...


class Komas:
    """An ASGI application for everything below `/api/ws/`, but for events."""

    def __init__(self, house: House, bus: Bus, keeper: Keeper, paces: Paces) -> None:
        """`paces` are those of the other REST requests."""
        self._house = house
        self._keeper = keeper
        self._workers = RollCall(bus, f"_INBOX.{house.name}.komas")
        self._connections = Fresh[str, list[dict[str, Any]]](time.monotonic)
        self._visits = Visits(house, paces, time.monotonic)
        self._handlers: dict[Operation, Callable[[Asking], Answer]] = {
            routes.STATUS: self._status,
            routes.CONNECT: self._connect,
            routes.DISCONNECT: self._disconnect,
            routes.SUBSCRIBE: self._subscribe,
            routes.UNSUBSCRIBE: self._unsubscribe,
            routes.UNSUBSCRIBE_ALL: self._unsubscribe_all,
            routes.PRICES: self._prices,
            routes.STREAMS: self._streams,
            routes.START_PRICES: self._start_prices,
            routes.STOP: self._disconnect,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def tell(headers: Headers) -> bytes:
            return msgspec.json.encode(await self._told(scope, headers, receive))

        await self._visits.respond(scope, send, tell, allowed(path_of(scope)))

    async def _told(self, scope: Scope, headers: Headers, receive: Receive) -> msgspec.Struct:
        grant = self._visits.guest(scope, headers).pass_.grant
        route = route_of(scope["method"], path_of(scope))
        self._visits.require_ready()
        try:
            query = parameters(query_of(scope), route.names)
            session = checked(query.get("session", "default"))
            return await self._handlers[route](Asking(session, query, await _body(receive), grant))
        except Unusable as error:
            raise Problem(HTTPStatus.BAD_REQUEST, str(error)) from None
        except UNREADABLE as error:
            raise Problem(HTTPStatus.BAD_REQUEST, f"the body: {error}") from None
        except BusUnavailable as error:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), retry_after=AGAIN) from None

    # What is asked.

    async def _status(self, asking: Asking) -> Status:
        connections = await self._connections.get("", self._ask)
        streams = [stream for stream, _ in self._pinned(asking.session)]
        newest = [frame.received_ns for stream in streams if (frame := self._house.hub.newest(stream)) is not None]
        connected = self._keeper.table.is_connected(asking.session)
        return Status(
            state="connected" if connected else "disconnected",
            connected=connected,
            session=asking.name,
            subscriptions=len(streams),
            streams=[stream.name for stream in streams],
            reconnect_count=sum(max(0, int(each["dials"]) - 1) for each in connections),
            last_message=max(newest, default=0) // 1_000_000 or None,
            sse_clients=self._house.readers,
            cached_prices=len(self._cached(frozenset())),
            connections=connections,
        )

    async def _ask(self) -> list[dict[str, Any]]:
        """The workers' connections to the exchange."""
        found, _ = sorted_out(await self._workers.call(wait=_ASK_WITHIN), _worker)
        return [connection for worker in found if worker.kind == "ingest" for connection in worker.connections]

    async def _connect(self, asking: Asking) -> Switched:
        return await self._switch(asking, "connected")

    async def _disconnect(self, asking: Asking) -> Switched:
        return await self._switch(asking, "disconnected")

    async def _switch(self, asking: Asking, state: State) -> Switched:
        self._require_room(asking, 0)
        await self._keeper.connect(asking.session, state == "connected")
        return Switched(True, state, asking.name)

    async def _subscribe(self, asking: Asking) -> Pinned:
        return await self._pin(asking, msgspec.json.decode(asking.body or b"{}", type=Subscribe))

    async def _pin(self, asking: Asking, asked: Subscribe) -> Pinned:
        streams = streams_of(asked, self._house.config.markets, self._house.listings)
        refused = [why for stream in streams if (why := asking.grant.why_not_stream(stream)) is not None]
        if refused:
            raise Problem(HTTPStatus.FORBIDDEN, refused[0], "FORBIDDEN")
        before = {(pin.market, pin.stream) for pin in self._keeper.table.pins(asking.session)}
        wanted = {(stream.market, stream.name) for stream in streams}
        if len(before | wanted) > PINS_MOST:
            raise Unusable(
                f"session '{asking.name}' would have {len(before | wanted)} streams, and may have {PINS_MOST}"
            )
        self._require_room(asking, len(wanted - before))
        held, most = len(self._keeper.table.held() | wanted), self._house.config.gateway_streams
        if held > most:
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, f"all sessions would hold {held} streams, and may hold {most}")
        now_ms = time.time_ns() // 1_000_000
        await self._keeper.pin(asking.session, [Pin(stream.market, stream.name, now_ms) for stream in streams])
        return Pinned(True, asking.name, [described(stream, now_ms) for stream in streams])

    async def _unsubscribe(self, asking: Asking) -> Unpinned:
        asked = msgspec.json.decode(asking.body or b"{}", type=Unsubscribe)
        if asked.stream_ids:
            if asked.symbols:
                raise Unusable("'symbols' and 'stream_ids': one of them, not both")
            streams = [stream_of_id(each) for each in asked.stream_ids]
        else:
            streams = streams_of(asked, self._house.config.markets, self._house.listings)
        left = {(stream.market, stream.name) for stream in streams}
        gone = [pin for pin in self._keeper.table.pins(asking.session) if (pin.market, pin.stream) in left]
        await self._keeper.unpin(asking.session, gone)
        return Unpinned(True, asking.name, [pin.stream for pin in gone])

    async def _unsubscribe_all(self, asking: Asking) -> Unpinned:
        gone = self._keeper.table.pins(asking.session)
        await self._keeper.unpin(asking.session, gone)
        return Unpinned(True, asking.name, [pin.stream for pin in gone])

    async def _streams(self, asking: Asking) -> Streams:
        told = [described(stream, pin.since_ms) for stream, pin in self._pinned(asking.session)]
        return Streams(asking.name, len(told), told)

    async def _prices(self, asking: Asking) -> Prices:
        prices = self._cached({each.upper() for each in asking.symbols})
        return Prices(len(prices), prices)

    async def _start_prices(self, asking: Asking) -> Started:
        symbols = asking.symbols or list(SYMBOLS_DEFAULT)
        market = asking.query.get("market", "")
        if "market" in asking.query:
            market_of(market, self._house.config.markets)
        told = await self._pin(asking, Subscribe(symbols, market=market))
        url = f"{events.PREFIX}prices?symbols={','.join(each.upper() for each in symbols)}"
        return Started(True, asking.name, told.streams, url + (f"&market={market}" if market else ""))

    def _require_room(self, asking: Asking, pins: int) -> None:
        """Raises Problem where so many more pins, and whether the session is connected, would be too much: anybody may
        make up names of sessions."""
        table = self._keeper.table
        values = len(table) + pins + (asking.session not in table.sessions)
        if values > VALUES_MOST:
            detail = f"all sessions together have {len(table)} pins, and may have {VALUES_MOST}"
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, detail)

    # What is known.

    def _pinned(self, session: str) -> list[tuple[Stream, Pin]]:
        found = []
        for pin in self._keeper.table.pins(session):
            with contextlib.suppress(StreamNameError):  # another version's stream
                found.append((parse(pin.market, pin.stream), pin))
        return found

    def _cached(self, symbols: Collection[str]) -> dict[str, msgspec.Raw]:
        """The newest ticker of each symbol whose tickers flow through this gateway; those named, or all."""
        prices: dict[str, msgspec.Raw] = {}
        for channel in self._house.hub:
            stream, frame = channel.stream, channel.newest
            if stream.kind != "ticker" or frame is None or (symbols and stream.subject not in symbols):
                continue
            if stream.subject not in prices or stream.market is self._house.config.markets[0]:
                with contextlib.suppress(Unusable):  # listeners are told that it cannot be understood
                    inner, _ = data(stream, frame.payload, frame.received_ns // 1_000_000)
                    prices[stream.subject] = msgspec.Raw(inner)
        return prices


async def _body(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_MOST:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has more than {BODY_MOST} bytes")
        if not message.get("more_body"):
            return body
