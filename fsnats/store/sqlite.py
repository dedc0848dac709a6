"""The store in a SQLite file, for the programs of one machine: one thread writes, a few read."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec

from fsnats.binance.streams import Market
from fsnats.candles.calendar import length_of
from fsnats.candles.candle import Candle
from fsnats.store import (
    Batch,
    ConnectionRecord,
    KlineData,
    RawAggTrade,
    RawFrame,
    Series,
    Source,
    Span,
    Stretch,
    columns,
    sqliterows,
    sqlitesums,
)
from fsnats.store.address import SqliteAddress
from fsnats.store.batches import prepared
from fsnats.store.sqlitefile import Replaced, SqliteFile

_PATIENCE = 10.0  # seconds that another program may keep the file locked
_READERS = 4
_PAGE = 20_000  # rows of one text: some 3 MB
_FRAMES = 1000  # frames of one page

T = TypeVar("T")
Row = TypeVar("Row", KlineData, RawAggTrade)

# A page is read as one row, JSON that SQLite prints: its module takes the interpreter's lock again after every row, and
# beside a busy event loop it waits for it (1,500 candles: 1.3 s at p95, so 18 ms; alone 2.0 ms and 1.7).
_KLINES = """
SELECT '[' || group_concat(row) || ']' FROM (
  SELECT printf('[%d,%d,%s,%d,%d,"%s","%s","%s","%s","%s",%d,%s,"%s","%s","%s","%s"]', start_time, end_time, ?,
    first_trade_id, last_trade_id, open, close, high, low, volume, number_of_trades, iif(is_closed, 'true', 'false'),
    quote_volume, taker_buy_volume, taker_buy_quote_volume, ignore) AS row
  FROM kline_rows WHERE series = ? AND start_time BETWEEN ? AND ? ORDER BY start_time {order} LIMIT ?)
"""
_TRADES = """
SELECT '[' || group_concat(row) || ']' FROM (
  SELECT printf('[%s,"%s","%s",%d,%d,%d,%d,%s]', ?, price, quantity, trade_time, agg_id, first_trade_id,
    last_trade_id, iif(is_buyer_maker, 'true', 'false')) AS row
  FROM agg_trade_rows WHERE series = ? AND {where} LIMIT ?)
"""
_TRADES_BY_ID = _TRADES.format(where="agg_id BETWEEN ? AND ? ORDER BY agg_id {order}")
_TRADES_FROM = _TRADES.format(where="trade_time >= ? ORDER BY trade_time, agg_id")
_TRADES_BEFORE = _TRADES.format(where="trade_time < ? ORDER BY trade_time DESC, agg_id DESC")

_decode_klines = msgspec.json.Decoder(list[KlineData]).decode
_decode_trades = msgspec.json.Decoder(list[RawAggTrade]).decode


class SqliteStore:
    """See `fsnats.store.Store`.  `open` comes first.  `patience`: seconds that other programs may lock the file."""

    def __init__(self, address: SqliteAddress, *, patience: float = _PATIENCE) -> None:
        self._file = SqliteFile(address, patience)
        self._writer = ThreadPoolExecutor(1, "store-writer")
        self._readers = ThreadPoolExecutor(_READERS, "store-reader")

    async def open(self) -> None:
        """Make the file and its tables where they are missing.  Raises ConfigError, StoreUnavailable."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._file.open)

    async def claim(self, source: Source) -> None:
        """Say whose data is to be kept here.  Raises ConfigError where it is another's already.

        Every method does, later, where somebody put another's file in its place.
        """
        await asyncio.get_running_loop().run_in_executor(self._writer, self._file.claim, source)

    async def write(self, batch: Batch) -> None:
        def write() -> None:
            rows = prepared(batch)
            with self._file.writing() as database:
                sqliterows.write(database, rows)

        await asyncio.get_running_loop().run_in_executor(self._writer, write)

    async def klines(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False
    ) -> list[KlineData]:
        def page(database: sqlite3.Connection, *bounds: int | None) -> list[KlineData]:
            (text,) = database.execute(query, (name, *bounds)).fetchone()
            return _decode_klines(text) if text else []

        query, name = _KLINES.format(order="DESC" if newest else "ASC"), _quoted(series.interval)
        return await self._pages(series, page, lambda row: row.start_time, first, last, limit, newest)

    async def whole(self, series: Series, stretches: Sequence[Stretch]) -> list[Candle | None]:
        def read(database: sqlite3.Connection) -> list[Candle | None]:
            id = sqliterows.series_id(database, series)
            return [sqlitesums.whole(database, id, length, stretch) for stretch in stretches]

        length = length_of(series.interval)
        return await self._read(read)

    async def trades(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False
    ) -> list[RawAggTrade]:
        def page(database: sqlite3.Connection, *bounds: int | None) -> list[RawAggTrade]:
            (text,) = database.execute(query, (name, *bounds)).fetchone()
            return _decode_trades(text) if text else []

        query, name = _TRADES_BY_ID.format(order="DESC" if newest else "ASC"), _quoted(series.name)
        return await self._pages(series, page, lambda row: row.agg_id, first, last, limit, newest)

    async def trade_at(self, series: Series, time_ms: int, *, before: bool = False) -> RawAggTrade | None:
        def read(database: sqlite3.Connection) -> RawAggTrade | None:
            id = sqliterows.series_id(database, series)
            query = _TRADES_BEFORE if before else _TRADES_FROM
            (text,) = database.execute(query, (_quoted(series.name), id, time_ms, 1)).fetchone()
            return _decode_trades(text)[0] if text else None

        return await self._read(read)

    async def spans(self, series: Series) -> list[Span]:
        def read(database: sqlite3.Connection) -> list[Span]:
            id = sqliterows.series_id(database, series)
            return [
                Span(*row)
                for row in database.execute("SELECT first, last FROM spans WHERE series = ? ORDER BY 1", (id,))
            ]

        return await self._read(read)

    async def series(self, market: Market | None = None) -> list[Series]:
        def read(database: sqlite3.Connection) -> list[Series]:
            query = "SELECT market, kind, name, interval FROM series WHERE ?1 IS NULL OR market = ?1"
            return sorted(
                Series(Market(of), kind, name, interval)
                for of, kind, name, interval in database.execute(query, (market,))
            )

        return await self._read(read)

    async def source(self) -> Source | None:
        def read(database: sqlite3.Connection) -> Source | None:
            row = database.execute("SELECT source FROM provenance").fetchone()
            return row[0] if row else None

        return await self._read(read)

    async def connections(self) -> list[ConnectionRecord]:
        def read(database: sqlite3.Connection) -> list[ConnectionRecord]:
            query = f"SELECT {', '.join(columns.CONNECTION)} FROM connections ORDER BY seen_ms DESC, worker, epoch, id"
            return [columns.connection_of(row) for row in database.execute(query)]

        return await self._read(read)

    async def frames(self, market: Market, stream: str, first_ns: int, last_ns: int) -> AsyncIterator[RawFrame]:
        def bounds(database: sqlite3.Connection) -> tuple[int | None, int | None, int | None]:
            id = sqliterows.stream_id(database, market, stream)
            query = "SELECT min(id), max(id) FROM frame_rows WHERE stream = ? AND received_ns BETWEEN ? AND ?"
            return id, *database.execute(query, (id, first_ns, last_ns)).fetchone()

        def page(database: sqlite3.Connection) -> list[tuple[int, int, int, int, int, bytes]]:
            query = """
            SELECT id, received_ns, epoch, seq, flags, payload FROM frame_rows
            WHERE stream = ? AND id BETWEEN ? AND ? AND received_ns BETWEEN ? AND ? ORDER BY id LIMIT ?
            """
            return database.execute(query, (id, reached, last, first_ns, last_ns, _FRAMES)).fetchall()

        id, reached, last = await self._read(bounds)
        while reached is not None:
            rows = await self._read(page)
            for _, received_ns, epoch, seq, flags, payload in rows:
                yield RawFrame(market, stream, received_ns, epoch, seq, flags, payload)
            reached = rows[-1][0] + 1 if len(rows) == _FRAMES else None

    async def close(self) -> None:
        def end() -> None:
            self._readers.shutdown()
            self._writer.shutdown()
            self._file.close()

        await asyncio.to_thread(end)

    async def _pages(
        self,
        series: Series,
        page: Callable[..., list[Row]],
        key: Callable[[Row], int],
        first: int,
        last: int,
        limit: int,
        newest: bool,
    ) -> list[Row]:
        def read(database: sqlite3.Connection) -> list[Row]:
            id, low, high = sqliterows.series_id(database, series), first, last
            found: list[Row] = []
            while len(found) < limit:
                wanted = min(_PAGE, limit - len(found))
                rows = page(database, id, low, high, wanted)
                found += rows
                if len(rows) < wanted:
                    break
                if newest:
                    high = key(rows[-1]) - 1
                else:
                    low = key(rows[-1]) + 1
            return found[::-1] if newest else found

        return await self._read(read)

    async def _read(self, read: Callable[[sqlite3.Connection], T]) -> T:
        def work() -> T:
            with self._file.reading() as database:
                return read(database)

        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._readers, work)
        except Replaced:
            await loop.run_in_executor(self._writer, self._file.reopen)
            return await loop.run_in_executor(self._readers, work)


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
