"""The Komas module's REST: what is pinned, and the newest prices of it."""

import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl

import msgspec

from fsnats.binance.endpoints import SIMULATED_HEADER
from fsnats.binance.streams import Market, Stream, parse
from fsnats.bus import Bus
from fsnats.config import Config
from fsnats.errors import BusUnavailable, StreamNameError, Unusable
from fsnats.normalised import data
from fsnats.pins import PINS_MOST, Pin, checked
from fsnats.status import ask
from fsnats.symbols import Listing
from fsnats.websocket.handshake import Headers
from gateway.admission.door import Door
from gateway.admission.grants import Grant
from gateway.admission.pace import Paces
from gateway.hub import Hub
from gateway.komas.keeper import Keeper
from gateway.komas.requests import SYMBOLS_DEFAULT, Subscribe, Unsubscribe, described, stream_of_id, streams_of
from gateway.protocol.paths import Refusal
from gateway.rest.browsers import METHODS, preflight, shared_with
from gateway.rest.facade import Receive, Scope, Send
from gateway.rest.ranges import Problem
from gateway.tally import Tally

PREFIX = "/api/ws/"
_BODY_MOST = 64 * 1024  # bytes
_ASK_WITHIN = 0.3  # seconds in which workers tell of their connections

Answer = Awaitable[Mapping[str, object]]


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


class House(Protocol):
    """What this needs of the gateway."""

    config: Config
    door: Door
    hub: Hub
    tally: Tally
    listings: dict[Market, Listing]

    @property
    def readers(self) -> int: ...

    def unready(self) -> str | None: ...


class Komas:
    """An ASGI application for everything below `/api/ws/`, but for events."""

    def __init__(self, house: House, bus: Bus, keeper: Keeper, paces: Paces) -> None:
        """`paces` are those of the other REST requests."""
        self._house = house
        self._bus = bus
        self._keeper = keeper
        self._paces = paces
        self._asked: dict[tuple[str, str], Callable[[Asking], Answer]] = {
            ("GET", "status"): self._status,
            ("POST", "connect"): self._connect,
            ("POST", "disconnect"): self._disconnect,
            ("POST", "subscribe"): self._subscribe,
            ("POST", "unsubscribe"): self._unsubscribe,
            ("POST", "unsubscribe-all"): self._unsubscribe_all,
            ("GET", "prices"): self._prices,
            ("GET", "streams"): self._streams,
            ("POST", "quick/start-prices"): self._start_prices,
            ("POST", "quick/stop"): self._disconnect,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]])
        origins = self._house.config.gateway_origins
        if scope["method"] == "OPTIONS":
            fields = preflight(headers, origins) | {"access-control-allow-methods": f"{METHODS}, POST"}
            await _answer(send, HTTPStatus.NO_CONTENT, fields | {"access-control-allow-headers": "content-type"}, b"")
            return
        fields = shared_with(headers, origins)
        try:
            told = await self._told(scope, headers, receive)
            status, body = HTTPStatus.OK, msgspec.json.encode(told)
            fields["content-type"] = "application/json"
        except Problem as problem:
            status, body = HTTPStatus(problem.status), problem.body
            fields["content-type"] = "application/problem+json"
        counted = self._house.tally.rest
        counted[status] = counted.get(status, 0) + 1
        if any(listing.simulated for listing in self._house.listings.values()):
            fields[SIMULATED_HEADER] = "true"
        await _answer(send, status, fields, body)

    async def _told(self, scope: Scope, headers: Headers, receive: Receive) -> Mapping[str, object]:
        target = scope["raw_path"].decode("latin-1").partition("?")[0]
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        grant = self._admit(f"{target}?{scope['query_string'].decode('latin-1')}", scope, headers)
        path = target.removeprefix(PREFIX).rstrip("/")
        handler = self._asked.get((scope["method"], path))
        if handler is None:
            allowed = [method for method, each in self._asked if each == path]
            if allowed:
                raise Problem(
                    HTTPStatus.METHOD_NOT_ALLOWED, f"{scope['method']} {target}; allowed: {', '.join(allowed)}"
                )
            there = ", ".join(sorted({PREFIX + each for _, each in self._asked}))
            raise Problem(HTTPStatus.NOT_FOUND, f"nothing at {target[:200]}; there are {there}")
        missing = self._house.unready()
        if missing is not None:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, missing, retry_after=1.0)
        try:
            session = checked(query.get("session", "default"))
            return await handler(Asking(session, query, await _body(receive), grant))
        except Unusable as error:
            raise Problem(HTTPStatus.BAD_REQUEST, str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Problem(HTTPStatus.BAD_REQUEST, f"the body: {error}") from None
        except BusUnavailable as error:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), retry_after=1.0) from None

    def _admit(self, target: str, scope: Scope, headers: Headers) -> Grant:
        peer: str = scope["client"][0] if scope.get("client") else ""
        guest = self._house.door.visit(target, headers, peer)
        if isinstance(guest, Refusal):
            raise Problem(guest.status, guest.reason)
        grant = guest.pass_.grant
        rate = grant.requests or self._house.config.gateway_requests
        if not self._paces.allow(grant.name or guest.neighbourhood, rate, time.monotonic()):
            self._house.tally.requests_refused += 1
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, f"more than {rate:g} requests a second", retry_after=1.0)
        return grant

    # What is asked.

    async def _status(self, asking: Asking) -> Mapping[str, object]:
        statuses = await ask(self._bus, f"_INBOX.komas.{id(self):x}.{time.monotonic_ns()}", _ASK_WITHIN)
        connections: list[Any] = []
        for status in statuses:
            if status.get("kind") == "ingest":
                connections += list(status.get("connections") or ())  # type: ignore[call-overload]
        streams = self._pinned(asking.session)
        newest = [frame.received_ns for stream in streams if (frame := self._house.hub.newest(stream)) is not None]
        connected = self._keeper.table.is_connected(asking.session)
        return {
            "state": "connected" if connected else "disconnected",
            "connected": connected,
            "session": asking.name,
            "subscriptions": len(streams),
            "streams": [stream.name for stream in streams],
            "reconnect_count": sum(max(0, int(each["dials"]) - 1) for each in connections),
            "last_message": max(newest, default=0) // 1_000_000 or None,
            "sse_clients": self._house.readers,
            "cached_prices": len(self._cached(())),
            "connections": connections,
        }

    async def _connect(self, asking: Asking) -> Mapping[str, object]:
        await self._keeper.connect(asking.session, True)
        return {"success": True, "state": "connected", "session": asking.name}

    async def _disconnect(self, asking: Asking) -> Mapping[str, object]:
        await self._keeper.connect(asking.session, False)
        return {"success": True, "state": "disconnected", "session": asking.name}

    async def _subscribe(self, asking: Asking) -> Mapping[str, object]:
        return await self._pin(asking, msgspec.json.decode(asking.body or b"{}", type=Subscribe))

    async def _pin(self, asking: Asking, asked: Subscribe) -> Mapping[str, object]:
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
        held, most = len(self._keeper.table.held() | wanted), self._house.config.gateway_streams
        if held > most:
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, f"all sessions would hold {held} streams, and may hold {most}")
        now_ms = time.time_ns() // 1_000_000
        await self._keeper.pin(asking.session, [Pin(stream.market, stream.name, now_ms) for stream in streams])
        return {"success": True, "session": asking.name, "streams": [described(stream, now_ms) for stream in streams]}

    async def _unsubscribe(self, asking: Asking) -> Mapping[str, object]:
        asked = msgspec.json.decode(asking.body or b"{}", type=Unsubscribe)
        if asked.stream_ids:
            streams = [stream_of_id(each) for each in asked.stream_ids]
        else:
            streams = streams_of(asked, self._house.config.markets, self._house.listings)
        left = {(stream.market, stream.name) for stream in streams}
        gone = [pin for pin in self._keeper.table.pins(asking.session) if (pin.market, pin.stream) in left]
        await self._keeper.unpin(asking.session, gone)
        return {"success": True, "session": asking.name, "unsubscribed": [pin.stream for pin in gone]}

    async def _unsubscribe_all(self, asking: Asking) -> Mapping[str, object]:
        gone = self._keeper.table.pins(asking.session)
        await self._keeper.unpin(asking.session, gone)
        return {"success": True, "session": asking.name, "unsubscribed": [pin.stream for pin in gone]}

    async def _streams(self, asking: Asking) -> Mapping[str, object]:
        pins = self._keeper.table.pins(asking.session)
        told = [described(parse(pin.market, pin.stream), pin.since_ms) for pin in pins]
        return {"session": asking.name, "count": len(told), "streams": told}

    async def _prices(self, asking: Asking) -> Mapping[str, object]:
        prices = self._cached(
            [each.strip().upper() for each in asking.query.get("symbols", "").split(",") if each.strip()]
        )
        return {"count": len(prices), "prices": prices}

    async def _start_prices(self, asking: Asking) -> Mapping[str, object]:
        symbols = [each.strip() for each in asking.query.get("symbols", "").split(",") if each.strip()] or list(
            SYMBOLS_DEFAULT
        )
        told = await self._pin(asking, Subscribe(symbols, market=asking.query.get("market", "")))
        return {**told, "sse_url": f"{PREFIX}sse/prices?symbols={','.join(each.upper() for each in symbols)}"}

    # What is known.

    def _pinned(self, session: str) -> list[Stream]:
        found = []
        for pin in self._keeper.table.pins(session):
            try:
                found.append(parse(pin.market, pin.stream))
            except StreamNameError:
                continue
        return found

    def _cached(self, symbols: list[str] | tuple[()]) -> dict[str, msgspec.Raw]:
        """The newest ticker of each symbol whose tickers flow through this gateway; those named, or all."""
        prices: dict[str, msgspec.Raw] = {}
        for channel in self._house.hub:
            stream, frame = channel.stream, channel.newest
            if stream.kind != "ticker" or frame is None or (symbols and stream.subject not in symbols):
                continue
            if stream.subject not in prices or stream.market is self._house.config.markets[0]:
                inner, _ = data(stream, frame.payload, frame.received_ns // 1_000_000)
                prices[stream.subject] = msgspec.Raw(inner)
        return prices


async def _body(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _BODY_MOST:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has more than {_BODY_MOST} bytes")
        if not message.get("more_body"):
            return body


async def _answer(send: Send, status: int, fields: Mapping[str, str], body: bytes) -> None:
    fields = {**fields, "content-length": str(len(body))}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": int(status), "headers": raw})
    await send({"type": "http.response.body", "body": body})
