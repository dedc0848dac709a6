"""One ingest worker: a group's symbols, the feeds that carry what is wanted of them, and nothing else."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Iterable

from fsnats import catalogue, demand
from fsnats.binance.streams import CONTRACT_INFO, Market, Stream, parse
from fsnats.bus.nats import NatsBus
from fsnats.clock import Clock
from fsnats.config import Config
from fsnats.errors import UNREADABLE, StreamNameError
from fsnats.exits.client import Exits
from fsnats.fleet.events import Journal
from fsnats.fleet.streams import decode_request, encode
from fsnats.groups import Group
from fsnats.history import RowsReply, RowsRequest, ask_rows
from fsnats.metrics.family import Family
from fsnats.metrics.vitals import Vitals
from fsnats.offset import Offsets
from fsnats.patterns import expand
from fsnats.rollcall import answering
from fsnats.status import Status, respond
from fsnats.subjects import DEMAND_REQUEST, EVENTS_REQUEST, PREFIX, STREAMS_REQUEST
from fsnats.subjects import demand as demand_subject
from workers.ingest import numbers
from workers.ingest.backlog import Backlog
from workers.ingest.delays import Delays
from workers.ingest.demand import DemandBook
from workers.ingest.doubts import Doubts
from workers.ingest.enquiry import Enquiry
from workers.ingest.feed import Feed
from workers.ingest.layout import FeedKey, Layout
from workers.ingest.pages import Fill
from workers.ingest.pulse import Carried, Pulse
from workers.ingest.recovery import Recovery
from workers.ingest.rotation import rotation
from workers.ingest.router import Router
from workers.ingest.silence import LOOK
from workers.ingest.succession import epoch_after, heritage
from workers.ingest.traffic import Traffic
from workers.ingest.watchdog import Watchdog

logger = logging.getLogger(__name__)

RETURN = 5.0  # seconds that a gateway has to come back after NATS did, before what waited is sent without it
_TICK = 0.5  # seconds between two looks at lingers and silent gateways


class Worker:
    """Owns a group.  Give it a bus, run `run`, and it carries what gateways want."""

    def __init__(
        self, config: Config, market: Market, number: int, bus: NatsBus, clock: Clock, jitter: Callable[[], float]
    ) -> None:
        self._config = config
        self._market = market
        self._number = number
        self._bus = bus
        self._clock = clock
        self._jitter = jitter
        self.name = f"ingest-{market}-{number}"
        self._group: Group | None = None
        self._grouped = asyncio.Event()
        self._mine: dict[str, Stream | None] = {}  # what `_is_mine` found out, for names asked about again and again
        self._book = DemandBook(self._is_mine, config.linger)
        self._layout = Layout()
        self._journal = Journal(clock.time_ns)
        self._recovery = Recovery(self._ask_rest, clock, self._journal)
        self._backlog = Backlog(bus.publish, lambda: bus.is_connected, clock.monotonic)
        self._awaited: set[str] = set()  # gateways that have not spoken yet since NATS came back
        self._drain_at = 0.0  # when what waited is sent all the same
        self._traffic = Traffic()
        self._delays = Delays(market, Offsets(bus).newest)
        self.vitals = Vitals(self._delays.hops.turn)
        self._router = Router(
            market, self._backlog.publish, clock.time_ns(), self._recovery, clock.time_ns, self._delays
        )
        self._recovery.router = self._router
        self._feeds: dict[FeedKey, tuple[Feed, asyncio.Task[None]]] = {}
        self._watchdog = Watchdog(market, self._router, self._layout, clock, self._recovery.tell, self._journal)
        self._pulse = Pulse(self.name, os.getpid(), market, self._watchdog.habit)
        self._enquiry = Enquiry(market, clock, self._ask_rest, self._watchdog.trails)
        self._doubts = Doubts(market, bus, self._watchdog.answered)
        self._news = asyncio.Event()

    async def ready(self) -> None:
        """Return when the worker knows its group and can be reached."""
        await self._bus.connected()
        await self._grouped.wait()

    async def run(self) -> None:
        """Carry what is wanted, until cancelled."""
        exits = Exits(self._config, self._bus, self.name, self._clock)
        self._bus.subscribe(demand_subject(self._market), self._heard)
        respond(self._bus, self.status)
        answering(self._bus, STREAMS_REQUEST, self._tell_streams)
        answering(self._bus, EVENTS_REQUEST, self._tell_events)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_group())
            tasks.create_task(self._recovery.run())
            tasks.create_task(self._watch())
            tasks.create_task(self._doubts.run())
            tasks.create_task(self._enquiry.run())
            await self.ready()
            self.bus_changed(True)
            while True:
                await self._reconcile(tasks, exits)
                self._news.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_TICK):
                        await self._news.wait()

    async def _watch(self) -> None:
        """Look every second for streams that are silent."""
        while True:
            await self._clock.sleep(LOOK)
            self._pulse.look(self._clock.monotonic(), self._router.carried.values())
            if self._watchdog.look([feed for feed, _ in self._feeds.values()], self._doubts.ask):
                self._news.set()
            if not self._recovery.filling:  # what is missing needs REST more
                self._enquiry.look(self._watchdog.wondering)

    async def _ask_rest(self, fill: Fill) -> RowsReply:
        return await ask_rows(self._bus, RowsRequest(self._market, fill.method, fill.parameters))

    def bus_changed(self, connected: bool) -> None:
        """NATS came (True) or went (False): ask who wants what, and do not hold the silence against anybody."""
        if not connected:
            if self._bus.sent is not None:
                self._backlog.lost(self._bus.sent.take(f"{PREFIX}.{self._market}."))
        else:
            self._book.forgive(self._clock.monotonic())
            self._awaited = set(self._book.gateways)
            self._drain_at = self._clock.monotonic() + RETURN
            self._bus.publish(DEMAND_REQUEST, b"")
            self._news.set()

    async def _follow_group(self) -> None:
        await self._bus.connected()  # before that a look at the catalogue fails, and the next one is half a second away
        key = catalogue.group_key(self._market, self._number)
        await catalogue.watch(self._bus, catalogue.GROUPS, key, Group, self._regroup)

    def _regroup(self, group: Group) -> None:
        self._group = group
        self._mine.clear()
        self._book.keep_always(self._always(group))
        logger.info("owning a group", extra={"event": "group.owned", "symbols": len(group.symbols), "lead": group.lead})
        self._grouped.set()
        self._news.set()
        # What the gateways announced of symbols that were not ours a moment ago was not kept.
        if self._bus.is_connected:
            self._bus.publish(DEMAND_REQUEST, b"")

    def _always(self, group: Group) -> Iterable[str]:
        if group.lead and self._market is not Market.SPOT:
            yield CONTRACT_INFO  # the supervisor listens: a new contract is there within seconds
        for entry in self._config.always:
            market, _, pattern = entry.partition(":")
            if market == self._market:
                for stream in expand(self._market, pattern, [*group.symbols, *group.pairs]):
                    if group.owns(stream):
                        yield stream.name

    def _is_mine(self, name: str) -> bool:
        try:
            return self._mine[name] is not None
        except KeyError:
            pass
        stream: Stream | None = None
        with contextlib.suppress(StreamNameError):  # gateways check names; another client of the bus may not
            stream = parse(self._market, name)
        if stream is not None and (stream.name != name or self._group is None or not self._group.owns(stream)):
            stream = None
        self._mine[name] = stream
        return stream is not None

    def _heard(self, _subject: str, _reply: str, payload: bytes) -> None:
        try:
            announcement = demand.decode(payload)
        except UNREADABLE as error:
            logger.warning("an announcement cannot be read", extra={"event": "bus.unreadable", "error": str(error)})
            return
        self._book.hear(announcement, self._clock.monotonic())
        self._awaited.discard(announcement.gateway)
        if announcement.kind != "whole" or announcement.page == announcement.pages - 1:
            self._news.set()

    async def _reconcile(self, tasks: asyncio.TaskGroup, exits: Exits) -> None:
        if not self._bus.is_connected:
            # Nobody can be heard: keep what is carried.
            self._book.forgive(self._clock.monotonic())
            return
        if self._backlog and (not self._awaited or self._clock.monotonic() > self._drain_at):
            # A gateway that speaks has subscribed before: what is sent now reaches it.
            more = True
            while more:
                more = self._backlog.drain()
                await asyncio.sleep(0)  # the bus writes once a turn: what waited is not to be joined into one piece
        streams = {
            name: stream
            for name in self._book.carried(self._clock.monotonic())
            if (stream := self._mine.get(name)) is not None or (self._is_mine(name) and (stream := self._mine[name]))
        }
        # Asked before the exchange is: no message comes before the answer.
        strange = self._router.strange(streams)
        if strange and not self._router.frames:
            self._router.epoch = await epoch_after(self._bus, self._market, strange, self._router.epoch)
        inherited = await heritage(self._bus, self._market, strange, self._router.epoch, self._clock)
        self._router.carry(streams, inherited)
        layout = self._layout.arrange(self._watchdog.routes(streams))
        for key in [key for key in self._feeds if key not in layout]:
            self._feeds.pop(key)[1].cancel()
        for key, names in layout.items():
            if key not in self._feeds:
                feed = self._feed(key, exits)
                feed.want(names)
                self._feeds[key] = (feed, tasks.create_task(feed.run(), name=feed.name))
            self._feeds[key][0].want(names)

    def _feed(self, key: FeedKey, exits: Exits) -> Feed:
        route = f"/{key.route}" if key.route else ""
        url = f"{self._config.ws_url(self._market).rstrip('/')}{route}/stream"
        name = "-".join(filter(None, [self.name, key.route, str(key.number)]))
        return Feed(
            name,
            self._market,
            url,
            [exits.to(url, strand=number) for number in range(self._config.redundancy)],
            self._router,
            self._clock,
            self._jitter,
            rotation(self._config.rotate_after, self._config.rotate_at),
            self._traffic,
            self._journal,
        )

    def numbers(self) -> list[Family]:
        """What Prometheus is told of this worker."""
        market = str(self._market)
        strands = [strand for feed, _ in self._feeds.values() for strand in feed.strands]
        return [
            self._delays.hops.family(),
            *numbers.of_router(market, self._router),
            *numbers.of_loss(market, self._recovery, self._backlog, self._watchdog.silent, self._watchdog.unheard),
            *numbers.of_connections(market, self._traffic, strands, len(self._book.gateways)),
        ]

    def _tell_streams(self, question: bytes) -> bytes:
        feeds = [feed for feed, _ in self._feeds.values()]
        connections = {name: [strand.name for strand in feed.strands] for feed in feeds for name in feed.wanted}
        carried = Carried(self._router.carried.values(), connections)
        asked = decode_request(question)
        return encode(self._pulse.tell(asked, carried, self._clock.monotonic(), self._clock.time_ns()))

    def _tell_events(self, question: bytes) -> bytes:
        return self._journal.answer(self.name, os.getpid(), question, self._market)

    def status(self) -> Status:
        """What `fsnats status` shows of this worker.  Ages are seconds."""
        now = self._clock.monotonic()
        return {
            "program": self.name,
            "kind": "ingest",
            "pid": os.getpid(),
            **self.vitals.status(),
            "epoch": self._router.epoch,
            "market": self._market,
            "group": self._number,
            "symbols": len(self._group.symbols) if self._group else 0,
            "messages": self._router.messages,
            "odd": self._router.oddities.counts,
            "unpublished": self._router.unpublished,
            "waiting_for_nats": len(self._backlog),
            "dropped_for_nats": self._backlog.dropped,
            "sent_again": self._backlog.again,
            "duplicates": self._router.duplicates,
            "holes": self._router.holes,
            "recovered": self._recovery.recovered,
            "late": self._recovery.late,
            "gaps": self._recovery.gaps,
            "silent": self._watchdog.status(),
            "filling": self._recovery.filling,
            "lag": self._delays.hops.recent(),
            "gateways": self._book.gateways,
            "connections": [record.told(now) for feed, _ in self._feeds.values() for record in feed.records],
        }
