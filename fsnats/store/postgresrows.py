"""Write a batch into PostgreSQL, within a transaction of the caller.

Rows are copied into temporary tables and merged from there: one statement a table, whatever the number of rows.
"""

import asyncio
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import msgspec
from asyncpg.pool import PoolConnectionProxy

from fsnats.store import ConnectionRecord, RawFrame, Series, Span, columns
from fsnats.store.batches import Prepared
from fsnats.store.spans import changes, steps, touching

Connection: TypeAlias = "PoolConnectionProxy[Any]"

# Made once for a connection that writes; gone with it.
STAGES = """
CREATE TEMPORARY TABLE staged_klines (LIKE kline_rows) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE staged_trades (LIKE agg_trade_rows) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE staged_frames (LIKE frame_rows) ON COMMIT DELETE ROWS;
ALTER TABLE staged_frames ALTER id DROP NOT NULL, ADD number INTEGER;
"""

_KLINES = ", ".join(columns.KLINE)
_MERGE_KLINES = f"""
INSERT INTO kline_rows ({_KLINES}) SELECT {_KLINES} FROM staged_klines ORDER BY series, start_time
{columns.KLINE_CONFLICT}
"""
_TRADES = ", ".join(columns.TRADE)
_MERGE_TRADES = f"""
INSERT INTO agg_trade_rows ({_TRADES}) SELECT {_TRADES} FROM staged_trades ORDER BY series, agg_id
ON CONFLICT DO NOTHING
"""
_FRAMES = ", ".join(columns.FRAME)
_MERGE_FRAMES = f"""
INSERT INTO frame_rows ({_FRAMES}) SELECT {_FRAMES} FROM staged_frames ORDER BY number ON CONFLICT DO NOTHING
"""
_CONNECTION = f"""
INSERT INTO connections ({", ".join(columns.CONNECTION)}) VALUES ($1, $2, $3, $4, $5, $6, $7)
{columns.CONNECTION_CONFLICT}
"""
_TOUCHED = """
SELECT s.series, s.first, s.last FROM unnest($1::INTEGER[], $2::BIGINT[], $3::BIGINT[]) AS t (series, low, high)
JOIN spans s ON s.series = t.series AND s.last >= t.low AND s.first <= t.high ORDER BY s.series, s.first
"""


async def write(connection: Connection, batch: Prepared) -> None:
    """Write all of it."""
    keys = {series: msgspec.structs.astuple(series) for series in batch.series}
    found = await _ids(connection, "series", Series.__struct_fields__, list(keys.values()))
    ids = {series: found[key] for series, key in keys.items()}
    streams = sorted({(frame.market, frame.stream) for frame in batch.frames})
    stream_ids = await _ids(connection, "frame_streams", ("market", "stream"), streams)
    # Whoever writes the same series waits here, and nobody holds one of them while waiting for another.
    for table, held in (("series", ids.values()), ("frame_streams", stream_ids.values())):
        if held:
            query = f"SELECT id FROM {table} WHERE id = ANY($1::INTEGER[]) ORDER BY id FOR NO KEY UPDATE"
            await connection.execute(query, list(held))
    if batch.series:
        await _write_rows(connection, batch, ids)
        await _cover(connection, {ids[series]: (series, rows.covered) for series, rows in batch.series.items()})
    if batch.frames:
        await _write_frames(connection, batch.frames, stream_ids)
    if batch.connections:
        await _write_connections(connection, batch.connections)


async def _write_rows(connection: Connection, batch: Prepared, ids: dict[Series, int]) -> None:
    # In a thread: some 2 µs a row.
    klines, trades = await asyncio.to_thread(_staged, batch, ids)
    if klines:
        await connection.copy_to_table("staged_klines", source=io.BytesIO(klines), columns=columns.KLINE)
        await connection.execute(_MERGE_KLINES)
    if trades:
        await connection.copy_to_table("staged_trades", source=io.BytesIO(trades), columns=columns.TRADE)
        await connection.execute(_MERGE_TRADES)


def _staged(batch: Prepared, ids: dict[Series, int]) -> tuple[bytes, bytes]:
    """The lines of candles and of trades as COPY reads them; what is in them needs no quotes."""
    klines = [
        columns.kline(ids[series], state) for series, rows in batch.series.items() for state in rows.klines.values()
    ]
    trades = [
        columns.trade(ids[series], told) for series, rows in batch.series.items() for told in rows.trades.values()
    ]
    return _lines(klines), _lines(trades)


def _lines(rows: Iterable[columns.Values]) -> bytes:
    return "".join("\t".join(map(str, row)) + "\n" for row in rows).encode()


async def _write_frames(connection: Connection, frames: list[RawFrame], ids: dict[tuple[str, ...], int]) -> None:
    records = [(*columns.frame(ids[frame.market, frame.stream], frame), number) for number, frame in enumerate(frames)]
    await connection.copy_records_to_table("staged_frames", records=records, columns=(*columns.FRAME, "number"))
    await connection.execute(_MERGE_FRAMES)


async def _write_connections(connection: Connection, records: list[ConnectionRecord]) -> None:
    await connection.executemany(_CONNECTION, [columns.connection(record) for record in records])
    oldest = max(record.seen_ms for record in records) - columns.KEPT_MS
    await connection.execute("DELETE FROM connections WHERE seen_ms < $1", oldest)


async def _cover(connection: Connection, covered: dict[int, tuple[Series, list[Span]]]) -> None:
    asked = [(id, touching(spans, steps(series))) for id, (series, spans) in covered.items() if spans]
    if not asked:
        return
    there = defaultdict[int, list[Span]](list)
    lows, highs = [span.first for _, span in asked], [span.last for _, span in asked]
    for id, first, last in await connection.fetch(_TOUCHED, [id for id, _ in asked], lows, highs):
        there[id].append(Span(first, last))
    gone: list[tuple[int, int]] = []
    new: list[tuple[int, int, int]] = []
    for id, _ in asked:
        series, spans = covered[id]
        change = changes(there[id], spans, steps(series))
        gone += [(id, first) for first in change.gone]
        new += [(id, span.first, span.last) for span in change.new]
    if gone:
        await connection.executemany("DELETE FROM spans WHERE series = $1 AND first = $2", gone)
    if new:
        upsert = "INSERT INTO spans VALUES ($1, $2, $3) ON CONFLICT (series, first) DO UPDATE SET last = excluded.last"
        await connection.executemany(upsert, new)


async def _ids(
    connection: Connection, table: str, names: Sequence[str], keys: Sequence[tuple[str, ...]]
) -> dict[tuple[str, ...], int]:
    """What series or streams are called in the tables; they are entered where they are missing."""
    arrays = ", ".join(f"${number}::TEXT[]" for number, _ in enumerate(names, 1))
    listed = ", ".join(names)
    query = f"SELECT id, {listed} FROM {table} JOIN unnest({arrays}) AS t ({listed}) USING ({listed})"
    insert = f"INSERT INTO {table} ({listed}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"
    found: dict[tuple[str, ...], int] = {}
    while missing := [key for key in keys if key not in found]:
        values = [list(values) for values in zip(*missing, strict=True)]
        found |= {tuple(key): id for id, *key in await connection.fetch(query, *values)}
        if len(found) < len(keys):
            await connection.execute(insert, *values)
    return found
