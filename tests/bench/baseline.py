"""What the same fan-out costs without fsnats: the kernel's share alone, and websockets' `broadcast`."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.fleet import free_port
from tests.bench.processes import PEERS, UNDER_TEST
from tests.bench.report import Row, Values
from tests.bench.tools import Tool

TITLE = "baseline: the same 1,000 clients, 100 messages/s, 371 B a frame"
ROWS = (
    Row("sendloop", "one send() a client in C: the kernel's share", "CPU µs/delivered", "", "4.7"),
    Row("sendloop user", "  without the kernel's part", "CPU µs/delivered", "", "0.1"),
    Row("broadcast", "websockets' broadcast() on uvloop", "CPU µs/delivered", "", "8.6"),
    Row("broadcast user", "  without the kernel's part", "CPU µs/delivered", "", "2.9"),
    Row("lost", "lost, both", "messages", "0"),
)

_CLIENTS = 1_000
_BYTES = 367
_RATE = 100
_ROOT = Path(__file__).parents[2]


def measure(tools: Path, quick: bool) -> Values:
    """One repetition."""
    values: Values = {"lost": 0.0}
    servers = {
        "sendloop": [str(tools / "sendloop")],
        "broadcast": [sys.executable, "-P", "-m", "tests.bench.broadcast"],
    }
    for key, argv in servers.items():
        _measure(tools, key, argv, 200 if quick else 500, values)
    return values


def _measure(tools: Path, key: str, argv: list[str], messages: int, values: Values) -> None:
    port = free_port()
    environ = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(_ROOT)}
    with (
        TemporaryDirectory(prefix="fsnats-bench-") as folder,
        Tool(
            [*argv, str(port), str(_CLIENTS), str(_BYTES)],
            directory=Path(folder),
            environ=environ,
            cores=UNDER_TEST,
        ) as server,
    ):
        server.hear()
        arguments = [str(tools / "clients"), str(port), str(_CLIENTS), "count", "/"]
        with Tool(arguments, directory=Path(folder), cores=PEERS) as clients:
            server.hear()
            clients.hear()
            warm = server.ask(f"run {_RATE} {messages // 10} 1")
            clients.ask(f"until {messages // 10 * _CLIENTS * warm.frame_bytes} 5")
            cpu, user = server.cpu_us(), server.user_us()
            server.ask(f"run {_RATE} {messages} 1")
            delivered = messages * _CLIENTS
            arrived = clients.ask(f"until {delivered * warm.frame_bytes} 10")
            values[key] = (server.cpu_us() - cpu) / delivered
            values[f"{key} user"] = (server.user_us() - user) / delivered
            values["lost"] += delivered - arrived.bytes // warm.frame_bytes
