"""The gateway beside what else could send the same to the same clients: the kernel's share alone, and other servers."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from tests.bench.fleet import KLINE, Fleet, free_port
from tests.bench.processes import PEERS, UNDER_TEST, BenchError, Process
from tests.bench.report import Row, Values
from tests.bench.rivals import environment
from tests.bench.tools import Tool

TITLE = "peers: side by side, 371 B a frame, CPU per delivered message"

_BYTES = 367
_RIVALS = Path(__file__).parent / "rivals"
_ROOT = Path(__file__).parents[2]
_IDLE = 0.3  # seconds in which a server's idling is measured: one of them polls
_READY = 10.0  # seconds


class _Load(NamedTuple):
    """What every client gets.  The rivals send it once to all; the gateway gets it on so many streams."""

    key: str
    what: str
    clients: int
    streams: int
    rate: int
    messages: int


_LOADS = (
    _Load("1000", "1,000 clients, 100/s", 1000, 1, 100, 200),
    _Load("dashboards", "100 clients, 90 streams x 10/s", 100, 90, 900, 1800),
    _Load("million", "1,000 clients, 50 streams x 20/s: 1,000,000/s", 1000, 50, 1000, 2000),
)
_SERVERS = {
    "sendloop": "one send() a client in C",
    "gateway": "fsnats gateway, fed by NATS",
    "broadcast": "websockets' broadcast()",
    "starlette": "Starlette on uvicorn",
    "ws": "Node's ws",
    "socketify": "socketify (uWebSockets)",
    "nats": "nats-server's own listener",
}
_GOALS = {"dashboards": "≤ 1.0", "million": "≤ 0.6"}


def _rows(load: _Load) -> Iterator[Row]:
    for key, what in _SERVERS.items():
        goal = _GOALS.get(load.key, "") if key == "gateway" else ""
        yield Row(f"{load.key} {key}", f"{load.what}: {what}", "CPU µs/delivered", goal)
    yield Row(
        f"{load.key} ratio", "  the gateway / the C loop just before it", "", "≤ 1.15" if load.streams == 1 else ""
    )
    yield Row(f"{load.key} rate", "  the gateway delivered", "1/s")
    yield Row(f"{load.key} p99", "  p99 of the gateway's, one client in fifty", "ms")


ROWS = (*(row for load in _LOADS for row in _rows(load)), Row("lost", "lost or closed by the gateway", "messages", "0"))


def measure(tools: Path, quick: bool) -> Values:
    """One repetition."""
    values: Values = {"lost": 0.0}
    python, (node, packages) = environment.python(), environment.node()
    servers = {
        "broadcast": [sys.executable, "-P", str(_RIVALS / "broadcast_server.py")],
        "starlette": [python, "-P", str(_RIVALS / "starlette_server.py")],
        "ws": [node, str(_RIVALS / "ws_server.mjs")],
        "socketify": [python, "-P", str(_RIVALS / "socketify_server.py")],
    }
    for load in _LOADS:
        for key, argv in servers.items():
            values[f"{load.key} {key}"] = _rival(tools, argv, packages, load)
        values[f"{load.key} nats"] = _nats(tools, load)
        values[f"{load.key} sendloop"] = _rival(tools, [str(tools / "sendloop")], packages, load)
        _gateway(tools, load, 1 if quick else 2, values)
        values[f"{load.key} ratio"] = values[f"{load.key} gateway"] / values[f"{load.key} sendloop"]
    return values


def _rival(tools: Path, argv: list[str], directory: Path, load: _Load) -> float:
    port = free_port()
    # At full speed some take minutes for what others do in two seconds: a fifth tells the cost as well.
    messages = load.messages if load.clients * load.rate < 500_000 else load.messages // 5
    environ = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(directory)}
    command = [*argv, str(port), str(load.clients), str(_BYTES)]
    with Tool(command, directory=directory, environ=environ, cores=UNDER_TEST) as server:
        server.hear()
        with _counting(tools, directory, port, load.clients, "/") as clients:
            server.hear()
            clients.hear()
            warm = server.ask(f"run {load.rate} {messages // 10} 1")
            clients.ask(f"until {messages // 10 * load.clients * warm.frame_bytes} 20")
            before = server.cpu_us()
            time.sleep(_IDLE)
            idle = (server.cpu_us() - before) / _IDLE
            cpu, start = server.cpu_us(), time.monotonic()
            server.ask(f"run {load.rate} {messages} 1", 120)
            arrived = clients.ask(f"until {messages * load.clients * warm.frame_bytes} 60", 120)
            spent = server.cpu_us() - cpu
            # Polling counts as idling only for as long as the server had nothing to do.
            busy = min(1.0, spent / 1e6 / (time.monotonic() - start))
            return (spent - idle * (1 - busy)) / max(arrived.bytes // warm.frame_bytes, 1)


@contextmanager
def _counting(tools: Path, directory: Path, port: int, count: int, *what: str) -> Iterator[Tool]:
    command = [str(tools / "clients"), str(port), str(count), "count", *what]
    with Tool(command, directory=directory, cores=PEERS) as clients:
        yield clients


def _nats(tools: Path, load: _Load) -> float:
    """A nats-server whose clients speak NATS over WebSocket."""
    port, listener = free_port(), free_port()
    with TemporaryDirectory(prefix="fsnats-bench-") as folder:
        directory = Path(folder)
        settings = {
            "host": "127.0.0.1",
            "port": port,
            "websocket": {"host": "127.0.0.1", "port": listener, "no_tls": True, "compression": False},
            "write_deadline": "60s",
        }
        (directory / "nats.conf").write_bytes(msgspec.json.encode(settings))
        program = Path(sys.executable).parent / "nats-server"
        command = [str(program), "--config", str(directory / "nats.conf")]
        with Process(command, directory=directory, environ={"GOMAXPROCS": "1"}, cores=UNDER_TEST) as server:
            _until_listening(server, listener)
            publish = [str(tools / "feed"), "bus", str(port), str(load.streams), KLINE]
            with (
                Tool(publish, directory=directory, cores=PEERS) as publisher,
                _counting(tools, directory, listener, load.clients, "nats") as clients,
            ):
                publisher.hear()
                clients.hear()
                clients.ask("until 1000000000000 0.3")  # their greetings
                warm = load.messages // 10
                publisher.ask(f"run {load.rate} {warm} 1", 120)
                size = clients.ask("until 1000000000000 2").bytes // warm // load.clients
                cpu = server.cpu_us()
                publisher.ask(f"run {load.rate} {load.messages} 1", 120)
                delivered = load.messages * load.clients
                # The server also pings them: by bytes alone the end is not to be told exactly.
                arrived = clients.ask(f"until {int(delivered * size * 0.99)} 60", 120)
                return (server.cpu_us() - cpu) / min(delivered, max(arrived.bytes // size, 1))


def _until_listening(server: Process, port: int) -> None:
    deadline = time.monotonic() + _READY
    while time.monotonic() < deadline and server.is_running:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise BenchError(f"nats-server does not listen: {server.last_words()}")


def _gateway(tools: Path, load: _Load, times: int, values: Values) -> None:
    messages = load.messages * times
    for mode in ("count", "sample"):
        with Fleet(tools, pinned=True) as fleet:
            gateway = fleet.gateway()
            publisher = fleet.publisher(load.streams)
            clients = fleet.clients(load.clients, mode, load.streams, "all")
            frame_bytes = publisher.ask(f"run {load.rate} {messages // 10} 1").frame_bytes
            clients.ask(f"until {messages // 10 * load.clients * frame_bytes} 5")
            cpu, start = gateway.cpu_us(), time.monotonic()
            publisher.ask(f"run {load.rate} {messages} 1")
            arrived = clients.ask(f"until {messages * load.clients * frame_bytes} 10")
            if mode == "sample":
                values[f"{load.key} p99"] = arrived.p99
                continue
            delivered = arrived.bytes // frame_bytes
            values[f"{load.key} gateway"] = (gateway.cpu_us() - cpu) / max(delivered, 1)
            values[f"{load.key} rate"] = delivered / (time.monotonic() - start)
            values["lost"] += messages * load.clients - delivered + arrived.closed
