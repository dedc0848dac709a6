"""fsnats itself, as it runs in earnest: nats-server, one worker, one gateway, each started by its real command."""

import asyncio
import http.client
import os
import random
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self, TypeVar

from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.config import Config
from fsnats.errors import FsnatsError
from fsnats.groups import Group
from fsnats.process import SUPERVISOR_PID
from fsnats.sources import FILE
from fsnats.status import Status, ask
from fsnats.supervisor import natsd
from fsnats.supervisor.catalogue import Catalogue
from fsnats.supervisor.replay import ReplayKeeper
from fsnats.symbols import TRADING, Listing, Symbol
from tests.bench.processes import ANYWHERE, PEERS, UNDER_TEST, BenchError, Process
from tests.bench.tools import Tool

STREAMS = 200  # one kline stream for each of as many symbols
SYMBOLS = [f"SYM{number:03}USDT" for number in range(STREAMS)]

KLINE, AGG_TRADE = "kline_1m", "aggTrade"  # what the load tools can send

_READY = 20.0  # seconds for any part to become ready
_ASKED = 10  # times, of a part that may be busy

T = TypeVar("T")
P = TypeVar("P", bound=Process)


def free_port() -> int:
    """A free TCP port below those that outgoing connections take."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Fleet:
    """A NATS server with a filled catalogue; parts are added as a benchmark needs them.  A context manager.

    `pinned` gives the process under test a core of its own.  `tools` is where the load tools lie.
    """

    def __init__(self, tools: Path, *, pinned: bool) -> None:
        self._tools = tools
        self._pinned = pinned
        self._folder = TemporaryDirectory(prefix="fsnats-bench-")
        self._directory = Path(self._folder.name)
        self._parts: list[Process] = []
        self._feed_port = free_port()
        self.gateway_port = free_port()
        # Nothing of this machine's own configuration is to be measured.
        (self._directory / "fsnats.toml").touch()
        self._environ = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._directory),
            SUPERVISOR_PID: str(os.getpid()),
            FILE: str(self._directory / "fsnats.toml"),
        }
        self._config = Config(nats_port=free_port(), markets=(Market.SPOT,), state_dir=str(self._directory))

    def __enter__(self) -> Self:
        try:
            self.nats = self._start_nats()
            self._with_bus(_fill)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        for part in reversed(self._parts):
            part.end()
        self._folder.cleanup()

    # The product.

    def _start_nats(self) -> Process:
        embedded = natsd.prepare(self._config, self._directory, self._environ)
        program = embedded.program
        nats = self._add(
            Process(program.argv, directory=self._directory, environ=program.environ, cores=self._cores(PEERS))
        )
        self._until(nats, lambda: asyncio.run(natsd.answers(embedded.port)))
        self._url = embedded.url
        return nats

    def worker(self, always: str = "", *, module: str = "workers") -> Process:
        """Start the worker.  It carries every stream of the kind `always`, besides what the gateway's clients want."""
        settings = {"FSNATS_SPOT_WS_URL": f"ws://127.0.0.1:{self._feed_port}"}
        if always:
            settings["FSNATS_ALWAYS"] = f"spot:*@{always}"
        return self._python([module, "ingest", "--market", "spot", "--group", "0"], settings)

    def gateway(self) -> Process:
        """Start the gateway and return when it serves clients."""
        gateway = self._python(["gateway", "--port", str(self.gateway_port)], {"FSNATS_GATEWAY_HOST": "127.0.0.1"})
        self._until(gateway, self._serves)
        return gateway

    def _serves(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway_port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def status(self, kind: str) -> Status:
        """What the part of this kind (`ingest`, `gateway`) says of itself."""

        async def all_of_them(bus: NatsBus) -> list[Status]:
            return await ask(bus, "_INBOX.bench", 0.3)

        for _ in range(_ASKED):
            for status in self._with_bus(all_of_them):
                if status["kind"] == kind:
                    return status
        raise BenchError(f"the {kind} process does not tell its status")

    # The load.

    def exchange(self, kind: str = KLINE) -> Tool:
        """Start the exchange that the worker connects to."""
        return self._tool("feed", "ws", self._feed_port, STREAMS, kind)

    def subscribed(self, exchange: Tool, worker: Process) -> None:
        """Return when the worker has subscribed every stream at the exchange."""
        count = exchange.ask(f"subscribed {STREAMS} {_READY}", _READY + 5).subscribed
        if count < STREAMS:
            raise BenchError(f"the worker subscribed {count} of {STREAMS} streams: {worker.last_words()}")

    def publisher(self, streams: int, kind: str = KLINE) -> Tool:
        """Start a stand-in for the worker that publishes this many streams."""
        return self._tool("feed", "bus", self._config.nats_port, streams, kind)

    def tap(self, kind: str = KLINE) -> Tool:
        """Start a reader of everything that is published."""
        return self._tool("tap", self._config.nats_port, STREAMS, kind)

    def clients(self, count: int, mode: str, *what: object, port: int = 0) -> Tool:
        """Open WebSocket clients; returns when they are connected.  See `load/clients.c`."""
        return self._tool("clients", port or self.gateway_port, count, mode, *what)

    def storm(self, path: str) -> Tool:
        """Have WebSocket clients ready that come and go.  See `load/storm.c`."""
        return self._tool("storm", self.gateway_port, path)

    def _tool(self, name: str, *arguments: object) -> Tool:
        argv = [str(self._tools / name), *map(str, arguments)]
        tool = self._add(Tool(argv, directory=self._directory, cores=self._cores(PEERS)))
        tool.hear()
        return tool

    # How.

    def _python(self, arguments: list[str], settings: dict[str, str]) -> Process:
        environ = {**self._environ, "FSNATS_NATS_URL": self._url, "FSNATS_MARKETS": "spot", **settings}
        argv = [sys.executable, "-P", "-m", *arguments]
        return self._add(Process(argv, directory=self._directory, environ=environ, cores=self._cores(UNDER_TEST)))

    def _add(self, part: P) -> P:
        self._parts.append(part)
        return part

    def _cores(self, cores: Iterable[int]) -> Iterable[int]:
        return cores if self._pinned else ANYWHERE

    def _until(self, part: Process, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _READY
        while not condition():
            if not part.is_running or time.monotonic() > deadline:
                raise BenchError(f"{part.name} does not become ready: {part.last_words()}")
            time.sleep(0.02)

    def _with_bus(self, use: Callable[[NatsBus], Awaitable[T]]) -> T:
        async def connected() -> T:
            async with NatsBus([self._url], "bench", random.random) as bus:
                await bus.connected()
                return await use(bus)

        try:
            return asyncio.run(connected())
        except FsnatsError as error:
            raise BenchError(str(error)) from error


async def _fill(bus: NatsBus) -> None:
    await ReplayKeeper(Config(markets=(Market.SPOT,))).ensure(bus)
    catalogue = Catalogue(bus)
    await catalogue.open()
    symbols = [Symbol(name, name, "", TRADING) for name in SYMBOLS]
    await catalogue.put_listing(Listing(Market.SPOT, 0, True, symbols))
    await catalogue.put_groups([Group(Market.SPOT, 0, SYMBOLS, [], lead=True)])
