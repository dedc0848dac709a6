"""What is PostgreSQL's own: a server that goes and comes, what it refuses, and how a person reads it."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import traceback
from collections.abc import Coroutine

import asyncpg
import pytest

from fsnats.errors import ConfigError, StoreUnavailable
from fsnats.store import Origin
from fsnats.store.opening import open_store
from tests.fsnats.store.rows import CANDLES, TRADES, candle, candles, trade, trades
from tests.fsnats.store.writer import WRITER, found
from tests.postgres import PASSWORD, PostgresServer

FOREVER = 2**62


async def refused(url: str) -> str:
    with pytest.raises(ConfigError, match=r"^FSNATS_STORE_URL: postgresql://127.0.0.1:\d+/\w+: ") as caught:
        await open_store(url, "")
    return "".join(traceback.format_exception_only(caught.value))


async def test_who_is_not_let_in_is_told_without_a_password(postgres: PostgresServer) -> None:
    said = await refused(postgres.url("postgres", password="wr0ng"))
    assert "refuses the user or the password" in said
    assert "wr0ng" not in said


async def test_a_database_that_is_not_there_is_told(postgres: PostgresServer) -> None:
    said = await refused(postgres.url("nowhere"))
    assert "no such database" in said
    assert PASSWORD not in said


async def test_parameters_that_cannot_be_are_told_without_the_url(postgres: PostgresServer) -> None:
    said = await refused(postgres.url("postgres") + "?sslmode=maybe")
    assert "parameters" in said
    assert PASSWORD not in said


async def test_a_user_who_may_not_make_tables_is_told(postgres: PostgresServer) -> None:
    database = postgres.new_database()
    postgres.sql("DROP ROLE IF EXISTS guest", "CREATE ROLE guest LOGIN PASSWORD 'guest'")
    said = await refused(f"postgresql://guest:guest@127.0.0.1:{postgres.port}/{database}")
    assert "let it own the database" in said


async def test_tables_of_a_newer_program_are_refused(postgres: PostgresServer) -> None:
    database = postgres.new_database()
    await (await open_store(postgres.url(database), "")).close()
    postgres.sql("INSERT INTO fsnats.migrations VALUES (99, 'later')", database=database)
    assert "written by a newer fsnats (its tables are at '0099_later')" in await refused(postgres.url(database))


async def test_a_server_that_is_not_there_may_come(postgres: PostgresServer) -> None:
    url = postgres.emptied()
    postgres.stop()
    with pytest.raises(StoreUnavailable, match=r"^FSNATS_STORE_URL: postgresql://127.0.0.1:\d+/emptied: no server"):
        await open_store(url, "")
    postgres.start()
    await (await open_store(url, "")).close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_a_server_that_was_restarted_is_written_and_read_again(
    postgres: PostgresServer, how: signal.Signals
) -> None:
    url = postgres.emptied()
    store = await open_store(url, "")
    await store.write(candles(candle(1)))
    assert await store.klines(CANDLES, 0, FOREVER, 9) == [candle(1)]

    postgres.stop(how)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await store.write(candles(candle(2)))
        with pytest.raises(StoreUnavailable):
            await store.klines(CANDLES, 0, FOREVER, 9)
    postgres.start()

    await store.write(candles(candle(3)))
    assert await store.klines(CANDLES, 0, FOREVER, 9) == [candle(1), candle(3)]
    await store.close()


async def test_a_server_that_goes_in_the_middle_leaves_nothing_half_done(postgres: PostgresServer) -> None:
    url = postgres.emptied()
    store = await open_store(url, "")
    other = await asyncpg.connect(url)
    await other.execute("BEGIN; LOCK TABLE fsnats.agg_trade_rows IN EXCLUSIVE MODE")
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(failing(store.write(trades(*(trade(number) for number in range(1_000))))))
        while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            pass  # the rows are on the server, and wait to be merged
        postgres.stop()
        await writing
    other.terminate()
    postgres.start()
    assert await store.trades(TRADES, 0, FOREVER, 9) == []
    await store.close()


async def test_a_database_that_was_made_anew_gets_its_tables_again(postgres: PostgresServer) -> None:
    database = postgres.new_database()
    store = await open_store(postgres.url(database), "")
    await store.write(candles(candle(1)))
    postgres.sql(f"DROP DATABASE {database} WITH (FORCE)", f"CREATE DATABASE {database}")
    with contextlib.suppress(StoreUnavailable):  # where nobody has noticed yet that the connection is gone
        await store.write(candles(candle(2)))
    await store.write(candles(candle(2)))
    assert await store.klines(CANDLES, 0, FOREVER, 9) == [candle(2)]
    await store.close()


async def failing(writing: Coroutine[None, None, None]) -> None:
    with pytest.raises(StoreUnavailable):
        await writing


async def test_simulated_data_in_its_place_is_not_taken_for_binances(postgres: PostgresServer) -> None:
    url = postgres.emptied()
    store = await open_store(url, "", "binance")
    assert await store.klines(CANDLES, 0, FOREVER, 9) == []
    assert postgres.emptied() == url  # which closes all connections
    await (await open_store(url, "", "simulated")).close()
    with contextlib.suppress(StoreUnavailable, ConfigError):  # nobody may have noticed yet that the connection is gone
        await store.series()
    for _ in range(2):
        with pytest.raises(ConfigError, match="holds simulated data"):
            await store.klines(CANDLES, 0, FOREVER, 9)
    with contextlib.suppress(StoreUnavailable, ConfigError):
        await store.write(candles(candle(1)))
    with pytest.raises(ConfigError, match="holds simulated data"):
        await store.write(candles(candle(1)))
    await store.close()


async def test_a_server_that_only_reads_is_told(postgres: PostgresServer) -> None:
    database = postgres.new_database()
    store = await open_store(postgres.url(database), "")
    postgres.sql(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    await store.close()
    with pytest.raises(StoreUnavailable, match="only reads"):
        await open_store(postgres.url(database), "")


async def test_a_person_reads_it_with_sql(postgres: PostgresServer) -> None:
    database = postgres.new_database()
    store = await open_store(postgres.url(database), "")
    await store.write(candles(candle(1), origin=Origin.FETCHED))
    await store.write(trades(trade(1)))
    await store.close()

    def told(query: str) -> str:
        return postgres.sql(query, database=database)

    assert told("SELECT symbol, interval, close, volume, is_closed, origin FROM fsnats.kline_data") == (
        "BTCUSDT|1m|1.50|12.300|t|fetched"
    )
    assert told("SELECT symbol, price, quantity, agg_id FROM fsnats.raw_agg_trades") == "BTCUSDT|37000.10|0.0500|1"
    assert told("SELECT price, quantity, timestamp_ms FROM fsnats.app_agg_trades") == "37000.1|0.05|100"


async def test_candles_are_a_hypertable_where_timescaledb_is(postgres: PostgresServer) -> None:
    database = postgres.new_database()
    # Its package is not Debian's: what we say to it is looked at, not what it does.
    postgres.sql(
        "CREATE TABLE asked (what text)",
        "CREATE FUNCTION create_hypertable(regclass, name, chunk_time_interval bigint) RETURNS void LANGUAGE sql "
        "AS $$ INSERT INTO public.asked VALUES ($1 || ' ' || $2 || ' ' || $3) $$",
        database=database,
    )
    await (await open_store(postgres.url(database), "")).close()
    assert postgres.sql("SELECT what FROM public.asked", database=database) == "kline_rows start_time 604800000"


def test_what_a_killed_writer_said_is_there_and_nothing_is_half_done(postgres: PostgresServer) -> None:
    url = postgres.emptied()
    writer = subprocess.Popen([sys.executable, "-P", "-c", WRITER, url], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    told = [int(writer.stdout.readline()) for _ in range(3)]
    writer.kill()
    told += [int(line) for line in writer.stdout]
    writer.wait()
    writer.stdout.close()

    rows, (span,) = asyncio.run(found(url))
    assert rows == list(range(span.last + 1))
    assert len(rows) % 1000 == 0
    assert len(rows) >= max(told) + 1000
