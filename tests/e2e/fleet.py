"""A whole fleet for one test: simulator, supervisor with its children, gateways; real processes on free ports.

`with Fleet(directory) as fleet:` returns when the fleet serves and leaves nothing behind, however the test ends: every
process carries a mark in its environment by which it is found again, and dies with the test run itself.
"""

import contextlib
import itertools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fsnats.binance.streams import CONTRACT_INFO, Market
from fsnats.config import PREFIX, Config
from fsnats.notify import PROGRAM
from fsnats.process import SUPERVISOR_PID
from fsnats.rendezvous import URL_FILE
from fsnats.sources import ALIASES

_MARK = "E2E_FLEET"  # in the environment of everything that a fleet starts, directly or not
_START = 60.0  # seconds for a start on a machine that does much else
_TAIL = 30  # lines of each log that a failed test shows
_EPHEMERAL = 32768  # ports from here on the kernel may hand to any connection between our look and our use
_OF_OTHERS = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", *ALIASES}

_candidates = itertools.cycle(range(10_000 + os.getpid() * 89 % 20_000, _EPHEMERAL))
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    """A TCP port of the loopback that nobody uses now, and that no outgoing connection will take meanwhile."""
    for port in itertools.islice(_candidates, 1000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise AssertionError("no free port")


def get(url: str, method: str = "GET") -> tuple[int, str]:
    """The status and text of an HTTP reply; status 0 where nobody listens."""
    try:
        with _opener.open(urllib.request.Request(url, method=method), timeout=10) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def wait_for(condition: Callable[[], object], what: str, within: float = _START) -> None:
    """Return when `condition()` is true.  For code outside of an event loop; inside, `tests.e2e.client.until`."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        time.sleep(0.02)


def clean_environment() -> dict[str, str]:
    """Our environment without anything that would configure the product."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(PREFIX) and name.upper() not in _OF_OTHERS
    }


class Process:
    """A program that was started, and its log."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        environ: Mapping[str, str],
        directory: Path,
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        # Working in its own directory, it finds no fsnats.toml and no .env of ours.
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                argv,
                stdin=stdin,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environ,
                cwd=directory,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._popen.poll()

    def type(self, line: str) -> None:
        """Write a line to its standard input, for one started with a pipe there."""
        assert self._popen.stdin is not None
        self._popen.stdin.write(f"{line}\n".encode())
        self._popen.stdin.flush()

    def signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        self._popen.send_signal(number)

    def wait(self) -> None:
        """Return when it has ended by itself."""
        self._popen.wait(_START)

    def kill(self) -> None:
        """End it at once, its process group too, and wait for that."""
        if self.status is None:
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        if self._popen.stdin is not None:
            self._popen.stdin.close()

    def said(self) -> str:
        """All it wrote so far."""
        return self.log.read_text(errors="replace")


class _Readiness:
    """The listener of a program's READY=1, as systemd is one."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"fsnats-e2e-{secrets.token_hex(8)}"
        self._socket.bind(f"\0{name}")
        self._socket.settimeout(0.05)
        self.address = f"@{name}"

    def wait(self, process: Process) -> None:
        deadline = time.monotonic() + _START
        while True:
            assert process.status is None, f"{process.name} ended with status {process.status}: {process.said()}"
            assert time.monotonic() < deadline, f"{process.name} is not ready: {process.said()}"
            with contextlib.suppress(TimeoutError):
                if "READY=1" in self._socket.recv(4096).decode().splitlines():
                    return

    def close(self) -> None:
        self._socket.close()


class Fleet:
    """What one test runs.

    `simulator` and `supervisor` are arguments of their commands, None for not starting one; `settings` are fields of
    `Config`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        simulator: Sequence[str] | None = (),
        supervisor: Sequence[str] | None = ("--gateway",),
        **settings: object,
    ) -> None:
        self.directory = directory
        self._mark = secrets.token_hex(8)
        self._simulator_arguments = simulator
        self._supervisor_arguments = supervisor
        self.simulator_port = free_port()
        self.gateway_port = free_port()
        self.metrics_port = free_port()
        self._settings: dict[str, object] = {
            "state_dir": directory / "state",
            "nats_port": free_port(),
            "gateway_host": "127.0.0.1",
            "gateway_port": self.gateway_port,
            "metrics_port": self.metrics_port,
            "proxy": "direct",
        }
        if simulator is not None:
            for market in Market:
                self._settings[f"{market}_ws_url"] = f"ws://127.0.0.1:{self.simulator_port}/{market}"
                self._settings[f"{market}_rest_url"] = f"http://127.0.0.1:{self.simulator_port}/{market}"
        self._settings |= settings
        unknown = self._settings.keys() - set(Config.__struct_fields__)
        assert not unknown, f"no such settings: {unknown}"
        self._started: list[Process] = []
        self.simulator: Process
        self.supervisor: Process

    # Its life.

    def __enter__(self) -> Self:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            if self._simulator_arguments is not None:
                self.start_simulator()
            if self._supervisor_arguments is not None:
                self.start_supervisor()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._started:
            process.kill()
        # Orphans, if the product leaves some: this is the test run's promise, not the product's.
        for pid in self.pids().values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self.pids(), "everything is gone", within=10)
        for process in self._started:  # shown by pytest when the test failed
            tail = "\n".join(process.said().splitlines()[-_TAIL:])
            sys.stdout.write(f"--- {process.name}\n{tail}\n")

    def environ(self, **settings: object) -> dict[str, str]:
        """The environment of this fleet's programs."""
        empty = self.directory / "empty.toml"  # so that no file of this machine counts
        empty.touch()
        return {
            **clean_environment(),
            **{PREFIX + name.upper(): str(value) for name, value in {**self._settings, **settings}.items()},
            f"{PREFIX}CONFIG": str(empty),
            _MARK: self._mark,
            # The kernel ends whatever we start when we end, however that happens.
            SUPERVISOR_PID: str(os.getpid()),
        }

    def start(self, name: str, *arguments: str, environ: Mapping[str, str] | None = None) -> Process:
        """Start `python -P -m <arguments>` as part of this fleet.  From the main thread only: children follow it."""
        argv = (sys.executable, "-P", "-m", *arguments)
        process = Process(name, argv, self.environ() if environ is None else environ, self.directory)
        self._started.append(process)
        return process

    @contextlib.contextmanager
    def beside(self, *argv: str, **environ: str) -> Iterator[Process]:
        """Run any program, a client say, for as long as the block."""
        name = f"{Path(argv[0]).name}-{len(self._started)}"
        marked = {**clean_environment(), _MARK: self._mark, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", **environ}
        process = Process(name, argv, marked, self.directory, subprocess.PIPE)
        self._started.append(process)
        try:
            yield process
        finally:
            process.kill()

    def start_simulator(self) -> None:
        """Start the exchange, and wait for it."""
        assert self._simulator_arguments is not None
        port = str(self.simulator_port)
        self.simulator = self.start("simulator", "workers", "simulator", "--port", port, *self._simulator_arguments)
        self._await_http(self.simulator, f"http://127.0.0.1:{port}/sim/ledger")

    def start_supervisor(self) -> None:
        """Start the supervisor, and wait until it says that all is ready."""
        readiness = _Readiness()
        try:
            environ = {**self.environ(), "NOTIFY_SOCKET": readiness.address}
            arguments = self._supervisor_arguments or ()
            self.supervisor = self.start("supervisor", "fsnats.supervisor", *arguments, environ=environ)
            readiness.wait(self.supervisor)
        finally:
            readiness.close()
        if "--gateway" in arguments:
            self._await_http(self.supervisor, f"{self.http}/readyz")

    def start_gateway(self, port: int, **settings: object) -> Process:
        """Start one more gateway by hand, with other settings than the fleet's.  It serves when its /readyz says so."""
        name, environ = f"gateway-{port}-{len(self._started)}", self.environ(**settings)
        return self.start(name, "gateway", "--port", str(port), environ=environ)

    def serve_gateway(self, port: int, **settings: object) -> Process:
        """The same, and wait until it serves."""
        gateway = self.start_gateway(port, **settings)
        self._await_http(gateway, f"http://127.0.0.1:{port}/readyz")
        return gateway

    def _await_http(self, process: Process, url: str) -> None:
        def serves() -> bool:
            assert process.status is None, f"{process.name} ended with {process.status}: {process.said()}"
            return get(url)[0] == 200

        wait_for(serves, f"{url} serves")

    # Where it is.

    @property
    def http(self) -> str:
        """The gateway's HTTP base."""
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def watch(self) -> str:
        """The supervisor's HTTP base."""
        return f"http://127.0.0.1:{self.metrics_port}"

    @property
    def ws(self) -> str:
        """The gateway's WebSocket base."""
        return f"ws://127.0.0.1:{self.gateway_port}"

    @property
    def nats_url(self) -> str:
        """The bus, as other programs of the machine find it."""
        return (self.directory / "state" / URL_FILE).read_text().strip()

    # What is known of it.

    def pids(self) -> dict[str, int]:
        """Everything that runs on behalf of this fleet, also what lost its parent.

        By program name: the one that the supervisor or we gave it, else that of its command.
        """
        return dict(self._marked())

    def pid(self, program: str) -> int:
        """The process that runs a program now; waits for one that is being started."""
        wait_for(lambda: program in self.pids(), f"{program} runs, of {sorted(self.pids())}")
        return self.pids()[program]

    def kill(self, program: str) -> int:
        """End a program with SIGKILL; returns its process id."""
        pid = self.pid(program)
        os.kill(pid, signal.SIGKILL)
        return pid

    def _marked(self) -> Iterator[tuple[str, int]]:
        names = {process.pid: process.name for process in self._started}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                environ = dict(item.partition("=")[::2] for item in (entry / "environ").read_text().split("\0"))
                is_dead = (entry / "stat").read_text().rpartition(")")[2].split()[0] in "ZX"
                command = Path((entry / "cmdline").read_text().split("\0")[0]).name
            except OSError:  # it ended, or is somebody else's
                continue
            if environ.get(_MARK) == self._mark and not is_dead:
                pid = int(entry.name)
                yield names.get(pid) or environ.get(PROGRAM) or command, pid

    def ledger(self) -> dict[str, Any]:
        """What the exchange did and saw."""
        status, text = get(f"http://127.0.0.1:{self.simulator_port}/sim/ledger")
        assert status == 200, text
        ledger: dict[str, Any] = json.loads(text)
        return ledger

    def tell_simulator(self, control: str) -> None:
        """Control the exchange, e.g. `faults/cut`."""
        status, text = get(f"http://127.0.0.1:{self.simulator_port}/sim/{control}", "POST")
        assert status == 200, text

    def subscribed(self, market: Market) -> list[str]:
        """The streams that open connections to the exchange carry now, each as often as it was subscribed.

        Without the one that the lead worker of a futures market always carries.
        """
        return sorted(
            name
            for connection in self.ledger()["connections"]
            if connection["market"] == market
            for name in connection["streams"]
            if name != CONTRACT_INFO
        )

    def carries(self, market: Market, *streams: str) -> bool:
        """Whether the exchange serves exactly these streams, each exactly once."""
        return self.subscribed(market) == sorted(streams)
