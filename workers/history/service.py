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

logger = logging.getLogger(__name__)

QUEUE = "history"
_AT_ONCE = 64  # requests in work; beyond it callers are told to come back

_INVALID_SYMBOL, _INVALID_INTERVAL = -1121, -1120  # Binance's error codes


class Service:
    """Takes requests from the bus, asks the exchange, replies."""

    def __init__(self, bus: Bus, rests: Mapping[Market, PooledRest], tasks: asyncio.TaskGroup) -> None:
        self._bus = bus
        self._rests = rests
        self._tasks = tasks
        self._in_work = 0
        self._working: set[asyncio.Task[None]] = set()
        self._sid = 0

    def start(self) -> None:
        """Take requests from now on."""
        self._sid = self._bus.subscribe(KLINES, self._asked, QUEUE)

    def stop(self) -> None:
        """Take no more, and leave those in work: their callers hear of it when they have waited long enough."""
        self._bus.unsubscribe(self._sid)
        for task in self._working:
            task.cancel()

    def _asked(self, _subject: str, reply: str, payload: bytes) -> None:
        if not reply:
            return
        if self._in_work >= _AT_ONCE:
            self._bus.publish(reply, _encode(KlinesReply(code="BUSY", message="too many requests for history at once")))
            return
        self._in_work += 1
        task = self._tasks.create_task(self._answer(reply, payload))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _answer(self, reply: str, payload: bytes) -> None:
        try:
            try:
                request = msgspec.json.decode(payload, type=KlinesRequest)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                answer = KlinesReply(code="INVALID_FIELD", message=str(error))
            else:
                answer = await self.klines(request)
            self._bus.publish(reply, _encode(answer))
        finally:
            self._in_work -= 1

    def status(self) -> Status:
        """What `fsnats status` shows of this process."""
        return {"program": "history", "kind": "history", "pid": os.getpid(), "in_work": self._in_work}

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
