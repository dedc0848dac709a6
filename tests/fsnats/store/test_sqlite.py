"""What is SQLite's own: how a person reads it, and programs that are killed."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from fsnats.store import Origin
from fsnats.store.address import SqliteAddress
from fsnats.store.sqlite import SqliteStore
from tests.fsnats.store.rows import candle, candles, trade, trades
from tests.fsnats.store.writer import WRITER, found


async def test_a_person_reads_it_with_sql(tmp_path: Path) -> None:
    store = SqliteStore(SqliteAddress(f"{tmp_path}/s"))
    await store.open()
    await store.write(candles(candle(1), origin=Origin.FETCHED))
    await store.write(trades(trade(1)))
    await store.close()
    database = sqlite3.connect(tmp_path / "s")
    query = "SELECT symbol, interval, close, volume, is_closed, origin FROM kline_data WHERE market = 'usdm'"
    assert database.execute(query).fetchall() == [("BTCUSDT", "1m", "1.50", "12.300", 1, "fetched")]
    assert database.execute("SELECT symbol, price, quantity, agg_id FROM raw_agg_trades").fetchall() == [
        ("BTCUSDT", "37000.10", "0.0500", 1)
    ]
    assert database.execute("SELECT price, quantity, timestamp_ms FROM app_agg_trades").fetchall() == [
        (37000.1, 0.05, 100)
    ]
    database.close()


def test_what_a_killed_writer_said_is_there_and_nothing_is_half_done(tmp_path: Path) -> None:
    path = tmp_path / "s"
    for _ in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-P", "-c", WRITER, f"sqlite://{path}"], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(3)]
        writer.send_signal(signal.SIGKILL)
        told += [int(line) for line in writer.stdout]
        writer.wait()
        writer.stdout.close()

        rows, (span,) = asyncio.run(found(f"sqlite://{path}"))
        assert rows == list(range(span.last + 1))
        assert len(rows) % 1000 == 0
        assert len(rows) >= max(told) + 1000
        path.unlink()
