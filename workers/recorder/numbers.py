"""What a recorder tells Prometheus.  Pure."""

from typing import Any

from fsnats.metrics.family import Family, counter, gauge

ROWS = counter("fsnats_recorder_rows", "rows written to the store, by kind: klines, made, trades, frames", "kind")
BATCHES = counter("fsnats_recorder_batches", "batches written to the store")
REFUSED = counter("fsnats_recorder_refused", "rows, and the like, that the store cannot hold")
MET = counter("fsnats_recorder_met", "frames read, and of these what became no row: unwanted, gaps, unreadable", "what")
FETCHED = counter("fsnats_recorder_fetched", "rows fetched to fill what was missing")
STREAMS = gauge("fsnats_recorder_streams", "streams that are recorded", "market")
BACKLOG = gauge("fsnats_recorder_backlog", "frames that wait for the store")
BACKLOG_AGE = gauge("fsnats_recorder_backlog_seconds", "for how long the oldest of these waits")
IN_WINDOW = gauge("fsnats_recorder_in_window", "frames in NATS' replay window that were not read yet")
COMMIT_AGE = gauge("fsnats_recorder_commit_age_seconds", "seconds since something was written last")
HOLES = gauge("fsnats_recorder_holes", "holes that are still to be filled")
HOLES_LEFT = gauge("fsnats_recorder_holes_left", "holes that cannot be filled")
STORE_TROUBLE = gauge("fsnats_recorder_store_trouble", "1 while the store cannot be written")
FETCH_TROUBLE = gauge("fsnats_recorder_fetch_trouble", "1 while what is missing cannot be fetched")
WINDOW_TROUBLE = gauge("fsnats_recorder_window_trouble", "1 while a market's replay window cannot be read")

_KINDS = ("klines", "made", "trades", "frames")


def of_status(status: dict[str, Any]) -> list[Family]:
    """What the recorder's status says, as numbers."""
    age = status["last_commit_age"]
    return [
        ROWS.each({kind: status[kind] for kind in _KINDS}),
        BATCHES.one(status["batches"]),
        REFUSED.one(status["refused"]),
        MET.each(status["met"]),
        FETCHED.one(status["fetched"]),
        STREAMS.each({str(market): count for market, count in status["streams"].items()}),
        BACKLOG.one(status["backlog"]),
        BACKLOG_AGE.one(status["backlog_seconds"]),
        IN_WINDOW.one(status["in_window"]),
        COMMIT_AGE.family([] if age is None else [COMMIT_AGE.sample(age)]),
        HOLES.one(status["holes"]),
        HOLES_LEFT.one(status["holes_left"]),
        STORE_TROUBLE.one(bool(status["store_trouble"])),
        FETCH_TROUBLE.one(bool(status["fetch_trouble"])),
        WINDOW_TROUBLE.one(bool(status["window_trouble"])),
    ]
