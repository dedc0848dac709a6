"""The fleet over HTTP, for dashboards and scripts: what `fsnats status` shows, as JSON (docs/fleet.md)."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple, Protocol

import msgspec

from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.fleet.events import Chronicle, places_of
from fsnats.fleet.statuses import read
from fsnats.fleet.streams import LIMIT_DEFAULT, LIMIT_MOST, Sort, StreamsRequest, encode, merged
from fsnats.fleet.troubles import troubles
from fsnats.rollcall import RollCall
from fsnats.subjects import EVENTS_REQUEST, STREAMS_REQUEST
from fsnats.websocket.handshake import Headers
from gateway.admission.grants import Grant
from gateway.admission.pace import Paces
from gateway.fanout.hub import Hub
from gateway.rest import visits
from gateway.rest.browsers import METHODS
from gateway.rest.fresh import Fresh
from gateway.rest.problem import AGAIN, Problem
from gateway.rest.single import whole
from gateway.rest.visits import Receive, Scope, Send, Visits, asked_of, path_of

PREFIX = "/api/fleet"
STREAMS, EVENTS = f"{PREFIX}/streams", f"{PREFIX}/events"
STREAMS_NAMES = ("market", "q", "sort", "limit", "connection")
_LIMIT = 5.0  # seconds for an answer, the questions of others before it included


class House(visits.House, Protocol):
    """The gateway."""

    name: str
    hub: Hub


class Asking(NamedTuple):
    """One request."""

    query: Mapping[str, str]
    grant: Grant


class FleetView:
    """An ASGI application for everything below `/api/fleet`."""

    def __init__(self, house: House, bus: Bus, clock: Clock, paces: Paces) -> None:
        """`paces` are those of the other REST requests."""
        self._house = house
        self._bus = bus
        self._clock = clock
        self._visits = Visits(house, paces, clock.monotonic)
        inbox = f"_INBOX.{house.name}.fleet"
        self._statuses = RollCall(bus, f"{inbox}.programs")
        self._streams = RollCall(bus, f"{inbox}.streams", STREAMS_REQUEST)
        self._events = RollCall(bus, f"{inbox}.events", EVENTS_REQUEST)
        self._told = Fresh[str, bytes](clock.monotonic)
        self._merged = Fresh[StreamsRequest, bytes](clock.monotonic)
        self._heard = Fresh[str, None](clock.monotonic)
        self._chronicle = Chronicle()
        self._asked: dict[str, tuple[Collection[str], Callable[[Asking], Awaitable[bytes]]]] = {
            PREFIX: ((), self._tell_programs),
            STREAMS: (STREAMS_NAMES, self._tell_streams),
            EVENTS: (("after",), self._tell_events),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def tell(headers: Headers) -> bytes:
            return await self._tell(scope, headers)

        await self._visits.respond(scope, send, tell)

    async def _tell(self, scope: Scope, headers: Headers) -> bytes:
        grant = self._visits.guest(scope, headers).pass_.grant
        path = path_of(scope)
        if path.rstrip("/") not in self._asked:
            raise Problem(HTTPStatus.NOT_FOUND, f"nothing at {path[:200]}; there are {', '.join(self._asked)}")
        if scope["method"] not in ("GET", "HEAD"):
            raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{scope['method']} {path}; allowed: GET, HEAD", allow=METHODS)
        names, ask = self._asked[path.rstrip("/")]
        asking = Asking(asked_of(scope, names), grant)
        try:
            async with asyncio.timeout(_LIMIT):
                return await ask(asking)
        except TimeoutError:
            raise _unavailable("too many ask for other things at once", "BUSY") from None

    async def _tell_programs(self, _asking: Asking) -> bytes:
        """What everybody says, and what is wrong."""

        async def ask() -> bytes:
            answers = await self._everybody(self._statuses)
            fleet = read(answers)
            told = {"programs": [msgspec.Raw(answer) for answer in answers], "troubles": troubles(fleet)}
            return self._encoded(told, simulated=fleet.simulated)

        return await self._told.get("", ask)

    async def _tell_streams(self, asking: Asking) -> bytes:
        """What is carried, and how it flows."""
        request = streams_asked(asking.query, self._house.config.markets, asking.grant)

        async def ask() -> bytes:
            answers = await self._everybody(self._streams, encode(request))
            offsets = self._house.hub.turn.hops.offsets
            # In a thread: of many workers it takes tens of milliseconds, and streams must not wait for it.
            found = await asyncio.to_thread(merged, answers, request, offsets, self._streams.absent)
            return self._encoded(found._asdict())

        return await self._merged.get(request, ask)

    async def _tell_events(self, asking: Asking) -> bytes:
        """What happened lately."""

        async def ask() -> None:
            self._chronicle.take(await self._everybody(self._events, self._chronicle.question))

        try:
            places_of(asking.query.get("after", ""))
        except ValueError:
            raise _invalid("after: not what an answer had as `after`") from None
        await self._heard.get("", ask)
        news = self._chronicle.since(asking.query.get("after", ""))
        told = {"missed": news.missed, "after": news.after, "events": [event.fields for event in news.events]}
        return self._encoded(told)

    async def _everybody(self, asked: RollCall, question: bytes = b"") -> list[bytes]:
        """What everybody answers.  Raises Problem without NATS: each answer goes by way of it, also our own."""
        answers = await asked.call(question) if self._bus.is_connected else []
        if not self._bus.is_connected:
            raise _unavailable("NATS is not connected", "NOT_READY")
        if not answers:
            raise _unavailable("nobody answers over NATS", "NOT_READY")
        return answers

    def _encoded(self, told: Mapping[str, object], *, simulated: bool = False) -> bytes:
        head = {
            "simulated": simulated or bool(self._visits.simulation),
            "at": self._clock.time_ns() // 1_000_000,
            "gateway": self._house.name,
        }
        return msgspec.json.encode({**head, **told})


def streams_asked(query: Mapping[str, str], carried: Sequence[Market], grant: Grant) -> StreamsRequest:
    """Which streams a query asks for: of the markets that a token allows.  Raises Problem."""
    market: str | None = query.get("market")
    sort: str = query.get("sort", Sort.RATE)
    given = query.get("limit", str(LIMIT_DEFAULT))
    limit = whole(given, 1, LIMIT_MOST)
    if market is not None and market not in carried:
        detail = f"market: {market[:100]!r} is not carried here; there are {', '.join(carried)}"
        raise Problem(HTTPStatus.NOT_FOUND, detail, "UNKNOWN_MARKET")
    if sort not in list(Sort):
        raise _invalid(f"sort: {sort[:100]!r}; there are {', '.join(Sort)}")
    if limit is None:
        raise _invalid(f"limit: {given[:100]!r} is not a number from 1 to {LIMIT_MOST}")
    allowed = tuple(each for each in carried if grant.why_not(each) is None and market in (None, each))
    if not allowed:
        forbidden = grant.why_not(Market(market) if market else carried[0])
        raise Problem(HTTPStatus.FORBIDDEN, forbidden or "nothing is allowed", "FORBIDDEN")
    return StreamsRequest(allowed, query.get("q", ""), Sort(sort), limit, query.get("connection", ""))


def _invalid(detail: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, detail, "INVALID_FIELD")


def _unavailable(detail: str, code: str) -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, code, AGAIN)
