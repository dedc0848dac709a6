"""Asks each market what time it is, once a minute, and tells everybody how far its clock is from this machine's."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from fsnats.binance.rest import Answer, BadRequest
from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.errors import UNREADABLE, ExchangeUnavailable
from fsnats.offset import Estimator, Offset, encode, measured
from fsnats.subjects import clock as clock_subject

logger = logging.getLogger(__name__)

EVERY = 60.0  # seconds between two questions; each weighs 1
TELL = 10.0  # seconds between two tellings: who starts later does not wait for the next question


class _Time(msgspec.Struct):
    serverTime: int


_decode = msgspec.json.Decoder(_Time).decode


class Asked(Protocol):
    """A market's REST, which refuses at once where the budget is short."""

    def get(self, method: str) -> Awaitable[Answer]: ...


class Clocks:
    """`run` asks and tells until cancelled."""

    def __init__(self, bus: Bus, rests: Mapping[Market, Asked], clock: Clock) -> None:
        self._bus = bus
        self._rests = rests
        self._clock = clock
        self._estimators = {market: Estimator() for market in rests}
        self._misleading: set[Market] = set()

    async def run(self) -> None:
        """Ask every market again and again."""
        async with asyncio.TaskGroup() as tasks:
            for market, rest in self._rests.items():
                tasks.create_task(self._follow(market, rest.get))

    @property
    def offsets(self) -> dict[Market, Offset]:
        """The best estimates, of the markets that have one."""
        return {market: best for market, one in self._estimators.items() if (best := one.best) is not None}

    def now_ms(self, market: Market) -> int:
        """The exchange's time, as far as it is known: milliseconds since 1970."""
        best = self._estimators[market].best
        return int(self._clock.time_ns() / 1e6 + (0.0 if best is None else best.offset_ms))

    def knows(self, market: Market) -> bool:
        """Whether the exchange has said what time it is."""
        return self._estimators[market].best is not None

    async def _follow(self, market: Market, get: Callable[[str], Awaitable[Answer]]) -> None:
        asked = float("-inf")
        while True:
            if self._clock.monotonic() - asked >= EVERY:
                asked = self._clock.monotonic()
                await self._measure(market, get)
            if (best := self._estimators[market].best) is not None:
                self._bus.publish(clock_subject(market), encode(best))
            await self._clock.sleep(TELL)

    async def _measure(self, market: Market, get: Callable[[str], Awaitable[Answer]]) -> None:
        try:
            answer = await get("time")
            theirs = _decode(answer.body).serverTime
        except (BadRequest, ExchangeUnavailable, *UNREADABLE) as error:
            logger.debug(
                "the exchange's time is not known",
                extra={"event": "clock.unknown", "market": market, "error": str(error)},
            )
            return
        estimator = self._estimators[market]
        estimator.add(measured(market, answer.sent_ns, theirs, answer.received_ns))
        if estimator.best is not None:
            self._judge(estimator.best)

    def _judge(self, offset: Offset) -> None:
        if offset.misleads == (offset.market in self._misleading):
            return
        extra = {"market": offset.market, "offset_ms": offset.offset_ms, "rtt_ms": offset.rtt_ms}
        if offset.misleads:
            self._misleading.add(offset.market)
            logger.warning(
                f"{offset}: ages and delays mislead; synchronise it (NTP)", extra={"event": "clock.off", **extra}
            )
        else:
            self._misleading.discard(offset.market)
            logger.info(
                "this machine's clock agrees with the exchange's again", extra={"event": "clock.agrees", **extra}
            )
