"""A strand of a feed: one connection after the other for the same streams, for as long as these are wanted.

It dials, and dials again after a loss.  Before a connection grows too old, or when the exchange announces its end, it
opens the successor first, lets both carry until the new one has joined every stream (see `arbiter`), and then closes
the old one.
"""

import asyncio
import contextlib
import logging
from typing import Any

from fsnats.backoff import Backoff
from fsnats.binance.streams import Market
from fsnats.errors import ExchangeUnavailable
from fsnats.exits.address import Exit
from fsnats.fleet.events import Kind
from workers.ingest.cadence import rests_at_will
from workers.ingest.carrier import Carrier
from workers.ingest.hole import Hole
from workers.ingest.lateness import Tally
from workers.ingest.record import Record, State
from workers.ingest.shared import Shared, Way
from workers.ingest.traffic import count
from workers.ingest.upstream import dial

logger = logging.getLogger(__name__)

DELAY_FIRST, DELAY_MAX = 1.0, 60.0  # seconds between two dials of one strand
DELAY_HEALTHY = 0.25  # seconds, at most, before the first dial after a healthy connection was lost
SETTLE_MOST = 120.0  # seconds after which a successor that is not ready is given up
APART = 10.0  # seconds between two looks for an exit of one's own

# Own pings count as messages: none on spot, whose server pings every 20 s; on futures one keeps proxies from cutting
# an idle connection between server pings three minutes apart.
PING_INTERVAL = {Market.SPOT: None, Market.USDM: 45.0, Market.COINM: 45.0}


class Strand:
    """Keeps one connection; `run` ends only by cancellation."""

    def __init__(self, name: str, way: Way, shared: Shared) -> None:
        """`way` knows by which exit, and when, the feed's URL may be dialled once more."""
        self.name = name
        self._way = way
        self._shared = shared
        self._clock = shared.clock
        self._arbiter = shared.arbiter
        self._router = shared.router
        self._backoff = Backoff(DELAY_FIRST, DELAY_MAX, shared.jitter)
        self._carrier: Carrier | None = None
        self._successor: Carrier | None = None
        self._tally = Tally()
        self._messages = 0
        self._dials = 0
        self._rotations = 0
        self._early = 0.0  # how early, from 0 to 1, this connection is replaced
        self._last_error: str | None = None
        self._close_code: int | None = None
        self.exit: Exit | None = None  # by which the strand goes, or tries to
        self.state = State.DISCONNECTED

    @property
    def carriers(self) -> list[Carrier]:
        """The open connections: none, one, or two while one takes the other's place."""
        return [carrier for carrier in (self._carrier, self._successor) if carrier is not None]

    @property
    def record(self) -> Record:
        """The strand as it is now."""
        carrier = self._carrier
        lines = self._router.lines(self._shared.wanted)
        # Some may be silent for days: that they have not delivered is no trouble.
        at_will = {line.stream.name for line in lines if rests_at_will(line.stream)}
        held = sum(not isinstance(entry, Hole) for line in lines for entry in line.held or ())
        return Record(
            self.name,
            self.state,
            self.exit.name if self.exit else None,
            sorted(self._shared.wanted),
            len(carrier.subscriptions.live | at_will) if carrier else 0,
            self._arbiter.joined(carrier.member, self._clock.monotonic()) if carrier else 0,
            self._messages,
            held + sum(each.member.held for each in self.carriers),
            self._dials,
            self._rotations,
            carrier.opened_at if carrier else None,
            carrier.last_data if carrier else None,
            self._last_error,
            self._close_code,
            self._tally.first,
            round(self._tally.late_mean_ns / 1e6, 3),
            round(self._tally.late_max_ns / 1e6, 3),
        )

    async def run(self) -> None:
        """Connect, carry, connect again."""
        async with asyncio.TaskGroup() as tasks:
            try:
                while True:
                    self.state = State.CONNECTING if self._dials == 0 else State.RECONNECTING
                    try:
                        carrier = await self._open(tasks, await self._way.admitted(self._shared.taken(self)))
                    except ExchangeUnavailable as error:
                        await self._pause(str(error), self._backoff.next_delay())
                    else:
                        await self._keep(carrier, tasks)
            finally:
                # Closing takes a moment, in which another feed may carry these streams already.
                self.state = State.CLOSING

    async def _keep(self, carrier: Carrier | None, tasks: asyncio.TaskGroup) -> None:
        """Carry, by one connection after the other, until one is lost."""
        while carrier is not None:
            if carrier is not self._carrier:
                self._carrier = carrier
                self._early = self._shared.jitter()
                if self.state is not State.CONNECTED:
                    self._note(Kind.CONNECTED)
                self.state = State.CONNECTED
                logger.info(
                    "feed is connected",
                    extra={"event": "feed.connected", "feed": self.name, "streams": len(self._shared.wanted)},
                )
            reasons = [
                tasks.create_task(self._clock.sleep(self._time_left(carrier))),
                tasks.create_task(carrier.due.wait()),
            ]
            if self._shared.elders(self):
                reasons.append(tasks.create_task(self._crowded()))
            waiting: list[asyncio.Future[Any]] = [carrier.ended, *reasons]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            only_crowded = not any(reason.done() for reason in reasons[:2])
            for reason in reasons:
                reason.cancel()
            if not carrier.ended.done():
                carrier = await self._replace(carrier, tasks, elsewhere=only_crowded)
            if carrier is not None and carrier.ended.done():
                self._carrier = None
                await self._lost(carrier)
                carrier = None

    async def _open(self, tasks: asyncio.TaskGroup, by: Exit) -> Carrier:
        """Dial once.  Raises ExchangeUnavailable."""
        shared = self._shared
        self._dials += 1
        if self.exit is not None and self.exit != by:
            self._note(Kind.EXIT, f"{self.exit.name} before", by)
        self.exit = by
        carrier = Carrier(
            self.name, shared.market, self._clock, self._tally, self._received, self._begins, shared.traffic
        )
        carrier.want(shared.wanted)
        try:
            ping = PING_INTERVAL[shared.market]
            connection = await dial(shared.url, by.url, ping, carrier.received, self._way.tls)
        except ExchangeUnavailable as error:
            count(shared.traffic.dials, error.stage)
            self._way.failed(by, error)
            raise
        count(shared.traffic.dials, "ok")
        self._way.worked(by)
        carrier.by = by
        carrier.want(shared.wanted)
        self._arbiter.enter(carrier.member, self._clock.monotonic())
        tasks.create_task(carrier.carry(connection), name=self.name)
        return carrier

    async def _lost(self, carrier: Carrier) -> None:
        self.state = State.RECONNECTING
        self._arbiter.leave(carrier.member, self._clock.monotonic())
        self._close_code = carrier.close_code
        count(self._shared.traffic.lost, str(carrier.close_code))
        reason = carrier.ended.result()
        if carrier.healthy:
            self._backoff.healthy()
            await self._pause(reason, DELAY_HEALTHY * self._shared.jitter())
        else:
            if carrier.by is not None:
                self._way.failed(carrier.by, ExchangeUnavailable("tcp", reason))
            await self._pause(reason, self._backoff.next_delay())

    async def _pause(self, reason: str, delay: float) -> None:
        self._last_error = reason
        self._note(Kind.LOST, reason)
        logger.warning(
            "feed is down", extra={"event": "feed.down", "feed": self.name, "error": reason, "next": round(delay, 1)}
        )
        await self._clock.sleep(delay)

    async def _replace(self, old: Carrier, tasks: asyncio.TaskGroup, *, elsewhere: bool) -> Carrier:
        """Try to put a new connection in the place of one that still carries; the one that carries on.

        With `elsewhere` only by an exit that no other strand uses.
        """
        async with self._shared.turn:
            way = self._way.other if elsewhere else self._way.admitted
            asking: asyncio.Task[Exit | None] = tasks.create_task(way(self._shared.taken(self)))
            either: list[asyncio.Future[Any]] = [asking, old.ended]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if old.ended.done():
                asking.cancel()
                return old
            by = asking.result()
            if by is None:
                return old
            try:
                self._successor = new = await self._open(tasks, by)
            except ExchangeUnavailable as error:
                reason = str(error)
            else:
                try:
                    failure = await self._settle(old, new)
                    leaving, staying = (new, old) if failure else (old, new)
                    await leaving.close()
                    self._arbiter.leave(leaving.member, self._clock.monotonic())
                finally:
                    self._successor = None
                if failure is None:
                    self._rotations += 1
                    self._shared.traffic.rotations += 1
                    self._note(Kind.ROTATED)
                    self._backoff.healthy()
                    return staying
                reason = failure
            self.exit = old.by
        logger.warning(
            "a connection could not be replaced yet",
            extra={"event": "feed.not_replaced", "feed": self.name, "error": reason},
        )
        self._last_error = reason
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._backoff.next_delay()):
                await asyncio.shield(old.ended)
        return old

    async def _settle(self, old: Carrier, new: Carrier) -> str | None:
        """Wait until the new connection has joined every stream; why it does not get there, else None."""
        begun = self._clock.monotonic()
        while True:
            now = self._clock.monotonic()
            self._arbiter.look(now)
            if new.ended.done():
                return new.ended.result()
            if old.ended.done() or self._arbiter.has_joined(new.member):
                return None
            if now - begun > SETTLE_MOST:
                return "the successor was not ready in time"
            await self._clock.sleep(0.1)

    def _note(self, kind: Kind, reason: str = "", by: Exit | None = None) -> None:
        by = by or self.exit
        exit_name = by.name if by is not None else ""
        self._shared.journal.note(kind, connection=self.name, reason=reason, exit_name=exit_name)

    def _time_left(self, carrier: Carrier) -> float:
        """Seconds until a connection is to be replaced."""
        age = self._clock.monotonic() - carrier.opened_at if carrier.opened_at is not None else 0.0
        opened = self._clock.time_ns() / 1e9 - age
        return max(0.0, self._shared.rotation.due(opened, self._early) - age)

    async def _crowded(self) -> None:
        """Return when another strand, which came first, goes by the same exit."""
        while True:
            await self._clock.sleep(APART)
            if self._shared.is_crowded(self):
                return

    def _begins(self, carrier: Carrier, names: list[str]) -> None:
        self._arbiter.begun(carrier.member, self._router.lines(names), self._clock.monotonic())

    def _received(self, carrier: Carrier, data: bytes, received_ns: int) -> None:
        if self.state is State.CLOSING:
            return
        self._messages += 1
        member = carrier.member
        if member is self._arbiter.alone:
            carrier.note(self._router.receive(data, received_ns))
            return
        split = self._router.split(data)
        if not isinstance(split, tuple):
            carrier.note(split)
            return
        line, payload = split
        carrier.note(line)
        assert carrier.last_data is not None
        self._arbiter.receive(member, line, payload, received_ns, carrier.last_data)
