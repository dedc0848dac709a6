"""Writes what was delivered into the store, in batches, and waits for a store that is down."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec

from fsnats.backoff import Backoff
from fsnats.clock import Clock
from fsnats.errors import ConfigError, StoreUnavailable, Unusable
from fsnats.store import Batch, ConnectionRecord, Origin, Rows, Store
from workers.recorder.backlog import Backlog
from workers.recorder.deliveries import Delivery
from workers.recorder.scribe import Scribe

logger = logging.getLogger(__name__)

BATCH_MOST = 5_000  # frames that are written together
GATHER = 0.25  # seconds that the first of a batch waits for others
DELAY_FIRST, DELAY_MOST = 1.0, 60.0  # seconds between two tries while the store is down

T = TypeVar("T")

Stored = Callable[[Sequence[Delivery]], None]
"""Hears what is in the store now, in the order in which it was delivered."""


class Writer:
    """Takes deliveries with `add`; `run` must be running.  `store` is there once it is open."""

    def __init__(
        self,
        opened: Callable[[], Awaitable[Store]],
        scribe: Scribe,
        clock: Clock,
        jitter: Callable[[], float],
        stored: Stored,
        made: Callable[[Sequence[Rows]], Sequence[Rows]] = lambda rows: (),
    ) -> None:
        """`opened` opens the store, raising StoreUnavailable while it cannot; `made` gives rows that follow from those
        that are written, and are written with them.
        """
        self._open = opened
        self._scribe = scribe
        self._clock = clock
        self._stored = stored
        self._made = made
        self._backoff = Backoff(DELAY_FIRST, DELAY_MOST, jitter)
        self._connections: Sequence[ConnectionRecord] = ()
        self._some = asyncio.Event()
        self._many = asyncio.Event()
        self._leaving = False
        self.backlog = Backlog()
        self.store: Store | None = None
        self.trouble = "not open yet"
        self.written: Counter[str] = Counter()  # klines, made, trades, frames, batches
        self.refused = 0  # rows of a series, and the like, that the store cannot hold
        self.last_commit: float | None = None  # monotonic

    def add(self, delivery: Delivery) -> None:
        """Write this, too."""
        self.backlog.add(delivery, self._clock.monotonic())
        self._some.set()
        if self.backlog.waiting >= BATCH_MOST:
            self._many.set()

    def note(self, connections: Sequence[ConnectionRecord]) -> None:
        """Write these with the next batch; newer ones replace them if it does not come to that."""
        self._connections = connections
        self._some.set()

    def leave(self) -> None:
        """Write what is there, and end."""
        self._leaving = True
        self._some.set()
        self._many.set()

    async def run(self) -> None:
        """Write, until cancelled, or `leave` and nothing is left."""
        store = self.store = await self._until_it_can(self._open)
        while True:
            if not self._leaving:
                await self._some.wait()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(GATHER):
                        await self._many.wait()
            elif not self.backlog.waiting:
                return
            await self._write(store)

    async def _write(self, store: Store) -> None:
        self._some.clear()
        self._many.clear()
        delivered = self.backlog.take(BATCH_MOST)
        if self.backlog.waiting:
            self._some.set()
        if self.backlog.waiting >= BATCH_MOST:
            self._many.set()
        connections, self._connections = self._connections, ()
        batch = self._scribe.sheet(delivered).batch(connections)
        if made := self._made(batch.rows):
            batch = msgspec.structs.replace(batch, rows=[*batch.rows, *made])
        if batch.rows or batch.frames or batch.connections:
            await self._put(store, batch)
            self.last_commit = self._clock.monotonic()
            self.written["batches"] += 1
        self.backlog.done()
        self._stored(delivered)

    async def _put(self, store: Store, batch: Batch) -> None:
        """Write it; if the store refuses a part of it for good, all the others."""
        try:
            await self._until_it_can(lambda: store.write(batch))
        except ConfigError:
            raise  # of the store itself
        except Unusable as error:
            parts = _parts(batch)
            if len(parts) < 2:
                self.refused += 1
                logger.error(
                    "the store refuses what was to be written", extra={"event": "store.refused", "error": str(error)}
                )
                return
            for part in parts:
                await self._put(store, part)
        else:
            self._count(batch)

    async def _until_it_can(self, act: Callable[[], Awaitable[T]]) -> T:
        while True:
            try:
                done = await act()
            except StoreUnavailable as error:
                delay = self._backoff.next_delay()
                if not self.trouble or self.store is None:
                    logger.warning(
                        "the store is waited for",
                        extra={"event": "store.awaited", "error": str(error), "next": round(delay, 1)},
                    )
                self.trouble = str(error)
                await self._clock.sleep(delay)
            else:
                if self.trouble:
                    logger.info("the store is there", extra={"event": "store.back"})
                self.trouble = ""
                self._backoff.healthy()
                return done

    def _count(self, batch: Batch) -> None:
        self.written["frames"] += len(batch.frames)
        for rows in batch.rows:
            self.written["made" if rows.origin is Origin.MADE else "klines"] += len(rows.klines)
            self.written["trades"] += len(rows.trades)


def _parts(batch: Batch) -> list[Batch]:
    """The same in pieces that have nothing to do with one another."""
    parts = [Batch([rows]) for rows in batch.rows]
    if batch.connections:
        parts.append(Batch(connections=batch.connections))
    if batch.frames:
        parts.append(Batch(frames=batch.frames))
    return parts
