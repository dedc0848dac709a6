"""The gateway's own numbers in Prometheus' form, read from the running parts when somebody asks."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.tally import Tally


class Gauges(msgspec.Struct, frozen=True):
    """What holds at one moment."""

    clients: int
    sockets: int
    tasks: int
    subscriptions: int
    channels: int
    listeners: int
    slow_clients: int
    outbox_bytes: int
    bus_connected: bool
    clients_by_token: dict[str, int]


GAUGES = {
    "clients": "WebSocket clients connected now",
    "sockets": "connections open now, those over HTTP or in their handshake too",
    "tasks": "asyncio tasks of the process",
    "subscriptions": "subjects subscribed on NATS now",
    "channels": "streams that somebody listens to",
    "listeners": "subscriptions of all clients",
    "slow_clients": "clients whose sockets are full now",
    "outbox_bytes": "bytes held for clients that do not read",
    "bus_connected": "1 while NATS is connected",
    "clients_by_token": "WebSocket clients connected now, by the name of their token",
}
COUNTERS = {
    "frames": "frames received from the bus",
    "lost": "frames lost between worker and gateway for good, as holes in the streams' sequences show",
    "refilled": "frames lost between worker and gateway and read again from the replay window",
    "repeated": "frames passed over because a worker sent them again after NATS was lost",
    "gaps": "notices of messages that a worker missed and could not get",
    "unreadable": "messages on the bus that are not frames",
    "delivered": "messages written to clients",
    "conflated": "messages of states that a newer one replaced before a slow client read them",
    "dropped": "events dropped for slow clients, who were told",
    "slow": "clients closed because they did not read fast enough",
    "connections": "WebSocket clients that ever connected",
    "refused": "handshakes refused, by HTTP status",
    "closed": "WebSocket connections that the gateway closed, by code",
    "requests_refused": "requests of clients refused because they came too fast",
    "unknown": "names acknowledged to Binance-dialect clients that no exchange delivers",
    "rest": "REST requests answered, by HTTP status",
    "rest_by_streams": "REST requests answered by a stream, at no cost",
}


LABELS = {"clients_by_token": "name", "refused": "status", "closed": "code", "rest": "status"}


class _Collector(Collector):
    def __init__(self, gauges: Callable[[], Gauges], tally: Tally) -> None:
        self._gauges = gauges
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        now = self._gauges()
        for name, text in GAUGES.items():
            yield _filled(GaugeMetricFamily, name, text, getattr(now, name))
        for name, text in COUNTERS.items():
            yield _filled(CounterMetricFamily, name, text, getattr(self._tally, name))


def _filled(family: type[GaugeMetricFamily | CounterMetricFamily], name: str, text: str, value: Any) -> Metric:
    if name not in LABELS:
        return family(f"fsnats_gateway_{name}", text, value=float(value))
    metric = family(f"fsnats_gateway_{name}", text, labels=[LABELS[name]])
    for label, number in value.items():
        metric.add_metric([str(label)], number)
    return metric


def registry(gauges: Callable[[], Gauges], tally: Tally) -> CollectorRegistry:
    """A registry of this gateway alone: nothing is global, so a process may hold two."""
    made = CollectorRegistry()
    made.register(_Collector(gauges, tally))
    return made
