"""The whole path on all cores: exchange → worker → nats-server → gateway → 50 clients, each message to one of them."""

import pathlib

from tests.bench.fleet import Fleet
from tests.bench.path import Path
from tests.bench.report import Row, Values

TITLE = "latency: worker's socket → parsed by one of 50 clients, 200 streams"

_CLIENTS = 50
_RATES = (5_000, 10_000, 20_000)
_PROTOTYPE = {5_000: ("0.24", "0.57"), 10_000: ("0.28", "1.1"), 20_000: ("0.5", "2.0")}


def _rows(rate: int) -> tuple[Row, ...]:
    p50, p99 = _PROTOTYPE[rate]
    return (
        Row(f"{rate} p50", f"{rate:,}/s  p50", "ms", f"≤ {p50}", p50),
        Row(f"{rate} p99", "         p99", "ms", f"≤ {p99}", p99),
        Row(f"{rate} p99.9", "         p99.9", "ms"),
        Row(f"{rate} worker", "         worker", "CPU µs/message"),
        Row(f"{rate} nats", "         nats-server", "CPU µs/message"),
        Row(f"{rate} gateway", "         gateway", "CPU µs/message"),
        Row(f"{rate} lost", "         lost", "messages", "0"),
        # Not the product's: how often the machine kept even the exchange, a C loop, from its work.
        Row(f"{rate} late", "         sent over 1 ms late by the exchange", "messages"),
    )


ROWS = tuple(row for rate in _RATES for row in _rows(rate))


def measure(tools: pathlib.Path, quick: bool) -> Values:
    """One repetition."""
    values: Values = {}
    with Fleet(tools, pinned=False) as fleet:
        path = Path(fleet, _CLIENTS, "share")
        for rate in _RATES:
            count = rate * (2 if quick else 5)
            sent, arrived, cpu_us = path.carry(rate, rate // 2, count)
            for name, spent in cpu_us.items():
                values[f"{rate} {name}"] = spent / count
            values[f"{rate} p50"] = arrived.p50
            values[f"{rate} p99"] = arrived.p99
            values[f"{rate} p99.9"] = arrived.p999
            values[f"{rate} late"] = sent.late
            values[f"{rate} lost"] = count - arrived.messages
    return values
