"""The columns of the tables, the same in every database, and how rows of the seam fill them.  Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec

from fsnats.store import ConnectionRecord, RawFrame
from fsnats.store.batches import Told
from fsnats.store.states import KEPT_ID, REPLACES, State

KLINE = (
    "series",
    "start_time",
    "end_time",
    "first_trade_id",
    "last_trade_id",
    "open",
    "close",
    "high",
    "low",
    "volume",
    "number_of_trades",
    "is_closed",
    "quote_volume",
    "taker_buy_volume",
    "taker_buy_quote_volume",
    "ignore",
    "origin",
)
TRADE = (
    "series",
    "agg_id",
    "price",
    "quantity",
    "trade_time",
    "first_trade_id",
    "last_trade_id",
    "is_buyer_maker",
    "origin",
)
FRAME = ("stream", "received_ns", "epoch", "seq", "flags", "payload")
CONNECTION = ("worker", "epoch", "id", "streams", "status", "message_count", "seen_ms")

_UPDATED = ", ".join(
    f"{column} = {KEPT_ID.format(id=column) if column.endswith('_trade_id') else f'excluded.{column}'}"
    for column in KLINE[2:]
)
Values = tuple[object, ...]

# What follows the rows that are to be inserted.
KLINE_CONFLICT = f"ON CONFLICT (series, start_time) DO UPDATE SET {_UPDATED} WHERE {REPLACES}"
CONNECTION_CONFLICT = """
ON CONFLICT (worker, epoch, id) DO UPDATE SET streams = excluded.streams, status = excluded.status,
  message_count = excluded.message_count, seen_ms = excluded.seen_ms
WHERE excluded.seen_ms >= connections.seen_ms
"""

KEPT_MS = 24 * 3600 * 1000  # how long the record of a connection stays after it was last seen


def kline(series: int, state: State) -> Values:
    """The values of `KLINE`."""
    c, origin = state
    return (
        series,
        c.start_time,
        c.end_time,
        c.first_trade_id,
        c.last_trade_id,
        c.open,
        c.close,
        c.high,
        c.low,
        c.volume,
        c.number_of_trades,
        c.is_closed,
        c.quote_volume,
        c.taker_buy_volume,
        c.taker_buy_quote_volume,
        c.ignore,
        int(origin),
    )


def trade(series: int, told: Told) -> Values:
    """The values of `TRADE`."""
    t, origin = told
    return (
        series,
        t.agg_id,
        t.price,
        t.quantity,
        t.trade_time,
        t.first_trade_id,
        t.last_trade_id,
        t.is_buyer_maker,
        int(origin),
    )


def connection(record: ConnectionRecord) -> Values:
    """The values of `CONNECTION`; the streams are a JSON array."""
    return (
        record.worker,
        record.epoch,
        record.id,
        msgspec.json.encode(record.streams).decode(),
        record.status,
        record.message_count,
        record.seen_ms,
    )


def connection_of(values: Sequence[Any]) -> ConnectionRecord:
    """The record whose values these are."""
    worker, epoch, id, streams, status, message_count, seen_ms = values
    return ConnectionRecord(
        worker, epoch, id, msgspec.json.decode(streams, type=list[str]), status, message_count, seen_ms
    )


def frame(stream: int, frame: RawFrame) -> Values:
    """The values of `FRAME`."""
    return stream, frame.received_ns, frame.epoch, frame.seq, frame.flags, frame.payload
