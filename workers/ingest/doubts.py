"""Asks the supervisor whether what silent streams are about still trades, before anybody calls them silent."""

import asyncio
import logging
from collections.abc import Callable, Iterable

import msgspec

from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.errors import UNREADABLE, BusUnavailable
from fsnats.subjects import TRADING
from fsnats.trading import STREAMS_MOST, TIMEOUT, TradingReply, TradingRequest

logger = logging.getLogger(__name__)


class Doubts:
    """One worker's.  `run` must be running; one question is asked at a time, what comes meanwhile waits."""

    def __init__(self, market: Market, bus: Bus, answered: Callable[[str, bool | None], None]) -> None:
        """`answered` hears of each stream whether it trades; None where nobody can say."""
        self._market = market
        self._bus = bus
        self._answered = answered
        self._waiting: dict[str, None] = {}
        self._news = asyncio.Event()

    def ask(self, names: Iterable[str]) -> None:
        """Have these asked about."""
        self._waiting.update(dict.fromkeys(names))
        self._news.set()

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self._news.wait()
            names = list(self._waiting)[:STREAMS_MOST]
            for name in names:
                del self._waiting[name]
            if not self._waiting:
                self._news.clear()
            resting = await self._resting(names)
            for name in names:
                self._answered(name, None if resting is None else name not in resting)

    async def _resting(self, names: list[str]) -> dict[str, str] | None:
        try:
            answer = await self._bus.request(TRADING, _encode(TradingRequest(self._market, names)), TIMEOUT)
            reply = _decode(answer)
        except (BusUnavailable, *UNREADABLE) as error:
            logger.info(
                "nobody knows whether silent streams trade", extra={"event": "streams.doubtful", "error": str(error)}
            )
            return None
        if reply.error:
            logger.info(
                "nobody knows whether silent streams trade", extra={"event": "streams.doubtful", "error": reply.error}
            )
            return None
        if reply.resting:
            name, reason = next(iter(reply.resting.items()))
            extra = {"count": len(reply.resting), "stream": name, "reason": reason}
            logger.info("streams rest: what they are about does not trade", extra={"event": "streams.rest", **extra})
        return reply.resting


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(TradingReply).decode
