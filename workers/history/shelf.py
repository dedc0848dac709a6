"""The store, for those who can do without it: while it is broken or gone it is left out."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fsnats.clock import Clock
from fsnats.errors import ConfigError, StoreUnavailable, Unusable
from fsnats.status import Status
from fsnats.store import Batch, Store

logger = logging.getLogger(__name__)

PATIENCE = 3.0  # seconds that the store may take for anything; who asked would rather ask the exchange
AGAIN = 5.0  # seconds for which a store that failed is left alone

T = TypeVar("T")


class Shelf:
    """A store that may be away.  `close` it at the end."""

    def __init__(self, opening: Callable[[], Awaitable[Store]], clock: Clock) -> None:
        """`opening` raises StoreUnavailable or ConfigError."""
        self._opening = opening
        self._clock = clock
        self._store: Store | None = None
        self._turn = asyncio.Lock()  # one opens it, the others wait
        self._left_until = float("-inf")
        self.error = ""  # why it is left out
        self.rows_read = 0
        self.rows_kept = 0

    async def ask(self, question: Callable[[Store], Awaitable[T]]) -> T | None:
        """What the store says; None while it is left out."""
        if self._clock.monotonic() < self._left_until:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await question(self._store or await self._opened())
        except (StoreUnavailable, ConfigError, TimeoutError) as error:
            self._leave_out(str(error) or f"no answer within {PATIENCE:g} s")
            return None
        if self.error:
            logger.info("the store is back", extra={"event": "store.back"})
            self.error = ""
        return answer

    async def keep(self, batch: Batch, rows: int) -> None:
        """Write so many rows; while the store is left out they are not kept."""

        async def write(store: Store) -> bool:
            await store.write(batch)
            return True

        try:
            if await self.ask(write):
                self.rows_kept += rows
        except Unusable as error:  # the exchange sent what no store should hold
            logger.warning("rows are not kept", extra={"event": "store.not_kept", "error": str(error)})

    async def close(self) -> None:
        """Let go of the database."""
        if self._store is not None:
            await self._store.close()

    def status(self) -> Status:
        """What `fsnats status` shows of it."""
        return {"state": self.error or "ok", "rows_read": self.rows_read, "rows_kept": self.rows_kept}

    async def _opened(self) -> Store:
        async with self._turn:
            if self._store is None:
                self._store = await self._opening()
            return self._store

    def _leave_out(self, reason: str) -> None:
        if reason != self.error:
            logger.warning("the store is left out", extra={"event": "store.left_out", "error": reason})
        self.error = reason
        self._left_until = self._clock.monotonic() + AGAIN
