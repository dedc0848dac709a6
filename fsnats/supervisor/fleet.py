"""One fleet in the making: the story of its start, and what happens while it runs."""

import asyncio
import os
import random
from collections.abc import Callable, Mapping

import msgspec

from fsnats import changes, subjects
from fsnats.backoff import Backoff
from fsnats.binance.streams import CONTRACT_INFO, Market
from fsnats.bus import Callback
from fsnats.bus.nats import NatsBus
from fsnats.clock import Clock, SystemClock
from fsnats.config import Config
from fsnats.errors import BusUnavailable, ConfigError, ExchangeUnavailable
from fsnats.exits.client import Exits
from fsnats.fleet.events import Journal
from fsnats.metrics.bus import of_bus
from fsnats.metrics.family import Family
from fsnats.metrics.vitals import Vitals
from fsnats.notify import Notifier
from fsnats.rollcall import answering
from fsnats.status import Status, respond
from fsnats.subjects import EVENTS_REQUEST
from fsnats.supervisor import child, events, natsd, numbers, programs, report
from fsnats.supervisor.catalogue import Catalogue
from fsnats.supervisor.census import RETRY_FIRST, RETRY_MOST, Census
from fsnats.supervisor.child import OsProcess
from fsnats.supervisor.dials import Dials
from fsnats.supervisor.doubts import Doubts
from fsnats.supervisor.kept import State
from fsnats.supervisor.lists import asking, replaying
from fsnats.supervisor.output import Printer
from fsnats.supervisor.programs import Program
from fsnats.supervisor.replay import ReplayKeeper
from fsnats.supervisor.stuck import StuckStore
from fsnats.supervisor.supervisor import Supervisor

_NATS_LIMIT = 15.0  # seconds for the embedded server to answer, or for an impatient start to reach another one
_STARTING = 60  # seconds by which a step of the start postpones systemd's patience


class Running(msgspec.Struct, frozen=True):
    """What a fleet that has started is: the configuration that its programs have, where the bus is."""

    config: Config
    nats_url: str
    programs: int


class Fleet:
    """What `supervise` composes, and the story of its run."""

    def __init__(self, config: Config, printer: Printer, notifier: Notifier, *, impatient: bool) -> None:
        self.config = config
        self.environ: dict[str, str] = {}
        self.nats: natsd.Embedded | None = None
        self.simulator: Program | None = None
        self.metrics_url = ""  # where we tell numbers; empty: nowhere
        self.vitals = Vitals()
        self._known: Callable[[], list[Family]] = list  # once there is a bus
        self.replayed: Mapping[Market, bytes] | None = None  # what a capture lists, in the place of the exchange
        self._printer = printer
        self._notifier = notifier
        self._impatient = impatient
        self._clock: Clock = SystemClock()
        self._began = self._clock.monotonic()
        self.started = False
        self._gave_up: asyncio.Future[events.GaveUp] = asyncio.get_running_loop().create_future()
        self.supervisor = Supervisor(self._spawn, self._clock, self._happened)
        self._journal = Journal(self._clock.time_ns)

    async def run(self, with_gateway: bool, on_ready: Callable[[Running], None] | None) -> None:
        """Start everything in its order and look after it, for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._notifier.beat())
            if self._impatient:
                tasks.create_task(self._fail_with_the_first())
            beside = await self._start_beside(tasks)
            urls = [url.strip() for url in self.config.nats_url.split(",") if url.strip()]
            replay = ReplayKeeper(self.config)
            async with NatsBus(urls, report.NAME, random.random) as bus:
                await self._connect(bus)
                await replay.ensure(bus)  # before the first frame
                census = self._census(bus)
                self._answer(bus, census, replay)
                self._listen(bus, census)
                await self._first_census(census)

                def wanted() -> list[Program]:
                    if self.replayed is not None:
                        return beside + programs.gateways(self.config, self.environ)
                    return beside + programs.plan(
                        self.config, census.all_groups, self.environ, with_gateway=with_gateway
                    )

                async with asyncio.TaskGroup() as lasting:
                    lasting.create_task(replay.run(bus))
                    changed = asyncio.Event()
                    # At once: a gateway becomes ready only when every market has been asked.
                    lasting.create_task(census.run(changed.set))
                    bus.on_connect(census.renew)
                    if self.nats is not None:
                        lasting.create_task(self._stuck_store(self.nats, bus, census).run())
                    lasting.create_task(Doubts(bus, census, self._clock).run())
                    await self._adjust(wanted())
                    self._started(on_ready)
                    while True:
                        await self._tidy(census)
                        await changed.wait()
                        changed.clear()
                        await self._adjust(wanted())

    async def _start_beside(self, tasks: asyncio.TaskGroup) -> list[Program]:
        """Start what everything else needs."""
        beside: list[Program] = []
        if self.nats is not None:
            tasks.create_task(natsd.vouch(self.nats.port, self.supervisor.heard, self._clock))
            beside.append(self.nats.program)
            await self._adjust(beside, _NATS_LIMIT)
            if self.supervisor.state_of(natsd.NAME) is not State.READY:
                raise BusUnavailable("the embedded NATS server does not start; its own lines say why")
        if self.simulator is not None:
            beside.append(self.simulator)
            await self._adjust(beside)
        return beside

    def _stuck_store(self, nats: natsd.Embedded, bus: NatsBus, census: Census) -> StuckStore:
        def is_stuck() -> bool:
            return bus.is_connected and bool(census.unkept)

        def restart() -> None:
            report.logger.warning(
                "NATS stores nothing, though there is room: starting it again", extra={"event": "nats.stuck"}
            )
            self.supervisor.replace(natsd.NAME)

        return StuckStore(self._clock, is_stuck, nats.has_room, restart)

    async def _connect(self, bus: NatsBus) -> None:
        try:
            async with asyncio.timeout(_NATS_LIMIT if self._impatient else None):
                await bus.connected()
        except TimeoutError:
            raise BusUnavailable("NATS (FSNATS_NATS_URL) cannot be reached") from None

    async def _first_census(self, census: Census) -> None:
        backoff = Backoff(RETRY_FIRST, RETRY_MOST, random.random)
        while True:
            self._notifier.say("STATUS=asking the exchange for its symbols")
            try:
                return await census.begin(impatient=self._impatient)
            except ExchangeUnavailable as error:
                if self.simulator is not None:
                    raise
                reason = f"{error.reason}.  `--sim` serves simulated data instead"
                raise ExchangeUnavailable(error.stage, reason, status=error.status) from error
            except BusUnavailable as error:
                if self._impatient:
                    raise
                report.logger.warning(
                    "cannot keep the catalogue", extra={"event": "catalogue.not_kept", "error": str(error)}
                )
            await self._clock.sleep(backoff.next_delay())

    async def _tidy(self, census: Census) -> None:
        try:
            await census.tidy()
        except BusUnavailable as error:
            report.logger.warning(
                "cannot tidy the catalogue up; later", extra={"event": "catalogue.untidy", "error": str(error)}
            )

    async def _adjust(self, wanted: list[Program], limit: float | None = None) -> None:
        for program in wanted:
            self._printer.expect(program.name)
        await (self.supervisor.adjust(wanted) if limit is None else self.supervisor.adjust(wanted, limit))

    def _answer(self, bus: NatsBus, census: Census, replay: ReplayKeeper) -> None:
        dials = Dials(bus, self._clock, lambda: len(self.supervisor.standings()))
        dials.serve()

        def markets() -> dict[Market, report.MarketStatus]:
            return {market: report.market_status(census, market) for market in self.config.markets}

        def status() -> Status:
            uptime = self._clock.monotonic() - self._began
            standings = self.supervisor.standings()
            told = report.status(uptime, standings, markets(), dials.standings(), replay.trouble)
            return told | {"metrics": self.metrics_url} | self.vitals.status()

        def known() -> list[Family]:
            exits = numbers.of_exits(dials.standings(), dials.failures)
            return [*of_bus(bus), *exits, *numbers.of_markets(markets(), replay.trouble)]

        self._known = known
        respond(bus, status)
        answering(bus, EVENTS_REQUEST, lambda question: self._journal.answer(report.NAME, os.getpid(), question))

    def numbers(self) -> list[Family]:
        """What Prometheus is told of the supervisor itself."""
        return [*self.vitals.families(), *numbers.of_build(), *self._known()]

    def _census(self, bus: NatsBus) -> Census:
        exits = Exits(self.config, bus, report.NAME, self._clock)

        def tell(change: changes.Change) -> None:
            bus.publish(subjects.symbols(change.market), changes.encode(change))

        ask = asking(self.config, exits) if self.replayed is None else replaying(self.replayed)
        return Census(self.config, ask, Catalogue(bus), self._clock, random.random, tell)

    def _listen(self, bus: NatsBus, census: Census) -> None:
        """Hear what futures markets announce; their lead workers always carry it."""

        def hearing(market: Market) -> Callback:
            return lambda _subject, _reply, data: census.heard(market, data)

        for market in self.config.markets:
            if market is not Market.SPOT:
                bus.subscribe(subjects.subject_of(market, CONTRACT_INFO), hearing(market))

    def _started(self, on_ready: Callable[[Running], None] | None) -> None:
        self.started = True
        standings = self.supervisor.standings()
        self._notifier.say("READY=1", f"STATUS={self._progress()}")
        report.logger.info("the fleet has started", extra={"event": "fleet.started", "programs": len(standings)})
        if on_ready is not None:
            on_ready(Running(self.config, self.config.nats_url, len(standings)))

    def _progress(self) -> str:
        standings = self.supervisor.standings()
        return f"{self.supervisor.ready_count} of {len(standings)} programs are ready"

    async def _spawn(self, program: Program) -> OsProcess:
        return await child.start(program, lambda line: self._line(program, line))

    def _line(self, program: Program, line: str) -> None:
        if not program.noise or program.noise not in line or self.config.log_level == "debug":
            self._printer.line(program.name, line)

    def _happened(self, event: events.Event) -> None:
        report.log_event(event)
        report.note_event(self._journal, event)
        match event:
            case events.Ready() | events.Exited():
                self._notifier.say(f"STATUS={self._progress()}", f"EXTEND_TIMEOUT_USEC={_STARTING * 1_000_000}")
            case events.GaveUp() if not self._gave_up.done():
                self._gave_up.set_result(event)

    async def _fail_with_the_first(self) -> None:
        event = await self._gave_up
        raise ConfigError(event.program, f"{report.ending(event.status)}; its own lines say why")
