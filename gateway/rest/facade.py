"""Answers REST requests: by streams where these tell the same, else by the history workers.  A thin shell: `questions`
decides what may be asked, `live` what streams answer."""

import asyncio
import math
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Protocol
from urllib.parse import unquote

from fsnats.binance.endpoints import AGE_HEADER, SOURCE_HEADER, WEIGHT_HEADER
from fsnats.binance.parameters import RestError
from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.errors import BusUnavailable
from fsnats.history import STREAM, RestReply, RestRequest, ask_rest
from fsnats.websocket.handshake import Headers
from gateway.admission.pace import Paces
from gateway.fanout.hub import Hub
from gateway.rest import visits
from gateway.rest.accepted import takes_gzip, varying
from gateway.rest.books import flowing
from gateway.rest.browsers import METHODS, preflight, shared_with
from gateway.rest.followed import Followed
from gateway.rest.live import live
from gateway.rest.problem import AGAIN, CHALLENGE, Problem
from gateway.rest.questions import STREAM_TYPES, Question, checked, question, refusal
from gateway.rest.visits import Receive, Scope, Send, Visits, answer, headers_of


class House(visits.House, Protocol):
    """The gateway."""

    hub: Hub


class Facade:
    """An ASGI application."""

    def __init__(
        self,
        house: House,
        bus: Bus,
        clock: Clock,
        later: Callable[[float, Callable[[], None]], object],
        paces: Paces,
    ) -> None:
        """`later` calls a function after so many seconds; `paces` are those of the other REST requests."""
        self._house = house
        self._bus = bus
        self._clock = clock
        self._visits = Visits(house, paces, clock.monotonic)
        self._followed = Followed(house.hub, house.hub.turn.hops.offsets.get, clock, later)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        origins = self._house.config.gateway_origins
        if scope["method"] == "OPTIONS":
            await answer(send, HTTPStatus.NO_CONTENT, preflight(headers, origins))
            return
        reply = await self._reply(scope, headers)
        self._visits.count(reply.status)
        body, fields = reply.body, shared_with(headers, origins) | self._fields(reply)
        if reply.packed:
            fields = varying(fields)
        if reply.packed and takes_gzip(headers.get_all("Accept-Encoding")):
            fields["content-encoding"] = "gzip"
        elif reply.packed:
            body = await asyncio.to_thread(lambda: reply.plain)
        fields["content-length"] = str(len(body))
        await answer(send, reply.status, fields, b"" if scope["method"] == "HEAD" else body)

    async def _reply(self, scope: Scope, headers: Headers) -> RestReply:
        path, query = unquote(scope["raw_path"].decode("latin-1")), scope["query_string"].decode("latin-1")
        try:
            guest = self._visits.guest(scope, headers)
            verb = "GET" if scope["method"] == "HEAD" else scope["method"]
            asked = question(verb, path, query, "".join(headers.get_all("X-MBX-TIME-UNIT")))
            forbidden = guest.pass_.grant.why_not(asked.market, STREAM_TYPES.get(asked.method))
            if forbidden is not None:
                return _refused(HTTPStatus.FORBIDDEN, forbidden)
            self._visits.require_ready()
            parameters = checked(asked, self._house.config.markets, self._house.listings)
            fresh = any("no-cache" in value.lower() for value in headers.get_all("Cache-Control"))
            return await self._told(asked, parameters, fresh=fresh)
        except Problem as problem:
            return _refused(problem.status, str(problem), problem.retry_after)
        except RestError as error:
            return RestReply(error.status, error.body)

    async def _told(self, asked: Question, parameters: Mapping[str, str], *, fresh: bool) -> RestReply:
        """The answer, by a stream where that tells the same."""
        answerable = live(asked.market, asked.method, parameters)
        if asked.method == "depth":
            await flowing(self._house.hub, asked.market, parameters["symbol"])
            if self._house.hub.changes(asked.market, parameters["symbol"]):
                answerable = None  # a snapshot that fits the changes must not be older than they are
        if answerable is None:
            return await self._ask(asked, parameters, fresh=fresh)
        found = None if fresh else self._followed.answer(answerable)
        if found is not None:
            self._house.tally.rest_by_streams += 1
            return RestReply(HTTPStatus.OK, found.body, source=STREAM, age=found.age)
        reply = await self._ask(asked, parameters, fresh=fresh)
        if reply.status == HTTPStatus.OK and not reply.packed:
            self._followed.asked(answerable, reply.body)
        return reply

    async def _ask(self, asked: Question, parameters: Mapping[str, str], *, fresh: bool) -> RestReply:
        try:
            return await ask_rest(self._bus, RestRequest(asked.market, asked.method, dict(parameters), fresh=fresh))
        except BusUnavailable as error:
            reason = f"No history worker carries this out: {error}."
            return _refused(HTTPStatus.SERVICE_UNAVAILABLE, reason, AGAIN)

    def _fields(self, reply: RestReply) -> dict[str, str]:
        fields = {"content-type": "application/json;charset=UTF-8"}
        if reply.used is not None:
            fields[WEIGHT_HEADER] = fields[WEIGHT_HEADER.removesuffix("-1m")] = str(reply.used)
        if reply.source:
            fields[SOURCE_HEADER] = reply.source
        if reply.age is not None:
            fields[AGE_HEADER] = f"{max(0.0, reply.age):.3f}"
        if reply.retry_after is not None:
            fields["retry-after"] = str(max(1, math.ceil(reply.retry_after)))
        if reply.status == HTTPStatus.METHOD_NOT_ALLOWED:
            fields["allow"] = METHODS
        if reply.status == HTTPStatus.UNAUTHORIZED:
            fields |= CHALLENGE
        return fields | self._visits.simulation


def _refused(status: int, reason: str, retry_after: float | None = None) -> RestReply:
    return RestReply(status, refusal(HTTPStatus(status), reason), retry_after=retry_after)
