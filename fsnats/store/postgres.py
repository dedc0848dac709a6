"""The store in a PostgreSQL database, for any number of machines: one connection writes, a few read."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
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
    postgresrows,
    postgressums,
)
from fsnats.store.address import PostgresAddress
from fsnats.store.batches import prepared
from fsnats.store.migrations import due, migrations
from fsnats.store.postgreserrors import translating
from fsnats.store.postgresrows import Connection
from fsnats.store.provenance import require

_READERS = 4
_CONNECT = 10.0  # seconds for a connection
_COMMAND = 60.0  # seconds for one statement
_FRAMES = 1000  # frames of one page
_SCHEMA = "fsnats"  # tables of ours may lie beside others'
_LOCK = 0x66736E617473  # whoever makes the tables holds it

_SERIES = "(SELECT id FROM series WHERE market = $1 AND kind = $2 AND name = $3 AND interval = $4)"
_STREAM = "(SELECT id FROM frame_streams WHERE market = $1 AND stream = $2)"

# A page is one text, JSON that the server prints: half of the time that 1,500 rows take here.
_KLINES = f"""
SELECT '[' || string_agg(row, ',') || ']' FROM (
  SELECT concat('[', start_time, ',', end_time, ',', $8::TEXT, ',', first_trade_id, ',', last_trade_id, ',"', open,
    '","', close, '","', high, '","', low, '","', volume, '",', number_of_trades, CASE WHEN is_closed THEN ',true,"'
    ELSE ',false,"' END, quote_volume, '","', taker_buy_volume, '","', taker_buy_quote_volume, '","', ignore, '"]')
    AS row
  FROM kline_rows WHERE series = {_SERIES} AND start_time BETWEEN $5 AND $6
  ORDER BY start_time {{order}} LIMIT $7) AS page
"""
_TRADES = f"""
SELECT '[' || string_agg(row, ',') || ']' FROM (
  SELECT concat('[', $5::TEXT, ',"', price, '","', quantity, '",', trade_time, ',', agg_id, ',', first_trade_id, ',',
    last_trade_id, CASE WHEN is_buyer_maker THEN ',true]' ELSE ',false]' END) AS row
  FROM agg_trade_rows WHERE series = {_SERIES} AND {{where}}) AS page
"""
_TRADES_BY_ID = _TRADES.format(where="agg_id BETWEEN $6 AND $7 ORDER BY agg_id {order} LIMIT $8")
_TRADE_FROM = _TRADES.format(where="trade_time >= $6 ORDER BY trade_time, agg_id LIMIT 1")
_TRADE_BEFORE = _TRADES.format(where="trade_time < $6 ORDER BY trade_time DESC, agg_id DESC LIMIT 1")

_decode_klines = msgspec.json.Decoder(list[KlineData]).decode
_decode_trades = msgspec.json.Decoder(list[RawAggTrade]).decode


class PostgresStore:
    """See `fsnats.store.Store`.  `open` comes first.  A lost connection is made anew when it is needed."""

    def __init__(self, address: PostgresAddress) -> None:
        self._address = address
        self._source: Source | None = None
        self._writer = self._pool(1, self._prepare)
        self._readers = self._pool(_READERS, self._check_source)

    def _pool(self, size: int, init: Any = None) -> "asyncpg.Pool[Any]":
        return asyncpg.create_pool(
            self._address.url,
            min_size=0,
            max_size=size,
            init=init,
            reset=_nothing,
            timeout=_CONNECT,
            command_timeout=_COMMAND,
            server_settings={"search_path": f"{_SCHEMA},public", "application_name": "fsnats"},
        )

    async def open(self) -> None:
        """Make the tables where they are missing.  Raises ConfigError, StoreUnavailable."""
        with translating(self._address.name, opening=True):
            await self._writer
            await self._readers
            async with self._writer.acquire():
                pass

    async def claim(self, source: Source) -> None:
        """Say whose data is to be kept here.  Raises ConfigError where it is another's already.

        Every method does, later, where a new connection finds another's database in its place.
        """
        self._source = source
        async with self._connection(self._writer) as connection:
            await self._check_source(connection)

    async def write(self, batch: Batch) -> None:
        rows = await asyncio.to_thread(prepared, batch)
        async with self._connection(self._writer) as connection, connection.transaction():
            await postgresrows.write(connection, rows)

    async def klines(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False
    ) -> list[KlineData]:
        query = _KLINES.format(order="DESC" if newest else "ASC")
        text = await self._value(query, *_key(series), first, last, limit, _quoted(series.interval))
        rows = _decode_klines(text) if text else []
        return rows[::-1] if newest else rows

    async def whole(self, series: Series, stretches: Sequence[Stretch]) -> list[Candle | None]:
        starts, stops = [start for start, _ in stretches], [stop for _, stop in stretches]
        asked = (*_key(series), starts, stops, length_of(series.interval))
        return postgressums.candles(await self._rows(postgressums.WHOLE, *asked), stretches)

    async def trades(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False
    ) -> list[RawAggTrade]:
        query = _TRADES_BY_ID.format(order="DESC" if newest else "ASC")
        text = await self._value(query, *_key(series), _quoted(series.name), first, last, limit)
        rows = _decode_trades(text) if text else []
        return rows[::-1] if newest else rows

    async def trade_at(self, series: Series, time_ms: int, *, before: bool = False) -> RawAggTrade | None:
        query = _TRADE_BEFORE if before else _TRADE_FROM
        text = await self._value(query, *_key(series), _quoted(series.name), time_ms)
        return _decode_trades(text)[0] if text else None

    async def spans(self, series: Series) -> list[Span]:
        query = f"SELECT first, last FROM spans WHERE series = {_SERIES} ORDER BY first"
        return [Span(*row) for row in await self._rows(query, *_key(series))]

    async def series(self, market: Market | None = None) -> list[Series]:
        query = "SELECT market, kind, name, interval FROM series WHERE $1::TEXT IS NULL OR market = $1"
        return sorted(Series(Market(of), *rest) for of, *rest in await self._rows(query, market))

    async def source(self) -> Source | None:
        rows = await self._rows("SELECT source FROM provenance")
        return rows[0]["source"] if rows else None

    async def connections(self) -> list[ConnectionRecord]:
        query = f"SELECT {', '.join(columns.CONNECTION)} FROM connections"
        records = [columns.connection_of(row) for row in await self._rows(query)]
        return sorted(records, key=lambda record: (-record.seen_ms, record.worker, record.epoch, record.id))

    async def frames(self, market: Market, stream: str, first_ns: int, last_ns: int) -> AsyncIterator[RawFrame]:
        bounds = f"SELECT min(id), max(id) FROM frame_rows WHERE stream = {_STREAM} AND received_ns BETWEEN $3 AND $4"
        page = f"""
        SELECT id, received_ns, epoch, seq, flags, payload FROM frame_rows
        WHERE stream = {_STREAM} AND received_ns BETWEEN $3 AND $4 AND id BETWEEN $5 AND $6 ORDER BY id LIMIT {_FRAMES}
        """
        ((reached, last),) = await self._rows(bounds, market, stream, first_ns, last_ns)
        while reached is not None:
            rows = await self._rows(page, market, stream, first_ns, last_ns, reached, last)
            for _, received_ns, epoch, seq, flags, payload in rows:
                yield RawFrame(market, stream, received_ns, epoch, seq, flags, payload)
            reached = rows[-1][0] + 1 if len(rows) == _FRAMES else None

    async def close(self) -> None:
        for pool in (self._writer, self._readers):
            with contextlib.suppress(asyncpg.InterfaceError):  # it was never opened
                pool.terminate()

    async def _value(self, query: str, *arguments: Any) -> str | None:
        ((text,),) = await self._rows(query, *arguments)
        assert text is None or isinstance(text, str)
        return text

    async def _rows(self, query: str, *arguments: Any) -> list[Any]:
        async with self._connection(self._readers) as connection:
            return await connection.fetch(query, *arguments)

    @contextlib.asynccontextmanager
    async def _connection(self, pool: "asyncpg.Pool[Any]") -> AsyncIterator[Connection]:
        with translating(self._address.name):
            async with pool.acquire() as connection:
                try:
                    yield connection
                except asyncpg.InternalClientError:
                    connection.terminate()  # the server ended it, and the library did not understand how
                    raise

    async def _prepare(self, connection: Connection) -> None:
        """What a connection that writes needs; the database may be another one than the last time."""
        async with connection.transaction():
            await connection.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
            await connection.execute(
                f"CREATE TABLE IF NOT EXISTS {_SCHEMA}.migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                "applied_at TIMESTAMPTZ NOT NULL DEFAULT now())"
            )
            applied = [tuple(row) for row in await connection.fetch("SELECT number, name FROM migrations")]
            for migration in due(migrations("postgres"), applied, self._address.name):
                await connection.execute("\n".join(migration.statements))
                remember = "INSERT INTO migrations (number, name) VALUES ($1, $2)"
                await connection.execute(remember, migration.number, migration.name)
        await connection.execute(postgresrows.STAGES)
        await self._check_source(connection)

    async def _check_source(self, connection: Connection) -> None:
        if self._source is not None:
            insert = "INSERT INTO provenance VALUES (1, $1) ON CONFLICT DO NOTHING"
            await connection.execute(insert, self._source)
            require(self._source, await connection.fetchval("SELECT source FROM provenance"), self._address.name)


async def _nothing(_connection: object) -> None:
    """Nothing that we do leaves a connection other than it was, so nothing needs to be reset."""


def _key(series: Series) -> tuple[str, str, str, str]:
    return series.market, series.kind, series.name, series.interval


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
