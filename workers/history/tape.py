"""Answers requests for aggregated trades.  Several may run: requests are shared out among them."""

import asyncio
import logging
from collections.abc import Mapping

import msgspec

from fsnats.binance.rest import BadRequest
from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.errors import UNREADABLE, ExchangeUnavailable
from fsnats.exits.rest import PooledRest
from fsnats.history import PAGE_ROWS, HistoryReply, Missing, TradesRequest
from fsnats.store import Series
from fsnats.store.forms import AggTrade
from fsnats.subjects import TRADES
from workers.history.answers import Answers
from workers.history.service import LONGEST
from workers.history.share import Share, Sharing
from workers.history.trades import Piece, Trades

logger = logging.getLogger(__name__)

_INVALID_SYMBOL = -1121  # Binance's error code


class Tape:
    """Reads and asks for trades, and replies; `answers` takes the requests from the bus."""

    def __init__(
        self, bus: Bus, trades: Trades, rests: Mapping[Market, PooledRest], tasks: asyncio.TaskGroup, clock: Clock
    ) -> None:
        self._trades = trades
        self._clock = clock
        share = Share(rests.values(), clock)
        self._rests = {market: Sharing(rest, share) for market, rest in rests.items()}
        busy = HistoryReply(code="BUSY", message="too many requests for trades at once")
        self.answers = Answers(bus, TRADES, self._answer, _encode(busy), tasks)

    async def _answer(self, payload: bytes) -> bytes:
        try:
            request = msgspec.json.decode(payload, type=TradesRequest)
        except UNREADABLE as error:
            return _encode(HistoryReply(code="INVALID_FIELD", message=str(error)))
        return _encode(await self.trades(request))

    async def trades(self, request: TradesRequest) -> HistoryReply:
        """Carry out a request; every failure becomes a reply."""
        if request.market not in self._rests:
            return HistoryReply(code="UNKNOWN_MARKET", message=f"{request.market} is not carried here")
        if request.limit is not None and request.limit < 1:
            return HistoryReply(code="INVALID_FIELD", message=f"limit {request.limit} is less than 1")
        rows: list[AggTrade] = []
        missing: list[Missing] = []
        try:
            goes_on = await self._gather(request, rows, missing)
        except BadRequest as error:
            code = "UNKNOWN_SYMBOL" if error.code == _INVALID_SYMBOL else "INVALID_FIELD"
            return HistoryReply(code=code, message=error.text)
        except ExchangeUnavailable as error:
            logger.warning(
                "trades cannot be fetched",
                extra={"event": "history.failed", "market": request.market, "error": str(error)},
            )
            return HistoryReply(code="HISTORY_UNAVAILABLE", message=str(error), retry_after=error.retry_after)
        return HistoryReply(msgspec.Raw(_encode(rows)), goes_on, missing)

    async def _gather(self, request: TradesRequest, rows: list[AggTrade], missing: list[Missing]) -> int | None:
        series = Series(request.market, "aggTrade", request.symbol.upper())
        by = None if request.source == "store" else self._rests[request.market]
        most = min(request.limit or PAGE_ROWS, PAGE_ROWS)
        began = self._clock.monotonic()
        piece: Piece
        goes_on = request.from_id
        while True:
            try:
                if goes_on is not None:
                    piece = await self._trades.after(series, goes_on, request.end_ms, most - len(rows), by)
                elif request.newest:
                    piece = await self._trades.newest(series, request.end_ms, most, by)
                else:
                    piece = await self._trades.since(series, request.start_ms or 0, request.end_ms, most, by)
            except (BadRequest, ExchangeUnavailable):
                if not rows:
                    raise
                return goes_on  # who asks on is told
            rows += piece.rows
            missing += piece.missing
            goes_on = piece.goes_on
            if goes_on is None or len(rows) >= most or self._clock.monotonic() - began > LONGEST:
                return goes_on


_encode = msgspec.json.Encoder().encode
