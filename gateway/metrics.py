"""The gateway's own numbers in Prometheus' form, read from the running parts when somebody asks."""

from collections.abc import Callable, Iterator

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.tally import Tally


class Gauges(msgspec.Struct, frozen=True):
    """What holds at one moment."""

    clients: int
    channels: int
    listeners: int
    slow_clients: int
    outbox_bytes: int
    bus_connected: bool


GAUGES = {
    "clients": "WebSocket clients connected now",
    "channels": "streams that somebody listens to",
    "listeners": "subscriptions of all clients",
    "slow_clients": "clients whose sockets are full now",
    "outbox_bytes": "bytes held for clients that do not read",
    "bus_connected": "1 while NATS is connected",
}
COUNTERS = {
    "frames": "frames received from the bus",
    "lost": "frames missing between worker and gateway, as holes in the streams' sequences show",
    "repeated": "frames passed over because a worker sent them again after NATS was lost",
    "gaps": "notices of messages that a worker missed and could not get",
    "unreadable": "messages on the bus that are not frames",
    "delivered": "messages written to clients",
    "conflated": "messages of states that a newer one replaced before a slow client read them",
    "dropped": "events dropped for slow clients, who were told",
    "slow": "clients closed because they did not read fast enough",
    "connections": "WebSocket clients that ever connected",
    "unknown": "names acknowledged to Binance-dialect clients that no exchange delivers",
}


class _Collector(Collector):
    def __init__(self, gauges: Callable[[], Gauges], tally: Tally) -> None:
        self._gauges = gauges
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        now = self._gauges()
        for name, text in GAUGES.items():
            yield GaugeMetricFamily(f"fsnats_gateway_{name}", text, value=float(getattr(now, name)))
        for name, text in COUNTERS.items():
            yield CounterMetricFamily(f"fsnats_gateway_{name}", text, value=float(getattr(self._tally, name)))


def registry(gauges: Callable[[], Gauges], tally: Tally) -> CollectorRegistry:
    """A registry of this gateway alone: nothing is global, so a process may hold two."""
    made = CollectorRegistry()
    made.register(_Collector(gauges, tally))
    return made
