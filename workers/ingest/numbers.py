"""What an ingest worker tells Prometheus.  Pure."""

from collections import Counter
from collections.abc import Iterable

from fsnats.metrics.family import Family, Metric, counter, gauge
from workers.ingest.backlog import Backlog
from workers.ingest.recovery import Recovery
from workers.ingest.router import Router
from workers.ingest.strand import Strand
from workers.ingest.traffic import Traffic


def _counter(name: str, text: str, *labels: str) -> Metric:
    return counter(f"fsnats_ingest_{name}", text, "market", *labels)


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return gauge(f"fsnats_ingest_{name}", text, "market", *labels)


MESSAGES = _counter("messages", "messages read from the exchange")
BYTES = _counter("read_bytes", "bytes read from the exchange, after TLS")
FRAMES = _counter("frames", "frames published, notices of gaps too")
ODD = _counter("odd", "messages that are not as they should be, by kind", "kind")
DUPLICATES = _counter("duplicates", "messages passed over because they had come already")
UNASKED = _counter("unasked", "messages of streams that nobody wants any more")
HOLES = _counter("holes", "places where messages were missing")
FILLING = _gauge("filling", "holes that are being filled now")
RECOVERED = _counter("recovered", "messages fetched over REST after a loss")
LATE = _counter("late", "of the recovered messages, those that came after newer ones")
GAPS = _counter("gaps", "notices that messages are lost")
UNPUBLISHED = _counter("unpublished", "frames that NATS did not take")
WAITING = _gauge("waiting", "frames that wait for NATS")
WAITING_BYTES = _gauge("waiting_bytes", "bytes that wait for NATS")
DROPPED = _counter("dropped", "frames dropped because NATS was gone for too long")
AGAIN = _counter("sent_again", "frames sent again because NATS may have lost them")
STREAMS = _gauge("streams", "streams that are carried")
SILENT = _gauge("silent_streams", "streams that should speak and do not")
UNHEARD = _gauge("unheard_streams", "streams that never spoke since they are carried, which may be right")
GATEWAYS = _gauge("gateways", "gateways, and others, that want streams")
CONNECTIONS = _gauge("connections", "connections to the exchange, by state", "state")
DIALS = _counter("dials", "dials to the exchange, by outcome: ok, or the stage that failed", "outcome")
LOST = _counter("connections_lost", "connections to the exchange that were lost, by close code; 1006: cut", "code")
ROTATIONS = _counter("rotations", "connections that were replaced while they still carried")
CONTROLS = _counter("controls", "control messages sent to the exchange, by kind", "kind")
CONTROLS_REFUSED = _counter("controls_refused", "control messages that the exchange refused")


def of_router(market: str, router: Router) -> list[Family]:
    """Of messages on their way through."""
    return [
        MESSAGES.one(router.messages, market),
        FRAMES.one(router.frames, market),
        ODD.each(router.oddities.counts, market),
        DUPLICATES.one(router.duplicates, market),
        UNASKED.one(router.unasked, market),
        HOLES.one(router.holes, market),
        UNPUBLISHED.one(router.unpublished, market),
        STREAMS.one(len(router.carried), market),
    ]


def of_loss(market: str, recovery: Recovery, backlog: Backlog, silent: int, unheard: int) -> list[Family]:
    """Of what was missing, and what waits, and how many streams are silent, or were never heard."""
    return [
        FILLING.one(recovery.filling, market),
        RECOVERED.one(recovery.recovered, market),
        LATE.one(recovery.late, market),
        GAPS.one(recovery.gaps, market),
        WAITING.one(len(backlog), market),
        WAITING_BYTES.one(backlog.bytes, market),
        DROPPED.one(backlog.dropped, market),
        AGAIN.one(backlog.again, market),
        SILENT.one(silent, market),
        UNHEARD.one(unheard, market),
    ]


def of_connections(market: str, traffic: Traffic, strands: Iterable[Strand], gateways: int) -> list[Family]:
    """Of the way to the exchange."""
    strands = list(strands)
    open_bytes = sum(carrier.read_bytes for strand in strands for carrier in strand.carriers)
    states = Counter(str(strand.state) for strand in strands)
    return [
        BYTES.one(traffic.read_bytes + open_bytes, market),
        CONNECTIONS.each(states, market),
        DIALS.each(traffic.dials, market),
        LOST.each(traffic.lost, market),
        ROTATIONS.one(traffic.rotations, market),
        CONTROLS.each(traffic.controls, market),
        CONTROLS_REFUSED.one(traffic.refused, market),
        GATEWAYS.one(gateways, market),
    ]
