"""Asks REST whether symbols are traded whose streams say nothing, where nothing else can tell; see `trail`."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from fsnats.binance.streams import Market
from fsnats.clock import Clock
from fsnats.errors import UNREADABLE, BusUnavailable
from fsnats.history import RowsReply
from workers.ingest.pages import Fill
from workers.ingest.trail import Trails, question

logger = logging.getLogger(__name__)

_REST = 30.0  # seconds after a question that nobody answered


class Enquiry:
    """One worker's.  `run` must be running; one question is asked at a time."""

    def __init__(
        self, market: Market, clock: Clock, ask: Callable[[Fill], Awaitable[RowsReply]], trails: Trails
    ) -> None:
        """`ask` asks the exchange's REST for rows, and raises BusUnavailable; `trails` holds the answers."""
        self._market = market
        self._clock = clock
        self._ask = ask
        self._trails = trails
        self._symbol = ""
        self._news = asyncio.Event()

    def look(self, wondering: Mapping[str, float]) -> None:
        """Ask about one of these symbols now, if it is time to; `wondering` says since when they are wondered about."""
        if not self._symbol:
            self._symbol = self._trails.due(wondering, self._clock.monotonic()) or ""
            if self._symbol:
                self._news.set()

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self._enquire(self._symbol)
            self._symbol = ""

    async def _enquire(self, symbol: str) -> None:
        asked = self._clock.monotonic()
        try:
            reply = await self._ask(question(self._market, symbol))
            if not reply.error:
                self._trails.answered(symbol, reply.rows, asked)
                return
            reason, rest = reply.error, reply.again or _REST
        except (BusUnavailable, *UNREADABLE) as error:
            reason, rest = str(error), _REST
        logger.info(
            "nobody knows whether a symbol is traded",
            extra={"event": "streams.doubtful", "symbol": symbol, "error": reason},
        )
        self._trails.not_now(symbol, self._clock.monotonic() + rest)
