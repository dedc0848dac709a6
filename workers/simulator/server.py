"""The simulator as one object: `async with Simulator(Settings()) as sim` serves a whole exchange on one port."""

import asyncio
import contextlib
from types import TracebackType
from typing import Any, Protocol, Self

from msgspec import structs

from fsnats.binance.streams import Market
from fsnats.clock import Clock, SystemClock
from fsnats.errors import BadCommand
from fsnats.symbols import TRADING
from fsnats.websocket.serve import listen, serving
from workers.simulator.connection import Connection
from workers.simulator.engine import Engine
from workers.simulator.exchange import Exchange
from workers.simulator.faults import Faults
from workers.simulator.http import App
from workers.simulator.hub import Channel, Hub
from workers.simulator.instruments import NEVER, instrument, universe
from workers.simulator.ledger import Ledger
from workers.simulator.limits import Counts, Dials, Weights
from workers.simulator.load import Load
from workers.simulator.market import Model
from workers.simulator.minutes import MINUTE
from workers.simulator.replay import Replay
from workers.simulator.rest import Rest
from workers.simulator.settings import Settings
from workers.simulator.victim import Rules, Victim
from workers.simulator.world import World

_LOAD_TICK = 0.01  # seconds; at 50,000 messages a second 500 are joined into one write


class Source(Protocol):
    """What produces events: the market at its cadences, a load, or a replay."""

    def opened(self, channel: Channel) -> None: ...

    def closed(self, channel: Channel) -> None: ...

    def turn(self, now: int) -> None: ...


class Simulator:
    """A simulated exchange.  Everything public here may be called while it runs, from its own event loop."""

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = clock or SystemClock()
        self.ledger = Ledger()
        self.hub = Hub(self.ledger, record=self.settings.record, stamp=self.settings.stamp, judged=self.settings.judged)
        self.dials = Dials(self.settings)
        self.weights = Weights(self.settings)
        self.counts = Counts()
        self.life = self.settings.life
        self.faults = Faults(self)
        self.port = self.settings.port
        self.replay = Replay(self.settings, self.hub, self.clock.monotonic) if self.settings.replay else None
        if self.replay is not None:
            listed = iter(self.replay.instruments())
        else:
            listed = universe(
                self.settings.seed,
                self.now(),
                history_days=self.settings.history_days,
                spot=self.settings.spot_symbols,
                usdm=self.settings.usdm_symbols,
            )
        self.exchange = Exchange(listed)
        self.world = World(self.exchange, Model(self.settings.seed))
        self._source = self._choose()
        self.hub.watcher = self._source
        self._connections: dict[int, Victim] = {}
        self._admitted = 0
        self._stack = contextlib.AsyncExitStack()

    def _choose(self) -> Source:
        if self.replay is not None:
            return self.replay
        if self.settings.rate > 0:
            return Load(self.world, self.hub, self.ledger, self.settings.rate, self.clock.monotonic)
        return Engine(self.world, self.hub)

    async def __aenter__(self) -> Self:
        listener = listen(self.settings.host, self.settings.port, "--port", shared=False)
        self.port = listener.getsockname()[1]
        app = App(self, self.replay.rest(self.world) if self.replay is not None else Rest(self.world))
        await self._stack.enter_async_context(serving(app, self._connect, listener, shutdown_timeout=1))
        tasks = await self._stack.enter_async_context(asyncio.TaskGroup())
        running = tasks.create_task(self._run())
        self._stack.callback(running.cancel)
        # Readers that do not read must not hold up the end.
        self._stack.callback(lambda: self.faults.cut())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    def _connect(self, connections: set[Any]) -> Connection:
        return Victim(connections, self)

    async def _run(self) -> None:
        tick = min(self.settings.tick, _LOAD_TICK) if self.settings.rate or self.replay else self.settings.tick
        while True:
            self.turn()
            await self.clock.sleep(tick)

    def turn(self) -> None:
        """Do everything that is due now; runs by itself every tick."""
        now, instant = self.now(), self.clock.monotonic()
        self._source.turn(now)
        self.hub.flush()
        for connection in list(self._connections.values()):
            connection.beat(instant, now)

    def now(self) -> int:
        """Milliseconds since 1970."""
        return self.clock.time_ns() // 1_000_000

    # Where it is.

    def ws_url(self, market: Market) -> str:
        """The WebSocket base of a market: append `/ws`, `/stream`, on USD-M after `/public` or `/market`."""
        return f"ws://{self.settings.host}:{self.port}/{market}"

    def rest_url(self, market: Market) -> str:
        """The REST base of a market: append `/api/v3/…`, `/fapi/v1/…` or `/dapi/v1/…`."""
        return f"http://{self.settings.host}:{self.port}/{market}"

    # What can be done to it.

    def list_symbol(self, market: Market, symbol: str, status: str = TRADING) -> None:
        """List a symbol from this minute on, or give a listed one this status."""
        known = self.exchange.get(market, symbol)
        if known is None:
            now = self.now() // MINUTE * MINUTE
            self.exchange.put(instrument(market, symbol, seed=self.settings.seed, listed=now, status=status))
        else:
            delivery = NEVER if status == TRADING else known.delivery
            self.exchange.put(structs.replace(known, status=status, delivery=delivery))
        self._announce(market, symbol)

    def delist_symbol(self, market: Market, symbol: str) -> None:
        """Stop a symbol's trading: its streams fall silent.  Raises BadCommand for a symbol that is not listed."""
        if self.exchange.rest(market, symbol, self.now()) is None:
            raise BadCommand("symbol", f"{symbol} is not listed on {market}")
        self._announce(market, symbol)

    def remove_symbol(self, market: Market, symbol: str) -> None:
        """Take a symbol that rests off the list, long after its delisting.  Raises BadCommand for any other."""
        if not self.exchange.remove(market, symbol):
            raise BadCommand("symbol", f"{symbol} does not rest on {market}")

    def _announce(self, market: Market, symbol: str) -> None:
        changed = self.exchange.get(market, symbol)
        if isinstance(self._source, Engine) and changed is not None:
            self._source.changed(changed, self.now())
            self.hub.flush()

    def start_replay(self) -> None:
        """Start a replay that waits.  Raises BadCommand where there is none."""
        if self.replay is None:
            raise BadCommand("replay", "this simulator replays nothing")
        self.replay.start()

    # What it knows.

    def snapshot(self) -> dict[str, object]:
        """The ledger as `GET /sim/ledger` shows it."""
        progress = self.replay.progress() if self.replay is not None else None
        return {"port": self.port, "now": self.now(), "replay": progress, **self.ledger.snapshot()}

    @property
    def rules(self) -> Rules:
        """The faults that hold for connections to come."""
        return self.faults

    def connected(self) -> dict[int, Victim]:
        """The open connections by id."""
        return self._connections

    def accepts(self) -> bool:
        """Whether new connections are let in."""
        return self.faults.accepting

    def admit(self, connection: Connection) -> int:
        """Enter an opened connection."""
        assert isinstance(connection, Victim)
        self._admitted += 1
        self._connections[self._admitted] = connection
        self.ledger.connections[self._admitted] = connection.record
        connection.muted = self.faults.muted
        return self._admitted

    def dismiss(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        del self._connections[connection.record.id]
        self.ledger.closed.append(self.ledger.connections.pop(connection.record.id))
