"""What an idle client costs the gateway: memory while it is connected, CPU while it connects."""

import time
from pathlib import Path

from tests.bench.fleet import Fleet
from tests.bench.report import Row, Values

TITLE = "memory: one gateway, 2,000 idle clients"
ROWS = (
    Row("native", "native, connected", "KiB/client", "≤ 8", "1.6"),
    Row("native handshake", "  handshake and greeting", "CPU µs/client", "≤ 100", "20-35"),
    Row("binance", "Binance dialect, one stream", "KiB/client", "≤ 8", "1.6"),
    Row("binance handshake", "  handshake and subscription", "CPU µs/client", "≤ 100", "20-35"),
    Row("base", "gateway without clients", "MiB", "", "20"),
)

_CLIENTS = 2_000
_SETTLE = 0.3  # seconds after the last handshake


def measure(tools: Path, quick: bool) -> Values:
    """One repetition."""
    values: Values = {}
    for key, what in (("native", ("/",)), ("binance", (1, "all"))):
        with Fleet(tools, pinned=True) as fleet:
            gateway = fleet.gateway()
            # What the first clients make Python import and cache is not theirs.
            fleet.clients(20, "count", *what).end()
            time.sleep(_SETTLE)
            memory, cpu = gateway.pss_kib(), gateway.cpu_us()
            fleet.clients(_CLIENTS, "count", *what)
            spent = gateway.cpu_us() - cpu
            time.sleep(_SETTLE)
            values[key] = (gateway.pss_kib() - memory) / _CLIENTS
            values[f"{key} handshake"] = spent / _CLIENTS
            values["base"] = memory / 1024
    return values
