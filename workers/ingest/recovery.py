"""Fills holes over REST, in order and in time, and says what could not be had.

While a hole is being filled the router holds what comes after it, for HOLD seconds at most: then the gap is told and
the stream goes on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec

from fsnats.binance.streams import Market
from fsnats.errors import BusUnavailable
from fsnats.frames import GAP, RECOVERED
from fsnats.history import Method
from workers.ingest import gaps
from workers.ingest.router import UNREADABLE, Line, Router
from workers.ingest.track import Missing

logger = logging.getLogger(__name__)

HOLD = 2.0  # seconds by which a recovery may delay what comes after it
_RETRY = 0.3  # seconds before asking again: REST lags the stream by a moment
_AT_ONCE = 32  # holes being filled; beyond it they are told as gaps

Ask = Callable[[Method, dict[str, str | int]], Awaitable[list[msgspec.Raw]]]
"""Asks the exchange's REST for rows; raises BusUnavailable."""


class Recovery:
    """One worker's holes.  `run` must be running; the router tells `missing` and `resumed` to it."""

    def __init__(self, ask: Ask, now_ns: Callable[[], int]) -> None:
        self._ask = ask
        self._now_ns = now_ns
        self._tasks: asyncio.TaskGroup | None = None
        self._open = 0
        self.router: Router  # set by whoever composes the two
        self.recovered = 0  # messages
        self.gaps = 0  # notices published

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            await asyncio.get_running_loop().create_future()

    def missing(self, line: Line, missing: Missing) -> bool:
        """A hole: True when it will be filled, False when its notice was published already."""
        fills = gaps.fills(line.stream, missing)
        if not fills or self._tasks is None or self._open >= _AT_ONCE:
            self._tell(line, missing, "cannot be fetched")
            return False
        self._open += 1
        self._tasks.create_task(self._fill(line, missing, fills))
        return True

    def resumed(self, line: Line, payload: bytes) -> bool:
        """The first payload after a connection was lost: True when what is missing before it will be filled."""
        stream = line.stream
        missing = None
        try:
            if stream.kind == "kline" and line.newest:
                missing = gaps.bars_between(stream, line.newest, payload)
                return missing is not None and self.missing(line, missing)
            if stream.kind == "trade" and stream.market is not Market.SPOT:
                # Their ids only grow, so the tracker saw no hole; after a lost connection there is nearly always one.
                missing = line.follow().between(payload)
                return missing is not None and self.missing(line, missing)
            if stream.kind in _TOLD and line.newest:
                missing = line.follow().between(payload)
                line.unfollow()
        except UNREADABLE:
            return False  # the router counts it
        if missing is not None:
            self._tell(line, missing, "the connection was lost")
        return False

    async def _fill(self, line: Line, missing: Missing, fills: list[gaps.Fill]) -> None:
        come: dict[int, bytes] = {}
        try:
            async with asyncio.timeout(HOLD):
                while True:
                    for fill in fills:
                        rows = await self._ask(fill.method, fill.parameters)
                        come.update(gaps.payloads(line.stream, missing, rows))
                    if missing.unit == "bar" or not gaps.without(missing, list(come)):
                        break
                    await asyncio.sleep(_RETRY)
        except (TimeoutError, BusUnavailable, *UNREADABLE) as error:
            logger.warning("a hole cannot be filled", extra={"stream": line.stream.name, "error": str(error)})
        finally:
            self._open -= 1
            self._publish(line, missing, come)

    def _publish(self, line: Line, missing: Missing, come: dict[int, bytes]) -> None:
        now_ns = self._now_ns()
        left = ([] if come else [missing]) if missing.unit == "bar" else gaps.without(missing, list(come))
        told = {hole.first: hole for hole in left}
        for number in sorted({*come, *told}):
            if number in told:
                self._tell(line, told[number], "cannot be fetched")
            else:
                self.recovered += 1
                self.router.publish(line, come[number], now_ns, RECOVERED)
        self.router.release(line)

    def _tell(self, line: Line, missing: Missing, reason: str) -> None:
        self.gaps += 1
        self.router.publish(line, gaps.notice(line.stream, missing, reason), self._now_ns(), GAP)


# Streams whose every message counts, or that people trade on message by message, and whose loss REST cannot mend.
# (Diff depth and trades show a hole by themselves.)
_TOLD = frozenset({"bookTicker", "forceOrder", "forceOrders", "bookTickers", "blockTrade", "contractInfo"})
