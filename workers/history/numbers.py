"""What a history worker tells Prometheus.  Pure."""

from collections.abc import Mapping

from fsnats.binance.streams import Market
from fsnats.metrics.family import Family, counter, distribution, gauge
from fsnats.offset import Offset
from workers.history.answers import Answers
from workers.history.relay import Relay
from workers.history.shelf import Shelf

REQUESTS = counter("fsnats_history_requests", "requests taken, by kind: klines, trades, rows, rest", "kind")
BUSY = counter("fsnats_history_busy", "requests turned away because too many were in work", "kind")
IN_WORK = gauge("fsnats_history_in_work", "requests being answered now", "kind")
SECONDS = distribution("fsnats_history_seconds", "how long answers took", "kind")
ASKED = counter("fsnats_history_rest_asked", "public REST requests that went to the exchange")
JOINED = counter("fsnats_history_rest_joined", "public REST requests answered with another's answer")
STORE_OK = gauge("fsnats_history_store_ok", "1 unless the store is left out because of an error")
STORE_READ = counter("fsnats_history_store_read_rows", "rows read from the store")
STORE_KEPT = counter("fsnats_history_store_kept_rows", "rows of answers kept in the store")
OFFSET = gauge("fsnats_clock_offset_seconds", "the exchange's clock less this machine's", "market")
ROUND_TRIP = gauge("fsnats_clock_round_trip_seconds", "round trip of the question that told the offset", "market")


def of_answers(queues: Mapping[str, Answers]) -> list[Family]:
    """Of the requests that come over the bus, by kind."""
    return [
        REQUESTS.each({kind: queue.taken for kind, queue in queues.items()}),
        BUSY.each({kind: queue.turned_away for kind, queue in queues.items()}),
        IN_WORK.each({kind: queue.in_work for kind, queue in queues.items()}),
        SECONDS.family([sample for kind, queue in queues.items() for sample in queue.taking.samples(SECONDS, kind)]),
    ]


def of_sources(relay: Relay, shelf: Shelf) -> list[Family]:
    """Of where answers come from."""
    return [
        ASKED.one(relay.asked),
        JOINED.one(relay.joined),
        STORE_OK.one(not shelf.error),
        STORE_READ.one(shelf.rows_read),
        STORE_KEPT.one(shelf.rows_kept),
    ]


def of_clocks(offsets: Mapping[Market, Offset]) -> list[Family]:
    """Of how far the exchange's clocks are from ours."""
    return [
        OFFSET.each({str(market): each.offset_ms / 1000 for market, each in offsets.items()}),
        ROUND_TRIP.each({str(market): each.rtt_ms / 1000 for market, each in offsets.items()}),
    ]
