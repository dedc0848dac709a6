"""A feed: streams that share an upstream connection, carried for as long as they are wanted.

The feed dials, and dials again after a loss.  Before a connection grows too old, or when the exchange announces its
end, the feed opens the successor first, lets both carry for a while (see `handover`) and then closes the old one.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from fsnats.backoff import Backoff
from fsnats.binance.streams import Market
from fsnats.clock import Clock
from fsnats.errors import ExchangeUnavailable
from fsnats.exits.address import Exit
from workers.ingest.cadence import rests_at_will
from workers.ingest.carrier import Carrier
from workers.ingest.handover import Handover
from workers.ingest.router import Router
from workers.ingest.upstream import dial

logger = logging.getLogger(__name__)

DELAY_FIRST, DELAY_MAX = 1.0, 60.0  # seconds between two dials of one feed
DELAY_HEALTHY = 0.25  # seconds, at most, before the first dial after a healthy connection was lost
SETTLE = 2.0  # seconds that both connections carry, at least, once the new one has asked for everything
SETTLE_MOST = 120.0  # seconds after which a successor that is not ready is given up

# Own pings count as messages: none on spot, whose server pings every 20 s; on futures one keeps proxies from cutting
# an idle connection between server pings three minutes apart.
PING_INTERVAL = {Market.SPOT: None, Market.USDM: 45.0, Market.COINM: 45.0}


class State(StrEnum):
    """Where a feed is in its life."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSING = "closing"


class Way(Protocol):
    """Towards one URL, by whichever exit is best (`fsnats.exits.client`)."""

    @property
    def tls(self) -> ssl.SSLContext | None: ...

    async def admitted(self) -> Exit:
        """Return when one more dial is allowed, by this exit."""
        ...

    def failed(self, by: Exit, error: ExchangeUnavailable) -> None: ...

    def worked(self, by: Exit) -> None: ...


class Record(msgspec.Struct):
    """What `fsnats status` shows of a feed.  Times are monotonic seconds."""

    id: str
    status: State
    streams: int
    live: int
    message_count: int
    dials: int
    rotations: int
    connected_since: float | None
    last_message: float | None
    last_error: str | None


class Feed:
    """Keeps one connection; `run` ends only by cancellation."""

    def __init__(
        self,
        name: str,
        market: Market,
        url: str,
        way: Way,
        router: Router,
        clock: Clock,
        jitter: Callable[[], float],
        rotate_after: float,
    ) -> None:
        """`way` knows by which exit, and when, `url` may be dialled once more; `rotate_after` is the age in seconds at
        which a connection is replaced, less up to a tenth of it, so that connections do not age together."""
        self.name = name
        self._market = market
        self._url = url
        self._way = way
        self._router = router
        self._clock = clock
        self._jitter = jitter
        self._rotate_after = rotate_after
        self._backoff = Backoff(DELAY_FIRST, DELAY_MAX, jitter)
        self._wanted: set[str] = set()
        self._carrier: Carrier | None = None
        self._successor: Carrier | None = None
        self._handover: Handover | None = None
        self._state = State.DISCONNECTED
        self._messages = 0
        self._dials = 0
        self._rotations = 0
        self._last_error: str | None = None

    def want(self, names: set[str]) -> None:
        """Carry exactly these streams from now on."""
        self._wanted = set(names)
        for carrier in (self._carrier, self._successor):
            if carrier is not None:
                carrier.want(names)

    @property
    def carriers(self) -> list[Carrier]:
        """The open connections: none, one, or two while one takes the other's place."""
        return [carrier for carrier in (self._carrier, self._successor) if carrier is not None]

    @property
    def _at_will(self) -> set[str]:
        """Streams that may be silent for days: that they have not delivered is no trouble."""
        return {line.stream.name for line in self._router.lines(self._wanted) if rests_at_will(line.stream)}

    @property
    def record(self) -> Record:
        """The feed as it is now."""
        carrier = self._carrier
        return Record(
            self.name,
            self._state,
            len(self._wanted),
            len(carrier.subscriptions.live | self._at_will) if carrier else 0,
            self._messages,
            self._dials,
            self._rotations,
            carrier.opened_at if carrier else None,
            carrier.last_data if carrier else None,
            self._last_error,
        )

    async def run(self) -> None:
        """Connect, carry, connect again."""
        async with asyncio.TaskGroup() as tasks:
            try:
                while True:
                    self._state = State.CONNECTING if self._dials == 0 else State.RECONNECTING
                    carrier = await self._open(tasks)
                    if carrier is not None:
                        await self._keep(carrier, tasks)
            finally:
                # Closing takes a moment, in which another feed may carry these streams already.
                self._state = State.CLOSING

    async def _keep(self, carrier: Carrier | None, tasks: asyncio.TaskGroup) -> None:
        """Carry, by one connection after the other, until one is lost."""
        while carrier is not None:
            self._carrier = carrier
            self._state = State.CONNECTED
            logger.info("feed is connected", extra={"feed": self.name, "streams": len(self._wanted)})
            aged = tasks.create_task(self._clock.sleep(self._rotate_after * (1 - 0.1 * self._jitter())))
            announced = tasks.create_task(carrier.due.wait())
            waiting: list[asyncio.Future[Any]] = [carrier.ended, aged, announced]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            aged.cancel()
            announced.cancel()
            if carrier.ended.done():
                self._carrier = None
                await self._lost(carrier)
                return
            carrier = await self._rotate(carrier, tasks)

    async def _open(self, tasks: asyncio.TaskGroup) -> Carrier | None:
        """Dial once; the carrier, or None after a failure that was waited out."""
        by = await self._way.admitted()
        self._dials += 1
        carrier = Carrier(self.name, self._market, self._clock, self._received)
        carrier.want(self._wanted)
        try:
            connection = await dial(self._url, by.url, PING_INTERVAL[self._market], carrier.received, self._way.tls)
        except ExchangeUnavailable as error:
            self._way.failed(by, error)
            await self._pause(str(error), self._backoff.next_delay())
            return None
        self._way.worked(by)
        carrier.by = by
        tasks.create_task(carrier.carry(connection), name=self.name)
        return carrier

    async def _lost(self, carrier: Carrier) -> None:
        self._state = State.RECONNECTING
        for line in self._router.lines(self._wanted):
            line.resuming = True
        if carrier.healthy:
            self._backoff.healthy()
            await self._pause(carrier.ended.result(), DELAY_HEALTHY * self._jitter())
        else:
            if carrier.by is not None:
                self._way.failed(carrier.by, ExchangeUnavailable("tcp", carrier.ended.result()))
            await self._pause(carrier.ended.result(), self._backoff.next_delay())

    async def _pause(self, reason: str, delay: float) -> None:
        self._last_error = reason
        logger.warning("feed is down", extra={"feed": self.name, "error": reason, "next": round(delay, 1)})
        await self._clock.sleep(delay)

    async def _rotate(self, old: Carrier, tasks: asyncio.TaskGroup) -> Carrier | None:
        """Put a new connection in the place of one that still carries; the one that carries on, None if none does."""
        self._handover = handover = Handover(self._router, self._router.lines(self._wanted))
        try:
            new: Carrier | None = None
            while new is None and not old.ended.done():
                new = await self._open(tasks)
            if new is None:
                await self._lost(old)
                return None
            self._successor = new
            if not await self._settle(old, new, handover):
                handover.new_is_gone()
                await self._pause(new.ended.result() if new.ended.done() else "the successor was not ready in time", 0)
                await new.close()
                return old
            await old.close()
            handover.old_is_gone()
            self._rotations += 1
            return new
        finally:
            self._handover = None
            self._successor = None

    async def _settle(self, old: Carrier, new: Carrier, handover: Handover) -> bool:
        """Wait until the new connection has everything that the old one has; False when it does not get there."""
        begun = self._clock.monotonic()
        settled: float | None = None
        while True:
            now = self._clock.monotonic()
            handover.look(now)
            if new.ended.done() or now - begun > SETTLE_MOST:
                return False
            if old.ended.done():
                return True
            if new.is_settled:
                settled = now if settled is None else settled
                if handover.is_complete or now - settled > SETTLE:
                    return True
            await self._clock.sleep(0.1)

    def _received(self, carrier: Carrier, data: bytes, received_ns: int) -> None:
        if self._state is State.CLOSING:
            return
        self._messages += 1
        handover = self._handover
        if handover is None:
            if carrier is self._carrier:
                carrier.note(self._router.receive(data, received_ns))
            return
        split = self._router.split(data)
        if not isinstance(split, tuple):
            carrier.note(split)
            return
        line, payload = split
        carrier.note(line)
        if carrier is self._successor:
            handover.new(line, payload, received_ns, self._clock.monotonic())
        else:
            handover.old(line, payload, received_ns)
