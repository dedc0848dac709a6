"""The gateway's own numbers for Prometheus, read from the running parts when somebody asks."""

from collections.abc import Callable
from typing import Any

import msgspec

from fsnats.metrics.family import Family, Metric, counter, gauge
from gateway.fanout.tally import Tally


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


# Whether NATS is connected every program tells (`fsnats.metrics.bus`).
GAUGES = {
    "clients": "WebSocket clients connected now",
    "sockets": "connections open now, those over HTTP or in their handshake too",
    "tasks": "asyncio tasks of the process",
    "subscriptions": "subjects subscribed on NATS now",
    "channels": "streams that somebody listens to",
    "listeners": "subscriptions of all clients",
    "slow_clients": "clients whose sockets are full now",
    "outbox_bytes": "bytes held for clients that do not read",
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
LABELS = {"clients_by_token": ("name",), "refused": ("status",), "closed": ("code",), "rest": ("status",)}


def _metric(make: Callable[..., Metric], field: str, text: str) -> Metric:
    return make(f"fsnats_gateway_{field}", text, *LABELS.get(field, ()))


METRICS = {
    **{field: _metric(gauge, field, text) for field, text in GAUGES.items()},
    **{field: _metric(counter, field, text) for field, text in COUNTERS.items()},
}


def families(gauges: Gauges, tally: Tally) -> list[Family]:
    """All of them."""
    return [_told(metric, getattr(gauges if field in GAUGES else tally, field)) for field, metric in METRICS.items()]


def _told(metric: Metric, value: Any) -> Family:
    if not metric.labels:
        return metric.one(value)
    return metric.each({str(label): number for label, number in value.items()})
