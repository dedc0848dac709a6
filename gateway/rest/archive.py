"""Answers `/api/v1/klines` and `/api/v1/trades`: long ranges, streamed page by page from the history workers.

A page is asked for when the one before is on its way to the client, and the client's socket says when that is: what one
download holds here is two pages, however long it is and however slowly it is read.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from fsnats.binance.rows import Candle
from fsnats.bus import Bus
from fsnats.candles.calendar import moved, opening
from fsnats.clock import Clock
from fsnats.errors import Unusable
from fsnats.formats import MEDIA_TYPES, Writer, writer
from fsnats.history import HistoryReply, KlinesRequest, Missing, TradesRequest
from fsnats.store.forms import AggTrade
from fsnats.websocket.handshake import Headers
from gateway import pages
from gateway.admission.door import Guest
from gateway.admission.pace import Paces
from gateway.rest import ranges
from gateway.rest.browsers import preflight, shared_with
from gateway.rest.problem import AGAIN, Problem
from gateway.rest.ranges import Asked
from gateway.rest.visits import (
    House,
    Receive,
    Scope,
    Send,
    Visits,
    answer,
    headers_of,
    path_of,
    query_of,
    require_reading,
    start,
)

logger = logging.getLogger(__name__)

AT_ONCE = 4  # downloads of one token or address
AT_ONCE_ALL = 64  # of one process
PATIENCE = 180.0  # seconds that a download waits for weight, or for history workers, before it is given up
_LONGEST_WAIT = 65.0  # seconds between two questions: the exchange counts by minutes

_candles = msgspec.json.Decoder(list[Candle]).decode
_trades = msgspec.json.Decoder(list[AggTrade]).decode


class _Missing(Exception):
    """A part cannot be had after all."""


class Archive:
    """An ASGI application."""

    def __init__(self, house: House, bus: Bus, clock: Clock, paces: Paces) -> None:
        """`paces` are those of the other REST requests."""
        self._house = house
        self._bus = bus
        self._clock = clock
        self._visits = Visits(house, paces, clock.monotonic)
        self._downloads: Counter[str] = Counter()

    @property
    def downloads(self) -> int:
        """How many answers are on their way."""
        return self._downloads.total()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        origins = self._house.config.gateway_origins
        if scope["method"] == "OPTIONS":
            await answer(send, HTTPStatus.NO_CONTENT, preflight(headers, origins))
            return
        shared = shared_with(headers, origins)
        try:
            guest = self._admitted(scope, headers)
            asked = self._asked(scope, headers, guest)
            who = guest.pass_.grant.name or guest.neighbourhood
            self._require_room(who)
        except Problem as problem:
            await self._refuse(send, problem, shared)
            return
        self._downloads[who] += 1
        try:
            await _while_there(receive, self._answer(scope, send, asked, shared))
        finally:
            self._downloads[who] -= 1
            if not self._downloads[who]:
                del self._downloads[who]

    def _admitted(self, scope: Scope, headers: Headers) -> Guest:
        require_reading(scope)
        return self._visits.guest(scope, headers)

    def _asked(self, scope: Scope, headers: Headers, guest: Guest) -> Asked:
        now_ms, accept = self._clock.time_ns() // 1_000_000, ",".join(headers.get_all("Accept"))
        asked = ranges.asked(path_of(scope), query_of(scope), accept, self._house.config.markets, now_ms)
        forbidden = guest.pass_.grant.why_not(asked.request.market, asked.stream_type)
        if forbidden is not None:
            raise Problem(HTTPStatus.FORBIDDEN, forbidden, "FORBIDDEN")
        self._visits.require_ready()
        ranges.require_listed(asked, self._house.listings[asked.request.market])
        return asked

    def _require_room(self, who: str) -> None:
        if self._downloads[who] >= AT_ONCE:
            detail = f"more than {AT_ONCE} downloads at once"
            raise Problem(HTTPStatus.TOO_MANY_REQUESTS, detail, "TOO_MANY_REQUESTS", AGAIN)
        if self.downloads >= AT_ONCE_ALL:
            detail = f"more than {AT_ONCE_ALL} downloads at once here"
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, "BUSY", AGAIN)

    async def _answer(self, scope: Scope, send: Send, asked: Asked, shared: Mapping[str, str]) -> None:
        try:
            form = await self._writer(asked)
            replies = self._replies(asked)
            first = await anext(replies)
            missing = await self._missing(asked, first)
        except Problem as problem:
            await self._refuse(send, problem, shared)
            return
        self._visits.count(HTTPStatus.OK)
        fields = {
            "content-type": MEDIA_TYPES[asked.format],
            **shared,
            **ranges.told(missing),
            **self._visits.simulation,
        }
        fields["cache-control"] = "no-store"
        await start(send, HTTPStatus.OK, fields)
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        await _send(send, form.begin(missing))
        # Of a whole range that is all of it; otherwise each page says what is missing there.
        is_survey = asked.request.source == "store" and asked.limit is None
        told = list(missing if is_survey else first.missing)
        try:
            await _send(send, await _add(asked, form, first))
            async for reply in replies:
                told += [] if is_survey else reply.missing
                await _send(send, await _add(asked, form, reply))
        except (Problem, Unusable) as error:
            logger.warning("a download cannot be finished", extra={"event": "download.unfinished", "error": str(error)})
            if asked.format != "json":
                return  # without its end, which every HTTP client takes for what it is: the answer is not whole
            end = form.end(told, str(error))
        else:
            end = await asyncio.to_thread(form.end, told)
        await send({"type": "http.response.body", "body": end})

    async def _writer(self, asked: Asked) -> Writer:
        try:
            # The first import of pyarrow takes its time.
            return await asyncio.to_thread(writer, asked.format, asked.title)
        except Unusable as error:
            raise Problem(HTTPStatus.NOT_IMPLEMENTED, str(error)) from None

    async def _missing(self, asked: Asked, first: HistoryReply) -> list[Missing]:
        """What is missing, as far as that is known before the rest is read."""
        request = asked.request
        if isinstance(request, TradesRequest) or request.source != "store" or request.newest or first.goes_on is None:
            return first.missing
        end = request.end_ms
        if asked.limit is not None:  # no more than so many candles are looked for
            last = moved(request.interval, opening(request.interval, request.start_ms or 0), asked.limit - 1)
            end = last if end is None else min(end, last)
        survey = msgspec.structs.replace(request, survey=True, end_ms=end)
        reply = await pages.page(self._bus, survey)
        if reply.code:
            raise ranges.refused(reply.code, reply.message, reply.retry_after)
        return reply.missing

    async def _replies(self, asked: Asked) -> AsyncIterator[HistoryReply]:
        """Page after page, the oldest first.  Raises Problem."""
        if asked.request.newest:
            some = [reply async for reply in self._followed(asked)]
            missing = sorted((one for reply in some for one in reply.missing), key=lambda one: one.first)
            for number, reply in enumerate(reversed(some)):
                # What is missing of all of them is known before the first one goes out.
                yield msgspec.structs.replace(reply, missing=missing if number == 0 else [])
            return
        async for reply in self._followed(asked):
            yield reply

    async def _followed(self, asked: Asked) -> AsyncIterator[HistoryReply]:
        request = msgspec.structs.replace(asked.request, limit=asked.limit)
        began = False
        since = self._clock.monotonic()
        while True:
            async for reply in pages.pages(self._bus, request):
                if reply.code:
                    break
                yield reply
                request = pages.after(request, reply)
                began, since = True, self._clock.monotonic()
            if not reply.code:
                return
            problem = ranges.refused(reply.code, reply.message, reply.retry_after)
            wait = reply.retry_after or AGAIN
            waited = self._clock.monotonic() - since
            if not began or problem.status != HTTPStatus.SERVICE_UNAVAILABLE or waited + wait > PATIENCE:
                raise problem
            await self._clock.sleep(min(wait, _LONGEST_WAIT))

    async def _refuse(self, send: Send, problem: Problem, shared: Mapping[str, str]) -> None:
        self._visits.count(problem.status)
        fields = {**problem.fields, **shared, "content-length": str(len(problem.body))}
        await answer(send, problem.status, fields, problem.body)


async def _add(asked: Asked, form: Writer, reply: HistoryReply) -> bytes:
    def add() -> bytes:
        rows = _candles(reply.rows) if isinstance(asked.request, KlinesRequest) else _trades(reply.rows)
        return form.add(rows)

    # Milliseconds of work for a page of Arrow, and everybody else waits for this loop.
    return await asyncio.to_thread(add)


async def _send(send: Send, data: bytes) -> None:
    if data:
        await send({"type": "http.response.body", "body": data, "more_body": True})


async def _while_there(receive: Receive, answering: Any) -> None:
    """Go on as long as the client is there."""

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        going.cancel()

    async with asyncio.TaskGroup() as tasks:
        going = tasks.create_task(answering)
        watching = tasks.create_task(watch())
        going.add_done_callback(lambda _: watching.cancel())
