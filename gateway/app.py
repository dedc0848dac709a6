"""The gateway put together: bus, catalogue, hub, clients and HTTP in one process."""

import asyncio
import logging
import os
import random
import time
from collections import OrderedDict
from collections.abc import Collection
from http import HTTPStatus
from typing import Any

import msgspec

from fsnats import catalogue
from fsnats.binance.limits import KLINES_DEFAULT
from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.changes import between
from fsnats.clock import Clock, SystemClock
from fsnats.config import Config
from fsnats.frames import Key
from fsnats.headway import Headway
from fsnats.history import MOST
from fsnats.metrics.family import Family
from fsnats.metrics.vitals import Vitals
from fsnats.offset import Offsets
from fsnats.status import Status
from fsnats.symbols import Listing
from fsnats.websocket.handshake import Request, Response
from gateway import metrics, pages
from gateway.admission.addresses import Proxies
from gateway.admission.door import Door, Rules
from gateway.admission.tokensfile import TokensFile
from gateway.client import Client, Session
from gateway.clients import Clients
from gateway.effects import Klines
from gateway.fanout.channel import Channel, Held
from gateway.fanout.delays import Delays
from gateway.fanout.gathering import Gathering
from gateway.fanout.hub import Hub
from gateway.fanout.marks import Hops
from gateway.fanout.pacing import Timetable
from gateway.fanout.tally import Tally
from gateway.interest import Interest
from gateway.joins import Joins
from gateway.komas.keeper import Keeper
from gateway.metrics import Gauges
from gateway.protocol.native import NativeSession
from gateway.protocol.paths import Path, Refusal, read_path
from gateway.reception import Reception
from gateway.refills import Refills
from gateway.sse.client import EventClient

logger = logging.getLogger(__name__)

_KLINES_AT_ONCE = 8  # requests for history that one client may have open
_UNKNOWN_KEPT = 100  # names shown to the operator


class Gateway:
    """Everything that one gateway process holds."""

    def __init__(self, config: Config, name: str, bus: NatsBus, tokens: TokensFile | None = None) -> None:
        self.name = name
        self.door = Door(_rules(config), lambda: tokens.tokens if tokens else None)
        self.config = config
        self._bus = bus
        self._tasks = asyncio.TaskGroup()  # entered by `run`
        self.listings: dict[Market, Listing] = {}
        self.interest = Interest(name, config.markets, bus, time.monotonic)
        self.tally = Tally()
        self._alarm: asyncio.TimerHandle | None = None
        times = Timetable[Held](time.monotonic, self._wake_hub)
        self._delays = Delays(bus.read_ns, time.time_ns)
        self.vitals = Vitals(self._delays.hops.turn)
        hops = Hops(bus.read_ns, time.time_ns, Offsets(bus).newest, self._delays)
        self.hub = Hub(
            self.interest.first,
            self.interest.last,
            self.tally,
            hops,
            times,
            self._refill,
            # uvloop sends what was written when the callbacks of this turn are through.
            later=lambda call: asyncio.get_running_loop().call_soon(call),
        )
        self.pins = Keeper(bus, self.hub)
        self._gathering = Gathering(config.gateway_gather)
        self._joins = Joins(bus)
        self._refills = Refills(bus)
        self.clients = Clients[Client](tokens)
        self._reception = Reception(config.markets, self.listings, config.gateway_streams)
        self.sockets: Collection[object] = ()  # all that is connected, also what is no client, or none yet
        self._fetching: dict[Client, list[int]] = {}  # the candles of each request for history
        self._unknown: OrderedDict[tuple[Market, str], None] = OrderedDict()  # no exchange delivers them; newest last
        self._all_listed = asyncio.Event()
        self._started = time.monotonic()
        self.leaving = False

    async def run(self) -> None:
        """Follow the catalogue, announce what clients want, keep connections alive; until cancelled."""
        async with self._tasks as tasks:
            for market in self.config.markets:
                tasks.create_task(self._follow_listing(market))
            tasks.create_task(self.interest.run())
            tasks.create_task(self.pins.run())
            tasks.create_task(self.clients.look_after(self.hub.flush, SystemClock()))

    async def _follow_listing(self, market: Market) -> None:
        await self._bus.connected()  # before that a look at the catalogue fails, and the next one is half a second away
        await catalogue.watch(self._bus, catalogue.LISTINGS, str(market), Listing, self._listed)

    def connection(self, connections: set[Any]) -> Client:
        """A new connection, for the server to use."""
        return Client(self, connections, time.monotonic)

    def reader(self, connections: set[Any]) -> EventClient:
        """The same for one who reads events over HTTP."""
        return EventClient(self, connections, time.monotonic)

    @property
    def readers(self) -> int:
        """How many read events over HTTP."""
        return sum(isinstance(client, EventClient) for client in self.clients)

    async def ready(self) -> None:
        """Return when clients can be served."""
        await self._bus.connected()
        await self._all_listed.wait()

    def unready(self) -> str | None:
        """What is missing before clients can be served well."""
        if self.leaving:
            return "stopping"
        if not self._bus.is_connected:
            return "NATS is not connected"
        return self._reception.unready

    # What clients ask for.

    def welcome(self, client: Client, request: Request) -> Session | Response:
        outcome = self.admit(client, request, read_path(request.path, self.config.markets))
        return self._refuse(client, outcome) if isinstance(outcome, Refusal) else outcome

    def _refuse(self, client: Client, refusal: Refusal) -> Response:
        self.count_refusal(refusal.status)
        return client.refuse(refusal)

    def count_refusal(self, status: HTTPStatus) -> None:
        """A connection was refused, or cut off, before its WebSocket was open."""
        self.tally.refused[status.value] = self.tally.refused.get(status.value, 0) + 1

    def admit(self, client: Client, request: Request, path: Path | Refusal) -> Session | Refusal:
        """Let somebody in who wants what this path stands for."""
        if self.leaving:
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "this gateway stops; connect again, elsewhere if you can")
        guest = self.door.admit(request.path, request.headers, client.address)
        if isinstance(guest, Refusal):
            return guest
        if isinstance(path, Refusal):
            return path
        client.guest = guest
        identity = f"client_{time.time_ns() // 1_000_000}_{random.getrandbits(32):08x}"
        return self._reception.session(path, guest.pass_.grant, identity)

    def entered(self, client: Client) -> None:
        self.clients.add(client)
        self.door.entered(client.guest)
        self.tally.connections += 1

    def left(self, client: Client) -> None:
        self.clients.remove(client)
        self.door.left(client.guest)
        code = client.closed_with
        if code is not None:
            self.tally.closed[code] = self.tally.closed.get(code, 0) + 1

    def fetch_before(self, client: Client) -> None:
        session = client.session
        assert isinstance(session, NativeSession)
        if not client.listening.is_served:
            client.listening.is_served = True
            self._tasks.create_task(self._joins.serve(client.listening, session))

    def fetch_klines(self, client: Client, request: Klines) -> None:
        session = client.session
        assert isinstance(session, NativeSession)
        fetching = self._fetching.get(client, [])
        rows = request.limit or KLINES_DEFAULT
        if len(fetching) >= _KLINES_AT_ONCE:
            client.perform(session.klines_failed(request, "BUSY", f"more than {_KLINES_AT_ONCE} requests at once"))
            return
        if sum(fetching) + rows > MOST:
            client.perform(session.klines_failed(request, "BUSY", f"more than {MOST} candles at once"))
            return
        self._fetching.setdefault(client, []).append(rows)
        self._tasks.create_task(self._fetch(client, session, request))

    async def _fetch(self, client: Client, session: NativeSession, request: Klines) -> None:
        try:
            reply = await pages.together(self._bus, request)
            if not client.is_open:
                return
            if reply.code:
                client.perform(session.klines_failed(request, reply.code, reply.message, reply.retry_after))
            else:
                client.perform(session.klines_fetched(request, bytes(reply.rows)))
        finally:
            fetching = self._fetching[client]
            fetching.remove(request.limit or KLINES_DEFAULT)
            if not fetching:
                del self._fetching[client]

    def _refill(self, channel: Channel, key: Key) -> None:
        self._tasks.create_task(self._refill_and_flush(channel, key))

    async def _refill_and_flush(self, channel: Channel, key: Key) -> None:
        await self._refills.refill(channel, key)
        self.hub.flush()

    def count_unknown(self, market: Market, name: str) -> None:
        self.tally.unknown += 1
        key = (market, name[:200])  # a URL may hold 64 KB, and all of them go into one status message
        self._unknown[key] = None
        self._unknown.move_to_end(key)
        if len(self._unknown) > _UNKNOWN_KEPT:
            self._unknown.popitem(last=False)

    # What happens.

    def _listed(self, listing: Listing) -> None:
        before = self.listings.get(listing.market)
        self.listings[listing.market] = listing
        if self._reception.unready is None:
            self._all_listed.set()
        change = between(before, listing)
        if before is None or change or before.trading != listing.trading or before.pairs != listing.pairs:
            logger.info(
                "symbols listed",
                extra={"event": "symbols.listed", "market": listing.market, "trading": len(listing.trading)},
            )
            for client in self.clients:
                client.catalogue_changed(change)

    def after_read(self) -> None:
        """All messages of one read from the bus were handed out: write them."""
        self.hub.flush()
        self._delays.written()
        delay = self._gathering.delay(time.monotonic(), self.tally.delivered, len(self.clients))
        if delay:
            self._bus.rest(delay)

    def _wake_hub(self, delay: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        # The loop counts in milliseconds: a part of one too early would find nothing due.
        self._alarm = asyncio.get_running_loop().call_later(delay + 0.001, self.hub.release)

    async def leave(self, seconds: float, clock: Clock) -> None:
        """Take no more clients, and send away those who are here, spread over so many seconds."""
        self.leaving = True
        await self.clients.send_away(seconds, clock)

    def headway(self) -> Headway:
        """How far we are with what the bus brings."""
        return Headway(self.name, self.tally.delivered, len(self.hub.turn.slow))

    def gauges(self) -> Gauges:
        """What holds now."""
        return Gauges(
            clients=len(self.clients),
            sockets=len(self.sockets),
            tasks=len(asyncio.all_tasks()),
            subscriptions=self._bus.subscribed,
            channels=len(self.hub),
            listeners=sum(channel.listeners for channel in self.hub),
            slow_clients=len(self.hub.turn.slow),
            outbox_bytes=sum(outbox.held_bytes for outbox in self.hub.turn.slow),
            bus_connected=self._bus.is_connected,
            clients_by_token={name: count for name, count in self.door.names.items() if name},
        )

    def numbers(self) -> list[Family]:
        """What Prometheus is told of this gateway."""
        return [self._delays.hops.family(), *metrics.families(self.gauges(), self.tally)]

    def status(self) -> Status:
        """What `fsnats status` shows of this gateway."""
        return {
            "program": self.name,
            "kind": "gateway",
            "pid": os.getpid(),
            **self.vitals.status(),
            "lag": self._delays.hops.recent(),
            "ready": self.unready() or "yes",
            "simulated": any(listing.simulated for listing in self.listings.values()),
            "uptime": round(time.monotonic() - self._started, 1),
            **msgspec.to_builtins(self.gauges()),
            "counted": msgspec.to_builtins(self.tally),
            "unknown_names": [f"{market}:{name}" for market, name in self._unknown],
        }


def _rules(config: Config) -> Rules:
    return Rules(
        config.gateway_connections,
        config.gateway_connections_per_address,
        config.gateway_origins,
        Proxies(config.gateway_trusted_proxies),
    )
