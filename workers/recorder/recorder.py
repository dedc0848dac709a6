"""One recorder: what is to be kept, the windows that it is read from, and the store that it goes to."""

import asyncio
import hashlib
import logging
import os
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

from fsnats import catalogue, recording
from fsnats.announcer import Announcer
from fsnats.backfill.filler import Outcome
from fsnats.binance.streams import Market, parse
from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.errors import BusUnavailable, Refused
from fsnats.metrics.vitals import Vitals
from fsnats.recording import Entry, Making
from fsnats.status import Status, ask, respond
from fsnats.store import Series, Store
from fsnats.subjects import recorder
from fsnats.symbols import Listing
from workers.recorder.backlog import FRAMES_MOST
from workers.recorder.connections import records
from workers.recorder.consumer import Consumer
from workers.recorder.deliveries import Delivery
from workers.recorder.maker import Maker
from workers.recorder.mending import Mending
from workers.recorder.rows import series_of
from workers.recorder.scribe import Scribe
from workers.recorder.writer import Writer

logger = logging.getLogger(__name__)

CONNECTIONS_EVERY = 5.0  # seconds between two looks at the workers' connections
_ANSWERS = 0.5  # seconds that workers have to answer
_ALONE = 1.0  # seconds that another recorder of the same has to say that it is there


def name_of(entries: Iterable[Entry], store: str) -> str:
    """What a recorder of these entries into this store is called: the same after a restart, another one for others."""
    said = [store, *sorted(f"{entry.raw}:{entry.market}:{entry.pattern}" for entry in entries)]
    return "recorder_" + hashlib.sha256("\n".join(said).encode()).hexdigest()[:12]


class Recorder:
    """Give it a bus and a store that can be opened, run `run`, and it keeps what `entries` ask for."""

    def __init__(
        self,
        entries: Sequence[Entry],
        name: str,
        bus: Bus,
        opened: Callable[[], Awaitable[Store]],
        clock: Clock,
        jitter: Callable[[], float],
        only: Collection[str] = (),
        makings: Sequence[Making] = (),
    ) -> None:
        """`only` are the symbols that are carried, where it says any; `makings` what is made of what is recorded."""
        self._entries = entries
        self._empty: set[Entry] = set()  # of which it was told that they fit nothing
        self._only = only
        self._name = name
        self._bus = bus
        self._clock = clock
        self.vitals = Vitals()
        self._markets = tuple(dict.fromkeys(entry.market for entry in entries))
        self._streams: dict[Market, dict[str, None]] = {market: {} for market in self._markets}
        self._announcer = Announcer(name, self._markets, bus, clock.monotonic, self._streams.__getitem__)
        self._scribe = Scribe(entries)
        self._maker = Maker(makings, entries, lambda: self.writer.store, clock.monotonic)
        self.writer = Writer(opened, self._scribe, clock, jitter, self._stored, self._maker.take)
        self._mending = Mending(bus, clock, self._series, lambda: self.writer.store, self._filled)
        self._consumers = {
            market: Consumer(
                bus,
                market,
                name,
                recording.filters(entries, market),
                clock,
                received=self.writer.add,
                room=lambda: self.writer.backlog.room,
                most=FRAMES_MOST,
            )
            for market in self._markets
        }

    async def alone(self) -> None:
        """Return when it is certain that no other process records the same.  Raises Refused."""
        subject = recorder(self._name)
        try:
            other = await self._bus.request(subject, b"", _ALONE)
        except BusUnavailable:
            self._bus.subscribe(subject, self._asked)
            return
        raise Refused(f"another recorder ({other.decode(errors='replace')}) records the same into the same store")

    def _asked(self, _subject: str, reply: str, _payload: bytes) -> None:
        self._bus.publish(reply, f"pid {os.getpid()} on {os.uname().nodename}".encode())

    async def run(self, stopping: Callable[[], Awaitable[None]], within: float) -> None:
        """Record until `stopping` returns, then write what is there, for so many seconds at most."""
        respond(self._bus, self.status)
        forget = self._bus.on_connect(self._announcer.repeat)
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(self.writer.run())
            reading = [
                tasks.create_task(self._announcer.run()),
                tasks.create_task(self._look_at_connections()),
                tasks.create_task(self._mending.run()),
                tasks.create_task(self._maker.run()),
                *(tasks.create_task(self._follow(market)) for market in self._markets),
                *(tasks.create_task(consumer.run()) for consumer in self._consumers.values()),
            ]
            await stopping()
            for task in reading:
                task.cancel()
            forget()
            self._forget_all()
            self.writer.leave()
            await asyncio.wait((writing,), timeout=within)
            writing.cancel()

    def _forget_all(self) -> None:
        for streams in self._streams.values():
            streams.clear()
        self._announcer.announce_whole()

    async def _follow(self, market: Market) -> None:
        await catalogue.watch(self._bus, catalogue.LISTINGS, market, Listing, self._listed)

    def _listed(self, listing: Listing) -> None:
        """Let what is wanted follow the list: new symbols join, those that trade no more leave."""
        market = listing.market
        wanted: dict[str, None] = {}
        for entry in self._entries:
            if entry.market is market:
                found = [stream.name for stream in recording.streams(entry, listing, self._only)]
                wanted |= dict.fromkeys(found)
                if not found and entry not in self._empty:
                    self._empty.add(entry)
                    logger.warning(
                        "a pattern fits nothing that trades now; it is recorded as soon as something does",
                        extra={"event": "recorder.fits_nothing", "market": market, "pattern": entry.pattern},
                    )
        before = self._streams[market]
        self._streams[market] = wanted
        for name in wanted.keys() - before.keys():
            self._announcer.add(market, name)
        if gone := [name for name in before if name not in wanted]:
            self._announcer.drop(market, gone)
        if wanted.keys() != before.keys():
            logger.info(
                "recording",
                extra={"event": "recorder.recording", "market": market, "streams": len(wanted), "left": len(gone)},
            )

    def _series(self) -> list[Series]:
        """What is recorded now, as rows."""
        streams = [parse(market, name) for market, names in self._streams.items() for name in names]
        return [series_of(stream) for stream in streams if recording.wish(self._entries, stream).rows]

    def _filled(self, outcome: Outcome) -> None:
        self._maker.filled(outcome.want.series)

    async def _look_at_connections(self) -> None:
        while True:
            await self._clock.sleep(CONNECTIONS_EVERY)
            answers = await ask(self._bus, f"_INBOX.{self._name}.{os.getpid()}", _ANSWERS)
            if found := list(records(answers, self._clock.time_ns() // 1_000_000)):
                self.writer.note(found)

    def _stored(self, delivered: Sequence[Delivery]) -> None:
        for delivery in {delivery.market: delivery for delivery in delivered}.values():
            self._consumers[delivery.market].stored(delivery)
        for consumer in self._consumers.values():
            consumer.freed()

    def status(self) -> Status:
        """What `fsnats status` shows of this process.  Ages are seconds."""
        now, writer = self._clock.monotonic(), self.writer
        last = writer.last_commit
        return {
            "program": "recorder",
            "kind": "recorder",
            "pid": os.getpid(),
            **self.vitals.status(),
            "streams": {market: len(streams) for market, streams in self._streams.items()},
            "klines": writer.written["klines"],
            "made": writer.written["made"],
            "trades": writer.written["trades"],
            "frames": writer.written["frames"],
            "batches": writer.written["batches"],
            "backlog": len(writer.backlog),
            "backlog_seconds": round(writer.backlog.age(now), 3),
            "in_window": sum(consumer.pending for consumer in self._consumers.values()),
            "last_commit_age": None if last is None else round(now - last, 3),
            "holes": self._mending.holes.open,
            "holes_left": self._mending.holes.in_vain + self._mending.holes.too_large,
            "fetched": self._mending.rows,
            "fetch_trouble": self._mending.trouble,
            "store_trouble": writer.trouble,
            "window_trouble": {market: each.trouble for market, each in self._consumers.items() if each.trouble},
            "refused": writer.refused,
            "met": dict(self._scribe.counts),
            "sample": self._scribe.sample,
        }
