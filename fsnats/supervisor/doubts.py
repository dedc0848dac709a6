"""Answers workers that wonder whether a silent stream's symbol still trades: spot announces nothing, its list has to be
looked at, and one look answers all who wonder at a time."""

import asyncio
import logging

import msgspec

from fsnats.binance.streams import parse
from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.errors import UNREADABLE, StreamNameError
from fsnats.subjects import TRADING
from fsnats.supervisor.census import Census
from fsnats.trading import TIMEOUT, TradingReply, TradingRequest

logger = logging.getLogger(__name__)

FRESH = 3.0  # seconds: a list that was taken so recently answers, too; who asks has waited longer
AT_ONCE = 64  # questions that wait; a worker asks one at a time


class Doubts:
    """Takes questions from the bus."""

    def __init__(self, bus: Bus, census: Census, clock: Clock) -> None:
        self._bus = bus
        self._census = census
        self._clock = clock
        self._waiting = 0

    async def run(self) -> None:
        """Answer until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            sid = self._bus.subscribe(TRADING, lambda _subject, reply, payload: self._asked(tasks, reply, payload))
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self._bus.unsubscribe(sid)

    def _asked(self, tasks: asyncio.TaskGroup, reply: str, payload: bytes) -> None:
        try:
            request = _decode(payload)
        except UNREADABLE as error:
            logger.warning(
                "a question about trading cannot be read", extra={"event": "bus.unreadable", "error": str(error)}
            )
            return
        if reply and self._waiting < AT_ONCE:
            self._waiting += 1
            tasks.create_task(self._answer(reply, request))

    async def _answer(self, reply: str, request: TradingRequest) -> None:
        try:
            self._bus.publish(reply, _encode(await self._look(request)))
        finally:
            self._waiting -= 1

    async def _look(self, request: TradingRequest) -> TradingReply:
        try:
            async with asyncio.timeout(TIMEOUT):
                listing = await self._census.fresh(request.market, self._clock.monotonic() - FRESH)
        except TimeoutError:
            listing = None
        if listing is None:
            return TradingReply(error=f"the list of {request.market} cannot be had now")
        resting = {}
        for name in request.streams:
            try:
                reason = listing.why_not(parse(request.market, name))
            except StreamNameError as error:
                reason = str(error)
            if reason is not None:
                resting[name] = reason
        return TradingReply(resting)


_decode = msgspec.json.Decoder(TradingRequest).decode
_encode = msgspec.json.Encoder().encode
