"""Answers requests for candles.  Several may run: requests are shared out among them."""

import asyncio
import logging
import os
from collections.abc import Mapping

import msgspec

from fsnats.binance.rest import BadRequest
from fsnats.binance.rows import Candle
from fsnats.binance.streams import CONTRACT_TYPES, Market, intervals_of
from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.errors import UNREADABLE, ExchangeUnavailable
from fsnats.exits.rest import PooledRest
from fsnats.history import PAGE_ROWS, HistoryReply, KlinesRequest
from fsnats.status import Status
from fsnats.store import Series
from fsnats.subjects import KLINES
from workers.history.answers import Answers
from workers.history.candles import Candles, Piece
from workers.history.share import Share, Sharing

logger = logging.getLogger(__name__)

LONGEST = 8.0  # seconds after which a reply is sent with what there is: who asked waits, and may ask on
_INVALID_SYMBOL, _INVALID_INTERVAL = -1121, -1120  # Binance's error codes


class Service:
    """Reads and asks for candles, and replies; `answers` takes the requests from the bus."""

    def __init__(
        self, bus: Bus, candles: Candles, rests: Mapping[Market, PooledRest], tasks: asyncio.TaskGroup, clock: Clock
    ) -> None:
        self._candles = candles
        self._clock = clock
        self._rests = rests
        share = Share(rests.values(), clock)
        self._sharing = {market: Sharing(rest, share) for market, rest in rests.items()}
        busy = HistoryReply(code="BUSY", message="too many requests for history at once")
        self.answers = Answers(bus, KLINES, self._answer, _encode(busy), tasks)

    async def _answer(self, payload: bytes) -> bytes:
        try:
            request = msgspec.json.decode(payload, type=KlinesRequest)
        except UNREADABLE as error:
            return _encode(HistoryReply(code="INVALID_FIELD", message=str(error)))
        return _encode(await self.klines(request))

    def status(self) -> Status:
        """What `fsnats status` shows of this process."""
        mine = {"program": "history", "kind": "history", "pid": os.getpid(), "in_work": self.answers.in_work}
        return {**mine, "joined": self._candles.joined}

    async def klines(self, request: KlinesRequest) -> HistoryReply:
        """Carry out a request; every failure becomes a reply."""
        refusal = _refusal(request)
        if refusal is None and request.market not in self._rests:
            refusal = HistoryReply(code="UNKNOWN_MARKET", message=f"{request.market} is not carried here")
        if refusal is not None:
            return refusal
        if request.survey:
            unknown = await self._candles.unknown(_series(request), request.start_ms or 0, request.end_ms)
            return HistoryReply(missing=unknown)
        pieces: list[Piece] = []
        try:
            goes_on = await self._gather(request, pieces)
        except BadRequest as error:
            code = {_INVALID_SYMBOL: "UNKNOWN_SYMBOL", _INVALID_INTERVAL: "UNKNOWN_INTERVAL"}.get(error.code)
            return HistoryReply(code=code or "INVALID_FIELD", message=error.text)
        except ExchangeUnavailable as error:
            logger.warning(
                "history cannot be fetched",
                extra={"event": "history.failed", "market": request.market, "error": str(error)},
            )
            return HistoryReply(code="HISTORY_UNAVAILABLE", message=str(error), retry_after=error.retry_after)
        rows: list[Candle] = []
        for piece in reversed(pieces) if request.newest else pieces:
            rows += piece.rows
        logger.debug("history read", extra={"event": "history.read", "symbol": request.symbol, "rows": len(rows)})
        missing = sorted((one for piece in pieces for one in piece.missing), key=lambda one: one.first)
        return HistoryReply(msgspec.Raw(_encode(rows)), goes_on, missing)

    async def _gather(self, request: KlinesRequest, pieces: list[Piece]) -> int | None:
        """Append pieces until there is enough; returns where to go on.  Raises only where there is none yet."""
        market, series = request.market, _series(request)
        by = None if request.source == "store" else self._sharing[market] if request.bulk else self._rests[market]
        left = min(request.limit or PAGE_ROWS, PAGE_ROWS)
        began = self._clock.monotonic()
        start, end = request.start_ms or 0, request.end_ms
        while True:
            try:
                if request.newest:
                    piece = await self._candles.backward(series, end, start, left, by, closed=request.closed)
                else:
                    piece = await self._candles.forward(series, start, end, left, by, closed=request.closed)
            except (BadRequest, ExchangeUnavailable):
                if not pieces:
                    raise
                return end if request.newest else start  # who asks on is told
            pieces.append(piece)
            left -= len(piece.rows)
            if piece.goes_on is None or left <= 0 or self._clock.monotonic() - began > LONGEST:
                return piece.goes_on
            if request.newest:
                end = piece.goes_on
            else:
                start = piece.goes_on


def _series(request: KlinesRequest) -> Series:
    if request.contract:
        name = f"{request.symbol}_{request.contract}".upper()
        return Series(request.market, "continuousKline", name, request.interval)
    return Series(request.market, "kline", request.symbol.upper(), request.interval)


def _refusal(request: KlinesRequest) -> HistoryReply | None:
    kind = "continuousKline" if request.contract else "kline"
    allowed = intervals_of(request.market, kind)
    if request.contract and request.contract.lower() not in CONTRACT_TYPES:
        known = ", ".join(CONTRACT_TYPES)
        message = f"unknown contract type '{request.contract}'; allowed: {known}"
        return HistoryReply(code="UNKNOWN_CONTRACT_TYPE", message=message)
    if request.interval not in allowed:
        message = f"unknown interval '{request.interval}'; allowed: {', '.join(allowed)}"
        return HistoryReply(code="UNKNOWN_INTERVAL", message=message)
    if request.limit is not None and request.limit < 1:
        return HistoryReply(code="INVALID_FIELD", message=f"limit {request.limit} is less than 1")
    start, end = request.start_ms or 0, request.end_ms
    if start < 0 or (end is not None and end < start):
        return HistoryReply(code="INVALID_FIELD", message=f"{start} to {end} is no range of time")
    return None


_encode = msgspec.json.Encoder().encode
