"""What an idle client costs the gateway: memory and CPU while it is connected, CPU while it connects."""

import time
from pathlib import Path

from tests.bench.fleet import Fleet
from tests.bench.processes import Process
from tests.bench.report import Row, Values

TITLE = "memory: one gateway, 2,000 idle clients, or 10,000"
ROWS = (
    Row("native", "native, connected", "KiB/client", "≤ 8", "1.6"),
    Row("native handshake", "  handshake and greeting", "CPU µs/client", "≤ 100", "20-35"),
    Row("binance", "Binance dialect, one stream", "KiB/client", "≤ 8", "1.6"),
    Row("binance handshake", "  handshake and subscription", "CPU µs/client", "≤ 100", "20-35"),
    Row("many", "10,000 native ones", "KiB/client", "≤ 8", "1.6"),
    Row("many handshake", "  handshake and greeting", "CPU µs/client", "≤ 100", "20-35"),
    Row("many idle", "  all of them, while nothing happens", "CPU ms/s"),
    Row("many p50", "  1,000 messages/s beside them, each to 50 clients  p50", "ms"),
    Row("many p99", "                                                    p99", "ms"),
    Row("base", "gateway without clients", "MiB", "", "20"),
)

_CLIENTS = 2_000
_MANY = 10_000
_READERS, _RATE = 50, 1_000
_SETTLE = 0.3  # seconds after the last handshake


def measure(tools: Path, quick: bool) -> Values:
    """One repetition."""
    values: Values = {}
    for key, what in (("native", ("/",)), ("binance", (1, "all"))):
        with Fleet(tools, pinned=True) as fleet:
            gateway = fleet.gateway()
            values["base"] = gateway.pss_kib() / 1024
            _connect(fleet, gateway, key, _CLIENTS, what, values)
    with Fleet(tools, pinned=True) as fleet:
        gateway, publisher = fleet.gateway(), fleet.publisher(1)
        _connect(fleet, gateway, "many", _MANY, ("/",), values)
        cpu = gateway.cpu_us()
        time.sleep(1 if quick else 3)
        values["many idle"] = (gateway.cpu_us() - cpu) / 1000 / (1 if quick else 3)
        readers = fleet.clients(_READERS, "latency", 1, "all")
        for count in (_RATE // 2, _RATE * (2 if quick else 5)):  # the first ones warm up
            frame_bytes = publisher.ask(f"run {_RATE} {count} 1").frame_bytes
            arrived = readers.ask(f"until {count * _READERS * frame_bytes} 5")
        values["many p50"], values["many p99"] = arrived.p50, arrived.p99
    return values


def _connect(fleet: Fleet, gateway: Process, key: str, count: int, what: tuple[object, ...], values: Values) -> None:
    # What the first clients make Python import and cache is not theirs.
    fleet.clients(20, "count", *what).end()
    time.sleep(_SETTLE)
    memory, cpu = gateway.pss_kib(), gateway.cpu_us()
    fleet.clients(count, "count", *what)
    values[f"{key} handshake"] = (gateway.cpu_us() - cpu) / count
    time.sleep(_SETTLE)
    values[key] = (gateway.pss_kib() - memory) / count
