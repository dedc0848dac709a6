"""Crowds that come and go while others read, what they leave behind, and one client that joins a thousand streams."""

import time
from pathlib import Path

from tests.bench.fleet import SYMBOLS, Fleet
from tests.bench.native import Native
from tests.bench.processes import Process
from tests.bench.report import Row, Values
from tests.bench.tools import Tool

_RATE = 2_000  # visits a second
_READERS, _MESSAGES = 50, 200  # who read everything, and how many of those come a second
_KINDS = ("trade", "aggTrade", "depth", "bookTicker", "ticker")
_NAMES = [f"{symbol.lower()}@{kind}" for kind in _KINDS for symbol in SYMBOLS]
_COUNTS = ("clients", "sockets", "tasks", "subscriptions", "channels", "listeners")
_SETTLE = 2.0  # seconds: a stream that nobody wants any more lingers for one

TITLE = f"storm: {_RATE:,} WebSockets a second that come and go in five ways, beside {_READERS} clients"
ROWS = (
    Row("rate", "visits", "1/s", "2,000"),
    Row("cpu", "  the gateway's work", "CPU µs/visit"),
    Row("p50", "  from connecting to the handshake's answer  p50", "ms"),
    Row("p99", "                                             p99", "ms"),
    Row("failed", "  refused or cut off", "visits", "0"),
    Row("left", f"  left behind: {', '.join(_COUNTS)}", "", "0"),
    Row("memory", "  and memory, from the first quarter to the end", "KiB"),
    Row("alone p99", "the clients' p99 before", "ms"),
    Row("beside p99", "                 during", "ms"),
    Row("join", f"one client joins {len(_NAMES):,} streams: acknowledged after", "ms"),
    Row("join cpu", "  the gateway's work", "CPU ms"),
    Row("leave", "  and leaves them: acknowledged after", "ms"),
    Row("leave cpu", "  the gateway's work", "CPU ms"),
)


def measure(tools: Path, quick: bool) -> Values:
    """One repetition."""
    values: Values = {}
    seconds = 6 if quick else 30
    with Fleet(tools, pinned=True) as fleet:
        gateway, publisher = fleet.gateway(), fleet.publisher(1)
        readers, storm = fleet.clients(_READERS, "latency", 1, "all"), fleet.storm("/")
        _read(publisher, readers, 1)
        values["alone p99"] = _read(publisher, readers, 2)
        storm.ask(f"visit {_RATE} {seconds / 4}", 120)
        time.sleep(_SETTLE)
        before, memory, cpu = _left(fleet), gateway.pss_kib(), gateway.cpu_us()
        storm.say(f"visit {_RATE} {seconds}")
        values["beside p99"] = _read(publisher, readers, seconds - 2)
        came = storm.hear(120)
        values["cpu"] = (gateway.cpu_us() - cpu) / came.opened  # with that for the readers
        values["rate"] = came.opened / came.seconds
        values["p50"], values["p99"], values["failed"] = came.p50, came.p99, came.failed
        time.sleep(_SETTLE)
        values["left"] = _left(fleet) - before
        values["memory"] = gateway.pss_kib() - memory
        _join(fleet, gateway, values)
    return values


def _read(publisher: Tool, readers: Tool, seconds: int) -> float:
    """Let messages come for so long; their p99 in ms."""
    count = _MESSAGES * seconds
    frame_bytes = publisher.ask(f"run {_MESSAGES} {count} 1", 120).frame_bytes
    return readers.ask(f"until {count * _READERS * frame_bytes} 10").p99


def _left(fleet: Fleet) -> int:
    status = fleet.status("gateway")
    return sum(int(str(status[name])) for name in _COUNTS)


def _join(fleet: Fleet, gateway: Process, values: Values) -> None:
    """A native client that joins a thousand streams, and leaves them again."""
    with Native(fleet.gateway_port) as client:
        for key, kind in (("join", "subscribe"), ("leave", "unsubscribe")):
            cpu, start = gateway.cpu_us(), time.monotonic()
            client.ask(type=kind, rawStreams=_NAMES, id=4711)
            client.hear(b'"id":4711}')
            values[key] = (time.monotonic() - start) * 1000
            time.sleep(_SETTLE)
            values[f"{key} cpu"] = (gateway.cpu_us() - cpu) / 1000
