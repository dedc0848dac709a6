"""The whole path on all cores, as `latency`, but every message goes to each of 50 clients, one by one or in bursts."""

import pathlib

from tests.bench.fleet import Fleet
from tests.bench.path import Path
from tests.bench.report import Row, Values

TITLE = "bursts: worker's socket → parsed by each of 50 clients, 200 streams"

_CLIENTS = 50
_BURST = 20  # messages at once


class _Load:
    """So many messages a second, so many at a time."""

    def __init__(self, key: str, what: str, rate: int, burst: int, p50: str, p99: str = "") -> None:
        self.key, self.rate, self.burst = key, rate, burst
        self.rows = (
            Row(f"{key} p50", f"{what}  p50", "ms", f"≤ {p50}", p50),
            Row(f"{key} p99", f"{'':{len(what)}}  p99", "ms", f"≤ {p99}" if p99 else "", p99),
            Row(f"{key} gateway", f"{'':{len(what)}}  gateway", "CPU µs/delivered"),
            Row(f"{key} lost", f"{'':{len(what)}}  lost", "messages", "0"),
            # Not the product's: how often the machine kept even the exchange, a C loop, from its work.
            Row(f"{key} late", f"{'':{len(what)}}  sent over 1 ms late by the exchange", "times"),
        )


_LOADS = (
    _Load("steady", "1,000/s", 1000, 1, "0.5", "0.8"),
    _Load("burst", f"{_BURST} at once, 50 times a second", 50 * _BURST, _BURST, "1.5"),
)
ROWS = tuple(row for load in _LOADS for row in load.rows)


def measure(tools: pathlib.Path, quick: bool) -> Values:
    """One repetition."""
    values: Values = {}
    with Fleet(tools, pinned=False) as fleet:
        path = Path(fleet, _CLIENTS, "all")
        for load in _LOADS:
            count = load.rate * (2 if quick else 5)
            sent, arrived, cpu_us = path.carry(load.rate, load.rate, count, load.burst)
            values[f"{load.key} gateway"] = cpu_us["gateway"] / (count * path.copies)
            values[f"{load.key} p50"] = arrived.p50
            values[f"{load.key} p99"] = arrived.p99
            values[f"{load.key} lost"] = count * path.copies - arrived.messages
            values[f"{load.key} late"] = sent.late
    return values
