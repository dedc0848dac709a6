"""Fixtures that any test may use: the loop of the product, a hand-moved clock, a real NATS server, the recordings."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from fsnats.bus.nats import NatsBus
from tests.clock import HandClock

# Properties are about values: on a busy machine the default deadline of 200 ms fails at random.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

TESTS = Path(__file__).resolve().parent
END_TO_END = TESTS / "e2e"
RECORDINGS = TESTS.parents[1] / "shared" / "data"


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the loop that the product runs on."""
    return {"uvloop": uvloop.new_event_loop}


@cache
def shares(file: Path) -> bool:
    """Whether tests of this file share something that lives as long as the file, a fleet mostly."""
    text = file.read_text()
    return any(word in text for word in ('scope="module"', "browser: Browser"))


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Which tests go to one process where they run side by side (pytest -n): those that share something, since each
    process would start it again.  The groups of pytest-xdist itself do nothing with pytest 9.2 (its issue 1386)."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if shares(self.config.rootpath / file) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """End-to-end tests come last, and of these the ones that use a fleet of the whole run: each process starts that
    late, and they are short, so that all processes end together.  What cannot be spread comes before what can."""
    of_the_run = {item.path for item in items if any(used.scope == "session" for used in fixtures(item, "fleet"))}
    items.sort(key=lambda item: (END_TO_END in item.path.parents, item.path in of_the_run, not shares(item.path)))


def fixtures(item: pytest.Item, beginning: str = "") -> Iterator[pytest.FixtureDef[Any]]:
    """The fixtures that a test uses, of those whose names begin so."""
    if isinstance(item, pytest.Function):
        for name, overridden in item._fixtureinfo.name2fixturedefs.items():
            if name.startswith(beginning):
                yield overridden[-1]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def free_port() -> int:
    """A TCP port of the loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def nats_server() -> str:
    """The nats-server program: the bundled one, else the one on PATH."""
    bundled = Path(sys.executable).parent / "nats-server"
    program = str(bundled) if bundled.exists() else shutil.which("nats-server")
    assert program, "no nats-server: `make setup` installs one"
    return program


class NatsServer:
    """A real nats-server on a free port, with JetStream."""

    def __init__(self, directory: Path, *options: str) -> None:
        self._directory = directory
        self._options = options
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = self._directory / "nats.log"
        self._process = subprocess.Popen(
            [
                *(nats_server(), "-a", "127.0.0.1", "-p", str(self.port)),
                *("-js", "-sd", str(self._directory), "-l", str(log), *self._options),
            ]
        )
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5):
                    return
            except ConnectionRefusedError:
                assert self._process.poll() is None, log.read_text()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def bus(nats: NatsServer) -> AsyncIterator[NatsBus]:
    async with NatsBus([nats.url], "test", lambda: 0.0) as bus:
        await bus.connected()
        yield bus


async def eventually(condition: Callable[[], object], what: str = "", within: float = 20.0) -> None:
    """Return when `condition()` is true.  The pause between two looks decides nothing: only the condition does."""
    try:
        async with asyncio.timeout(within):
            while not condition():  # noqa: ASYNC110 # conditions lie in other processes too
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"never came true: {what or condition}") from None


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of recorded Binance messages; skipped where it is missing, failed where CI misses it."""
    if not RECORDINGS.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"CI needs the recordings in {RECORDINGS}")
        pytest.skip(f"no recordings in {RECORDINGS}")
    return RECORDINGS
