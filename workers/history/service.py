"""Answers requests for history from the exchange's REST.  Several may run: requests are shared out among them."""

import asyncio
import logging
import os
from collections.abc import Mapping

import msgspec

from fsnats.binance.limits import KLINES_LIMIT
from fsnats.binance.rest import BadRequest
from fsnats.binance.streams import Market, intervals_of
from fsnats.bus import Bus
from fsnats.errors import ExchangeUnavailable
from fsnats.exits.rest import PooledRest
from fsnats.history import KlinesReply, KlinesRequest
from fsnats.status import Status
from fsnats.subjects import KLINES
from workers.history.answers import Answers

logger = logging.getLogger(__name__)

_INVALID_SYMBOL, _INVALID_INTERVAL = -1121, -1120  # Binance's error codes


class Service:
    """Takes requests from the bus, asks the exchange, replies."""

    def __init__(self, bus: Bus, rests: Mapping[Market, PooledRest], tasks: asyncio.TaskGroup) -> None:
        self._rests = rests
        busy = KlinesReply(code="BUSY", message="too many requests for history at once")
        self._answers = Answers(bus, KLINES, self._answer, _encode(busy), tasks)

    def start(self) -> None:
        """Take requests from now on."""
        self._answers.start()

    def stop(self) -> None:
        """Take no more."""
        self._answers.stop()

    async def _answer(self, payload: bytes) -> bytes:
        try:
            request = msgspec.json.decode(payload, type=KlinesRequest)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _encode(KlinesReply(code="INVALID_FIELD", message=str(error)))
        return _encode(await self.klines(request))

    def status(self) -> Status:
        """What `fsnats status` shows of this process."""
        return {"program": "history", "kind": "history", "pid": os.getpid(), "in_work": self._answers.in_work}

    async def klines(self, request: KlinesRequest) -> KlinesReply:
        """Fetch candles; every failure becomes a reply."""
        refusal = _refusal(request)
        rest = self._rests.get(request.market)
        if rest is None:
            refusal = KlinesReply(code="UNKNOWN_MARKET", message=f"{request.market} is not carried here")
        if refusal is not None or rest is None:
            return refusal or KlinesReply()
        parameters: dict[str, str | int] = {"symbol": request.symbol, "interval": request.interval}
        for name, value in (("limit", request.limit), ("startTime", request.start_ms), ("endTime", request.end_ms)):
            if value is not None:
                parameters[name] = value
        try:
            answer = await rest.get("klines", parameters)
        except BadRequest as error:
            code = {_INVALID_SYMBOL: "UNKNOWN_SYMBOL", _INVALID_INTERVAL: "UNKNOWN_INTERVAL"}.get(error.code)
            return KlinesReply(code=code or "INVALID_FIELD", message=error.text)
        except ExchangeUnavailable as error:
            logger.warning("history cannot be fetched", extra={"market": request.market, "error": str(error)})
            return _busy(str(error), error.retry_after)
        try:
            rows = msgspec.json.decode(answer.body, type=list[msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _busy("the exchange did not answer with candles", None)
        logger.debug("history fetched", extra={"symbol": request.symbol, "rows": len(rows)})
        return KlinesReply(rows=msgspec.Raw(answer.body))


def _refusal(request: KlinesRequest) -> KlinesReply | None:
    if request.interval not in intervals_of(request.market):
        allowed = ", ".join(intervals_of(request.market))
        return KlinesReply(
            code="UNKNOWN_INTERVAL", message=f"unknown interval '{request.interval}'; allowed: {allowed}"
        )
    most = KLINES_LIMIT[request.market]
    if request.limit is not None and not 1 <= request.limit <= most:
        return KlinesReply(code="INVALID_FIELD", message=f"limit {request.limit} is not between 1 and {most}")
    return None


def _busy(message: str, retry_after: float | None) -> KlinesReply:
    return KlinesReply(code="HISTORY_UNAVAILABLE", message=message, retry_after=retry_after)


_encode = msgspec.json.Encoder().encode
