"""Passes public REST requests on to the exchange and its answers back, byte for byte.

Equal requests that are on their way at once cost one.  What is dear and asked for by many is kept for seconds.  What
would be too much for the exchange is not sent: the reply says when it may be.
"""

import asyncio
import gzip
import logging
from collections.abc import Mapping

import msgspec

from fsnats.binance.limits import WEIGHT_PER_MINUTE
from fsnats.binance.methods import METHODS, read
from fsnats.binance.parameters import Query, RestError
from fsnats.binance.rest import BadRequest
from fsnats.binance.streams import Market
from fsnats.binance.weights import weight_of
from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.errors import UNREADABLE, ExchangeUnavailable
from fsnats.exits.pool import scope_of
from fsnats.exits.rest import PooledRest
from fsnats.history import CACHE, EXCHANGE, STORE, RestReply, RestRequest
from fsnats.subjects import REST
from workers.history.answers import Answers
from workers.history.closed import Closed, Range, range_of
from workers.history.counted import Counted
from workers.history.flights import Flights
from workers.history.share import BACKGROUND, LEFT, Share

logger = logging.getLogger(__name__)

# Seconds for which an answer serves those who ask the same.
_LISTS = {"exchangeInfo": 10.0, "fundingInfo": 10.0}
_ALL = 1.0  # of all symbols at once
_OF_ALL = frozenset(("ticker/24hr", "ticker/price", "v2/ticker/price", "ticker/bookTicker", "premiumIndex"))
_KEPT_MOST = 32  # answers
_PACK_FROM = 64 * 1024  # bytes: exchangeInfo has megabytes, of which one in twenty is left
_MINUTE_NS = 60 * 10**9
_TOO_MANY, _DISCONNECTED, _OVERLOADED = -1003, -1001, -1008  # Binance's error codes

_Key = tuple[Market, str, tuple[tuple[str, str], ...]]


class Relay:
    """Asks the exchange, and replies; `answers` takes the requests from the bus."""

    def __init__(
        self,
        bus: Bus,
        rests: Mapping[Market, PooledRest],
        tasks: asyncio.TaskGroup,
        clock: Clock,
        closed: Closed | None = None,
    ) -> None:
        """`rests` should refuse at once where the budget is short."""
        self._rests = rests
        self._tasks = tasks
        self._closed = closed
        self._clock = clock
        self._share = Share(rests.values(), clock)
        self._counted = Counted(clock)
        self._background = Share(rests.values(), clock, BACKGROUND)
        self._flights = Flights[tuple[_Key, bool], RestReply]()
        self._kept: dict[_Key, tuple[float, RestReply]] = {}  # when it was asked, and the answer
        self._used: dict[str, tuple[int, int]] = {}  # by scope: the clock minute, and what the exchange counted in it
        self.asked = 0  # requests that went to the exchange
        busy = RestReply(503, error(_OVERLOADED, "Too many requests at once; try again in a second."), None, 1.0)
        self.answers = Answers(bus, REST, self._answer, _encode(busy), tasks)

    def status(self) -> dict[str, int]:
        """What became of requests: how many went to the exchange, and how many found one on its way."""
        return {"in_work": self.answers.in_work, "asked": self.asked, "joined": self.joined}

    @property
    def joined(self) -> int:
        """How many found one on its way."""
        return self._flights.joined

    async def _answer(self, payload: bytes) -> bytes:
        return _encode(await self.reply(payload))

    async def reply(self, payload: bytes) -> RestReply:
        """Carry an encoded `RestRequest` out; every failure becomes a reply."""
        try:
            request = msgspec.json.decode(payload, type=RestRequest)
            market, method = request.market, request.method
            if market not in self._rests or method not in METHODS[market]:
                raise RestError(-5000, f"'{method}' of {market} is not passed on here.", 404)
            query = read(market, method, list(request.query.items()))
        except UNREADABLE as wrong:
            return RestReply(400, error(-1000, f"This is no request: {wrong}."))
        except RestError as wrong:
            return RestReply(wrong.status, wrong.body)
        key = (market, method, tuple(sorted(query.items())))
        keeps, now = kept_for(method, query), self._clock.monotonic()
        kept = self._kept.get(key)
        if kept is not None and not request.fresh and now - kept[0] < keeps:
            return msgspec.structs.replace(kept[1], used=self._used_now(market), source=CACHE, age=now - kept[0])
        background = request.background
        # Who works in the background wants to know what the exchange has, and keeps it himself.
        over = range_of(market, method, query) if self._closed is not None and not background else None
        if self._closed is not None and over is not None and not request.fresh:
            body = await self._closed.answer(over)
            if body is not None:
                return await self._packed(market, body, STORE)
        # Who cannot wait must not be sent away together with one that can.
        reply = await self._flights.join((key, background), lambda: self._ask(market, method, query, background, over))
        if keeps and reply.status == 200:
            self._keep(key, now, reply)
        return reply

    async def _ask(
        self, market: Market, method: str, query: Query, background: bool, over: Range | None = None
    ) -> RestReply:
        weight = weight_of(market, method, query)
        shares = (self._share, self._background) if background else (self._share,)
        wait = max(self._counted.wait(market, method), *(share.wait(market, weight) for share in shares))
        if wait > 0:
            return self._too_much(market, wait)
        for share in shares:
            share.spend(market, weight)
        self._counted.spend(market, method)
        self.asked += 1
        asked_ms = self._closed.now_ms(market) if self._closed is not None else 0
        try:
            answer = await self._rests[market].get(method, query, leave=LEFT if background else 0.0)
        except BadRequest as wrong:
            self._count(market, wrong.used_weight)
            return RestReply(400, wrong.body, self._used_now(market), source=EXCHANGE)
        except ExchangeUnavailable as failure:
            if failure.status in (418, 429):
                return self._too_much(market, failure.retry_after or 60.0)
            logger.warning(
                "a REST request cannot be carried out",
                extra={"event": "rest.failed", "market": market, "error": str(failure)},
            )
            return RestReply(503, error(_DISCONNECTED, f"{failure}."), self._used_now(market), failure.retry_after)
        self._count(market, answer.used_weight)
        if self._closed is not None and over is not None:  # nobody waits for the store
            self._tasks.create_task(self._closed.keep(over, answer.body, asked_ms))
        return await self._packed(market, answer.body, EXCHANGE)

    async def _packed(self, market: Market, body: bytes, source: str) -> RestReply:
        """A good reply, packed where it is long."""
        if len(body) < _PACK_FROM:
            return RestReply(200, body, self._used_now(market), source=source)
        packed = await asyncio.to_thread(gzip.compress, body, 1)
        return RestReply(200, packed, self._used_now(market), packed=True, source=source)

    def _too_much(self, market: Market, wait: float) -> RestReply:
        text = (
            f"Too much request weight used; current limit is {WEIGHT_PER_MINUTE[market]} request weight per 1 MINUTE. "
            "Please use WebSocket Streams for live updates to avoid polling the API."
        )
        return RestReply(429, error(_TOO_MANY, text), self._used_now(market), wait)

    def _keep(self, key: _Key, asked: float, reply: RestReply) -> None:
        now = self._clock.monotonic()
        self._kept = {
            each: entry for each, entry in self._kept.items() if now - entry[0] < kept_for(each[1], dict(each[2]))
        }
        if len(self._kept) < _KEPT_MOST:
            self._kept[key] = (asked, reply)

    def _count(self, market: Market, used: int | None) -> None:
        if used is not None:
            self._used[scope_of(market)] = (self._clock.time_ns() // _MINUTE_NS, used)

    def _used_now(self, market: Market) -> int | None:
        """What the exchange counted last, if that was in this minute: it counts by the minutes of the clock."""
        minute, used = self._used.get(scope_of(market), (-1, 0))
        return used if minute == self._clock.time_ns() // _MINUTE_NS else None


def kept_for(method: str, query: Mapping[str, str]) -> float:
    """For how many seconds an answer serves those who ask the same; 0 for most."""
    if method in _OF_ALL:
        return 0.0 if query else _ALL
    return _LISTS.get(method, 0.0)


def error(code: int, text: str) -> bytes:
    """An error in the exchange's form."""
    return msgspec.json.encode({"code": code, "msg": text})


_encode = msgspec.msgpack.Encoder().encode
