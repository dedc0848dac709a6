"""Write a batch into a SQLite database, within a transaction of the caller.  Blocks; no asyncio."""

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import msgspec

from fsnats.store import Series, Span, columns
from fsnats.store.batches import Prepared
from fsnats.store.spans import changes, steps, touching

# Rows of one statement.  SQLite's module takes the interpreter's lock again after every statement, and beside a busy
# event loop it waits for it: 14,600 candles a second one by one, 80,000 so.
_AT_ONCE = (256, 16, 1)


class _Insert(NamedTuple):
    table: str
    names: tuple[str, ...]
    conflict: str = "ON CONFLICT DO NOTHING"

    def statement(self, count: int) -> str:
        values = ",".join([f"({','.join('?' * len(self.names))})"] * count)
        return f"INSERT INTO {self.table} ({', '.join(self.names)}) VALUES {values} {self.conflict}"

    def write(self, database: sqlite3.Connection, rows: Sequence[columns.Values]) -> None:
        start = 0
        for count in _AT_ONCE:
            statement = self.statement(count)
            while len(rows) - start >= count:
                database.execute(statement, tuple(chain.from_iterable(rows[start : start + count])))
                start += count


_KLINES = _Insert("kline_rows", columns.KLINE, columns.KLINE_CONFLICT)
_TRADES = _Insert("agg_trade_rows", columns.TRADE)
_FRAMES = _Insert("frame_rows", columns.FRAME)
_CONNECTIONS = _Insert("connections", columns.CONNECTION, columns.CONNECTION_CONFLICT)


def write(database: sqlite3.Connection, batch: Prepared) -> None:
    """Write all of it."""
    for series, merged in batch.series.items():
        id = _series_id(database, series)
        _KLINES.write(database, [columns.kline(id, state) for state in merged.klines.values()])
        _TRADES.write(database, [columns.trade(id, told) for told in merged.trades.values()])
        if merged.covered:
            _cover(database, id, series, merged.covered)
    if batch.frames:
        ids = {key: _stream_id(database, *key) for key in {(frame.market, frame.stream) for frame in batch.frames}}
        _FRAMES.write(database, [columns.frame(ids[frame.market, frame.stream], frame) for frame in batch.frames])
    if batch.connections:
        _CONNECTIONS.write(database, [columns.connection(record) for record in batch.connections])
        oldest = max(record.seen_ms for record in batch.connections) - columns.KEPT_MS
        database.execute("DELETE FROM connections WHERE seen_ms < ?", (oldest,))


def series_id(database: sqlite3.Connection, series: Series) -> int | None:
    """What a series is called in the tables, if it is there."""
    query = "SELECT id FROM series WHERE market = ? AND kind = ? AND name = ? AND interval = ?"
    found = database.execute(query, (series.market, series.kind, series.name, series.interval)).fetchone()
    return found[0] if found else None


def stream_id(database: sqlite3.Connection, market: str, stream: str) -> int | None:
    """What a stream of raw frames is called in the tables, if it is there."""
    query = "SELECT id FROM frame_streams WHERE market = ? AND stream = ?"
    found = database.execute(query, (market, stream)).fetchone()
    return found[0] if found else None


def _series_id(database: sqlite3.Connection, series: Series) -> int:
    id = series_id(database, series)
    if id is None:
        insert = "INSERT INTO series (market, kind, name, interval) VALUES (?, ?, ?, ?)"
        id = database.execute(insert, (series.market, series.kind, series.name, series.interval)).lastrowid
    assert id is not None
    return id


def _stream_id(database: sqlite3.Connection, market: str, stream: str) -> int:
    id = stream_id(database, market, stream)
    if id is None:
        id = database.execute("INSERT INTO frame_streams (market, stream) VALUES (?, ?)", (market, stream)).lastrowid
    assert id is not None
    return id


def _cover(database: sqlite3.Connection, id: int, series: Series, covered: list[Span]) -> None:
    keys = steps(series)
    low, high = msgspec.structs.astuple(touching(covered, keys))
    query = "SELECT first, last FROM spans WHERE series = ? AND last >= ? AND first <= ? ORDER BY first"
    there = [Span(*row) for row in database.execute(query, (id, low, high))]
    gone, new = changes(there, covered, keys)
    database.executemany("DELETE FROM spans WHERE series = ? AND first = ?", [(id, first) for first in gone])
    database.executemany(
        "INSERT INTO spans VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET last = excluded.last",
        [(id, span.first, span.last) for span in new],
    )
