"""Answers ingest workers that missed something: rows of a few REST methods, as the exchange sends them."""

import asyncio
from collections.abc import Mapping

import msgspec

from fsnats.binance.rest import BadRequest
from fsnats.binance.streams import Market
from fsnats.binance.weights import weight_of
from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.errors import UNREADABLE, ExchangeUnavailable
from fsnats.exits.rest import PooledRest
from fsnats.history import RowsReply, RowsRequest
from fsnats.subjects import ROWS
from workers.history.answers import Answers
from workers.history.share import Share

_BUSY = 0.5  # seconds after which somebody who was turned away may ask again
_TROUBLE = 1.0  # the same when the exchange could not be asked and did not say for how long


class Rows:
    """Asks the exchange for rows, and replies; `answers` takes the requests from the bus."""

    def __init__(self, bus: Bus, rests: Mapping[Market, PooledRest], tasks: asyncio.TaskGroup, clock: Clock) -> None:
        self._rests = rests
        self._share = Share(rests.values(), clock)  # the rest is left to those who ask for candles
        busy = RowsReply(error="too many requests at once", again=_BUSY)
        self.answers = Answers(bus, ROWS, self._answer, _encode(busy), tasks)

    async def _answer(self, payload: bytes) -> bytes:
        return _encode(await self.rows(payload))

    async def rows(self, payload: bytes) -> RowsReply:
        """Fetch what an encoded `RowsRequest` asks for; every failure becomes a reply."""
        try:
            request = msgspec.json.decode(payload, type=RowsRequest)
        except UNREADABLE as error:
            return RowsReply(error=str(error))
        rest = self._rests.get(request.market)
        if rest is None:
            return RowsReply(error="this market is not carried here")
        wait = self._share.spend(request.market, weight_of(request.market, request.method, request.parameters))
        if wait > 0:
            return RowsReply(error="the share of weight for what was missed is used up", again=wait)
        try:
            answer = await rest.get(request.method, request.parameters)
        except BadRequest as error:
            return RowsReply(error=str(error))
        except ExchangeUnavailable as error:
            return RowsReply(error=str(error), again=error.retry_after or _TROUBLE)
        try:
            return RowsReply(rows=msgspec.json.decode(answer.body, type=list[msgspec.Raw]))
        except UNREADABLE:
            return RowsReply(error="the exchange did not answer with rows", again=_TROUBLE)


_encode = msgspec.json.Encoder().encode
