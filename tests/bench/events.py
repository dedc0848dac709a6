"""Server-sent events: many readers of one gateway process, alone and beside some that never read."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.fleet import AGG_TRADE, Fleet
from tests.bench.processes import BenchError, Process
from tests.bench.report import Row, Values
from tests.bench.tools import Tool

_READERS, _DEAF, _STREAMS = 500, 50, 20
_RATE = 20  # events/s of each reader
_PATH = "/api/ws/sse/stream?streams=" + "/".join(f"sym{number:03}usdt@{AGG_TRADE}" for number in range(_STREAMS))
_TIMED = (
    _PATH + "&format=raw"
)  # Binance's payload has the time at which the bench sent it; the normalised form does not
_OUTBOX_BYTES = 1024 * 1024  # the gateway's default

TITLE = f"events: {_READERS} SSE readers x {_RATE} events/s of {_STREAMS} streams, one process"
ROWS = (
    Row("alone p50", "alone                    p50", "ms"),
    Row("alone p99", "                         p99", "ms", "≤ 50"),
    Row("beside p50", f"beside {_DEAF} that never read  p50", "ms"),
    Row("beside p99", "                         p99", "ms", "≤ 50"),
    Row("alone cpu", "the gateway's work alone", "CPU µs/event"),
    Row("beside cpu", "  beside them, by what the others get", "CPU µs/event"),
    Row("normalised cpu", "  normalised, as readers have it without format=raw", "CPU µs/event"),
    Row("lost", "lost by those who read", "events", "0"),
    Row("late", "sent over 1 ms late by the bench itself", "messages"),
)


def measure(tools: Path, quick: bool) -> Values:
    """One repetition."""
    values: Values = {"lost": 0.0, "late": 0.0}
    count = _RATE * (4 if quick else 10)
    with Fleet(tools, pinned=True) as fleet:
        gateway, publisher = fleet.gateway(), fleet.publisher(_STREAMS, AGG_TRADE)

        def run(what: str, path: str) -> None:
            with fleet.clients(_READERS, "events", path) as readers:
                _carry(gateway, publisher, readers, _RATE, values)  # warm
                before = gateway.cpu_us()
                sent, arrived = _carry(gateway, publisher, readers, count, values)
                values[f"{what} cpu"] = (gateway.cpu_us() - before) / (count * _READERS)
                values["late"] += sent
                if path == _TIMED:
                    values[f"{what} p50"], values[f"{what} p99"] = arrived

        run("alone", _TIMED)
        run("normalised", _PATH)
        with _company(fleet.gateway_port):
            # Then all of them are behind by their limit, and lose the oldest with each message that comes.
            publisher.ask(f"run 2000 {2 * _OUTBOX_BYTES // 300} 1")
            run("beside", _TIMED)
            slow = fleet.status("gateway")["slow_clients"]
            if not isinstance(slow, int) or slow < _DEAF:
                raise BenchError(f"those who never read are not behind: {gateway.last_words()}")
    return values


def _carry(
    gateway: Process, publisher: Tool, readers: Tool, count: int, values: Values
) -> tuple[int, tuple[float, float]]:
    """How many messages went late, and p50 and p99 in ms."""
    sent = publisher.ask(f"run {_RATE} {count} 1")
    arrived = readers.ask(f"heard {count * _READERS} 10")
    if arrived.closed:
        raise BenchError(f"{arrived.closed} readers were cut off: {gateway.last_words()}")
    values["lost"] += count * _READERS - arrived.messages
    return sent.late, (arrived.p50, arrived.p99)


@contextmanager
def _company(port: int) -> Iterator[None]:
    """Readers that ask for everything and read no event."""
    sockets = []
    try:
        for _ in range(_DEAF):
            deaf = socket.socket()
            sockets.append(deaf)
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
            deaf.connect(("127.0.0.1", port))
            deaf.sendall(f"GET {_PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            deaf.recv(16)  # it is let in
        yield
    finally:
        for deaf in sockets:
            deaf.close()
