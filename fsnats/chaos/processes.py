"""The programs under trouble: simulator and supervisor as processes, in a directory of their own.  Linux only."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from fsnats.binance.streams import Market
from fsnats.config import PREFIX
from fsnats.errors import Unavailable
from fsnats.notify import PROGRAM
from fsnats.process import SUPERVISOR_PID
from fsnats.rendezvous import URL_FILE
from fsnats.sources import ALIASES, FILE

_START = 60.0  # seconds for a start on a machine that does much else
_STOP = 10.0
_NOT_OURS = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", *ALIASES}
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Fleet:
    """`async with Fleet(…) as fleet`: all of it runs, and nothing of it is left afterwards."""

    def __init__(
        self, directory: Path, simulator: Sequence[str], settings: Mapping[str, object], *, with_gateway: bool = False
    ) -> None:
        """`simulator` are options of its command, `settings` fields of `Config`."""
        self._directory = directory
        self._arguments = simulator
        self._with_gateway = with_gateway
        self.port = _free_port()
        self.gateway_port = _free_port()  # where there is a gateway
        urls = {f"{market}_ws_url": f"ws://127.0.0.1:{self.port}/{market}" for market in Market} | {
            f"{market}_rest_url": f"http://127.0.0.1:{self.port}/{market}" for market in Market
        }
        self._state = str(directory / "state")
        self._settings: dict[str, object] = {
            "state_dir": self._state,
            "nats_port": _free_port(),
            "gateway_host": "127.0.0.1",
            "gateway_port": self.gateway_port,
            "proxy": "direct",
            "catalogue_refresh": 1,
            **urls,
            **settings,
        }
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    async def __aenter__(self) -> Self:
        (self._directory / "empty.toml").touch()  # so that no file of this machine counts
        try:
            self._start("simulator", "workers", "simulator", "--port", str(self.port), "--record", *self._arguments)
            await self._until_open(self.port)
            self._start("supervisor", "fsnats.supervisor", *(["--gateway"] if self._with_gateway else []))
            await self._until_published()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    @property
    def simulator(self) -> str:
        """The simulator's HTTP base."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def nats_url(self) -> str:
        """The embedded server."""
        return (Path(self._state) / URL_FILE).read_text().strip()

    def pids(self) -> dict[str, int]:
        """Everything that runs, by program name."""
        return dict(self._ours())

    def kill(self, program: str) -> None:
        """End a program with SIGKILL."""
        os.kill(self.pids()[program], signal.SIGKILL)

    def memory(self) -> dict[tuple[str, int], int]:
        """Resident bytes of every process, by program and pid."""
        sizes = {}
        for name, pid in self._ours():
            with suppress(OSError):  # it just ended
                sizes[name, pid] = _resident(str(pid))
        return sizes

    def log(self, program: str) -> str:
        """What a program and its children wrote."""
        return (self._directory / f"{program}.log").read_text(errors="replace")

    def _environ(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(PREFIX) and name.upper() not in _NOT_OURS
        }
        given = {PREFIX + name.upper(): str(value) for name, value in self._settings.items()}
        # The kernel ends whatever we start when we end, however that happens.
        ours = {FILE: str(self._directory / "empty.toml"), SUPERVISOR_PID: str(os.getpid())}
        return {**kept, **given, **ours}

    def _start(self, name: str, *arguments: str) -> None:
        with (self._directory / f"{name}.log").open("ab") as log:
            self._started[name] = subprocess.Popen(
                (sys.executable, "-P", "-m", *arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environ(),
                cwd=self._directory,
                start_new_session=True,
            )

    async def _until_open(self, port: int) -> None:
        deadline = time.monotonic() + _START
        while True:
            self._check(deadline)
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return

    async def _until_published(self) -> None:
        deadline = time.monotonic() + _START
        while not (Path(self._state) / URL_FILE).exists():
            self._check(deadline)
            await asyncio.sleep(0.05)

    def _check(self, deadline: float) -> None:
        for name, process in self._started.items():
            if process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"the {name} does not start: {self.log(name)[-500:]}")

    async def _stop(self) -> None:
        for process in reversed(self._started.values()):
            if process.poll() is None:
                process.terminate()
            try:
                await asyncio.to_thread(process.wait, _STOP)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        for _, pid in self._ours():
            os.kill(pid, signal.SIGKILL)

    def _ours(self) -> Iterator[tuple[str, int]]:
        mark = f"{PREFIX}STATE_DIR={self._state}"
        names = {process.pid: name for name, process in self._started.items()}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                environ = (entry / "environ").read_text(errors="replace").split("\0")
                dead = (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
                command = Path((entry / "cmdline").read_text(errors="replace").split("\0")[0]).name
            except OSError:  # it ended, or is somebody else's
                continue
            if mark in environ and not dead:
                told = next((line.partition("=")[2] for line in environ if line.startswith(f"{PROGRAM}=")), "")
                yield names.get(int(entry.name)) or told or command, int(entry.name)


def own_memory(name: str) -> dict[tuple[str, int], int]:
    """Resident bytes of this process, under a name."""
    return {(name, os.getpid()): _resident("self")}


def _resident(process: str) -> int:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
