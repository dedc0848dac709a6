"""What all that is answered over HTTP has in common: who may ask, how fast, and how an answer is sent."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any, Protocol

from fsnats.binance.endpoints import SIMULATED_HEADER
from fsnats.binance.streams import Market
from fsnats.config import Config
from fsnats.errors import Unusable
from fsnats.symbols import Listing
from fsnats.websocket.handshake import Headers
from gateway.admission.door import Door, Guest
from gateway.admission.pace import Paces
from gateway.fanout.tally import Tally
from gateway.protocol.paths import Refusal
from gateway.rest.accepted import takes_gzip, varying
from gateway.rest.browsers import METHODS, preflight, shared_with
from gateway.rest.problem import AGAIN, Problem
from gateway.rest.single import parameters

Scope = MutableMapping[str, Any]  # ASGI's own types are no narrower
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_COMPRESSED_FROM = 1000  # bytes
_COMPRESSION = 5  # of 9: a list of all symbols, 0.9 MB, has 60 KB after it, in some milliseconds beside the loop


class House(Protocol):
    """The gateway."""

    config: Config
    door: Door
    tally: Tally
    listings: dict[Market, Listing]

    def unready(self) -> str | None: ...


class Visits:
    """Requests of one kind; `paces` are those of all kinds."""

    def __init__(self, house: House, paces: Paces, monotonic: Callable[[], float]) -> None:
        self._house = house
        self._paces = paces
        self._monotonic = monotonic

    def guest(self, scope: Scope, headers: Headers) -> Guest:
        """Whoever asks.  Raises Problem for one who may not, or who asks too fast: all of a token's or an address'
        requests count together."""
        peer: str = scope["client"][0] if scope.get("client") else ""
        guest = self._house.door.visit(f"{path_of(scope)}?{query_of(scope)}", headers, peer)
        if isinstance(guest, Refusal):
            raise Problem(guest.status, guest.reason)
        grant = guest.pass_.grant
        rate = grant.requests or self._house.config.gateway_requests
        if not self._paces.allow(grant.name or guest.neighbourhood, rate, self._monotonic()):
            self._house.tally.requests_refused += 1
            detail = f"more than {rate:g} requests a second"
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, "TOO_MANY_REQUESTS", AGAIN)
        return guest

    def require_ready(self) -> None:
        """Raises Problem while the gateway starts or stops."""
        missing = self._house.unready()
        if missing is not None:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, missing, "NOT_READY", AGAIN)

    def count(self, status: int) -> None:
        """One request was answered so."""
        counted = self._house.tally.rest
        counted[status] = counted.get(status, 0) + 1

    async def respond(
        self,
        scope: Scope,
        send: Send,
        tell: Callable[[Headers], Awaitable[bytes]],
        methods: str = METHODS,
    ) -> None:
        """Answer with the JSON that `tell` makes, or the Problem that it raises; browsers' preflights as well, with
        the `methods` that there are."""
        headers = headers_of(scope)
        origins = self._house.config.gateway_origins
        if scope["method"] == "OPTIONS":
            await answer(send, HTTPStatus.NO_CONTENT, preflight(headers, origins, methods))
            return
        fields = {"content-type": "application/json", "cache-control": "no-store"}
        try:
            status, body = int(HTTPStatus.OK), await tell(headers)
        except Problem as problem:
            status, body, fields = problem.status, problem.body, problem.fields
        self.count(status)
        fields |= shared_with(headers, origins) | self.simulation
        if len(body) >= _COMPRESSED_FROM:
            fields = varying(fields)
            if takes_gzip(headers.get_all("Accept-Encoding")):
                body = await asyncio.to_thread(gzip.compress, body, _COMPRESSION)
                fields["content-encoding"] = "gzip"
        fields["content-length"] = str(len(body))
        await answer(send, status, fields, b"" if scope["method"] == "HEAD" else body)

    @property
    def simulation(self) -> dict[str, str]:
        """The header field that says so where data is made up."""
        return simulation(self._house.listings)


def simulation(listings: Mapping[Market, Listing]) -> dict[str, str]:
    """The header field that says so where one of these is simulated."""
    return {SIMULATED_HEADER: "true"} if any(listing.simulated for listing in listings.values()) else {}


def headers_of(scope: Scope) -> Headers:
    """The header fields of a request."""
    return Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]])


def path_of(scope: Scope) -> str:
    """The path of a request, as it was sent."""
    path: str = scope["raw_path"].decode("latin-1")
    return path.partition("?")[0]


def query_of(scope: Scope) -> str:
    """The query of a request, as it was sent."""
    query: str = scope["query_string"].decode("latin-1")
    return query


def asked_of(scope: Scope, names: Collection[str]) -> dict[str, str]:
    """The parameters of a request, of which these are known.  Raises Problem."""
    try:
        return parameters(query_of(scope), names)
    except Unusable as error:
        raise Problem(HTTPStatus.BAD_REQUEST, str(error), "INVALID_FIELD") from None


def require_reading(scope: Scope) -> None:
    """Raises Problem for a method that would change something."""
    if scope["method"] not in ("GET", "HEAD"):
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, "this is read only: GET", allow=METHODS)


async def start(send: Send, status: int, fields: Mapping[str, str]) -> None:
    """Send the head of an answer."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": int(status), "headers": raw})


async def answer(send: Send, status: int, fields: Mapping[str, str], body: bytes = b"") -> None:
    """Send a whole answer."""
    await start(send, status, fields)
    await send({"type": "http.response.body", "body": body})
