"""The gateway alone: from NATS to the sockets of its clients."""

import time
from pathlib import Path
from typing import NamedTuple

from tests.bench.fleet import Fleet
from tests.bench.report import Row, Values

TITLE = "fanout: one gateway, combined streams, 371 B a frame"


class _Crowd(NamedTuple):
    """Clients, what they listen to, and how much of it is sent; `rate` 0 is as fast as the bus takes it."""

    key: str
    clients: int
    streams: int
    share: str
    rate: int
    messages: int


_CROWDS = (
    _Crowd("1000", 1000, 1, "all", 100, 300),
    _Crowd("dashboards", 100, 90, "all", 900, 1800),
    _Crowd("saturated 50", 50, 50, "all", 0, 40_000),
    _Crowd("saturated 1", 50, 50, "share", 0, 200_000),
)
# Messages for each client that may be under way: fewer bytes than an outbox holds.  At millions a second it is the
# clients, who share a core with NATS, that fall behind first, and the gateway would rightly close them as too slow.
_AT_ONCE = 2_000

ROWS = (
    Row("1000", "1,000 clients x 1 stream, 100 messages/s", "CPU µs/delivered", "≤ 6", "5.3"),
    Row("1000 user", "  without the kernel's part", "CPU µs/delivered", "", "0.3-0.5"),
    Row("dashboards", "100 clients x 90 streams x 10/s, evenly spread", "CPU µs/delivered", "", "4.5"),
    Row("dashboards user", "  without the kernel's part", "CPU µs/delivered", "", "0.3-0.5"),
    Row("saturated 50", "50 clients x 50 streams, saturated", "CPU µs/delivered", "", "0.30, raw 0.21"),
    Row("saturated 50 rate", "  delivered a second", "1/s", "", "3,300,000"),
    Row("saturated 1", "50 clients, each stream to one of them, saturated", "CPU µs/delivered", "", "5.7, raw 2.0"),
    Row("saturated 1 rate", "  delivered a second", "1/s", "", "174,000"),
    Row("lost", "lost, all of these", "messages", "0"),
    Row("closed", "clients closed, all of these", "clients", "0"),
)


def measure(tools: Path, quick: bool) -> Values:
    """One repetition."""
    values: Values = {"lost": 0.0, "closed": 0.0}
    for crowd in _CROWDS:
        with Fleet(tools, pinned=True) as fleet:
            _measure(fleet, crowd, 1 if quick or not crowd.rate else 2, values)
    return values


def _measure(fleet: Fleet, crowd: _Crowd, times: int, values: Values) -> None:
    gateway = fleet.gateway()
    publisher = fleet.publisher(crowd.streams)
    clients = fleet.clients(crowd.clients, "count", crowd.streams, crowd.share)
    fan_out = crowd.clients if crowd.share == "all" else 1
    messages = crowd.messages * times
    at_once = messages if crowd.rate else _AT_ONCE * crowd.clients // fan_out
    warm = min(crowd.messages // 10, at_once)
    frame_bytes = publisher.ask(f"run {crowd.rate} {warm} 1").frame_bytes
    clients.ask(f"until {warm * fan_out * frame_bytes} 2")
    delivered = messages * fan_out
    cpu, user, start = gateway.cpu_us(), gateway.user_us(), time.monotonic()
    arrived = closed = 0
    while arrived < delivered:
        publisher.ask(f"run {crowd.rate} {at_once} 1")
        answer = clients.ask(f"until {at_once * fan_out * frame_bytes} 5")
        arrived += answer.bytes // frame_bytes
        closed = answer.closed
        if answer.bytes < at_once * fan_out * frame_bytes:
            break  # lost: the rest would be measured of fewer clients
    values[crowd.key] = (gateway.cpu_us() - cpu) / max(arrived, 1)
    values[f"{crowd.key} user"] = (gateway.user_us() - user) / max(arrived, 1)
    if not crowd.rate:
        values[f"{crowd.key} rate"] = arrived / (time.monotonic() - start)
    values["lost"] += delivered - arrived
    values["closed"] += closed
