"""What goes wrong with a SQLite file, and what is left of it."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fsnats.errors import ConfigError, StoreUnavailable
from fsnats.store.address import SqliteAddress
from fsnats.store.sqlite import SqliteStore
from tests.fsnats.store.rows import CANDLES, candle, candles


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(SqliteAddress(str(path)), patience=0.05)
    await store.open()
    yield store
    await store.close()


async def refused(path: Path) -> str:
    store = SqliteStore(SqliteAddress(str(path)), patience=0.05)
    with pytest.raises(ConfigError, match=r"^FSNATS_STORE_URL: sqlite:///") as caught:
        await store.open()
    await store.close()
    return str(caught.value)


async def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)  # noqa: ASYNC240 # a test may wait
    assert "not a SQLite database" in await refused(path)


async def test_a_directory_that_is_not_there_is_refused(path: Path) -> None:
    assert "cannot be opened or made" in await refused(path / "deeper")


async def test_tables_of_a_newer_program_are_refused_and_left_alone(store: SqliteStore, path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO migrations (number, name) VALUES (99, 'later')")
    database.close()
    assert "written by a newer fsnats (its tables are at '0099_later')" in await refused(path)


async def test_a_locked_file_is_waited_for_and_then_told(store: SqliteStore, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match=r"store.sqlite3: another program kept it locked for 0.05 s"):
        await store.write(candles(candle(1)))
    assert await store.klines(CANDLES, 0, 2**62, 9) == []  # a reader does not wait for who writes
    other.execute("ROLLBACK")
    other.close()
    await store.write(candles(candle(1)))


async def test_a_full_disk_is_told_leaves_nothing_half_done_and_heals(store: SqliteStore, path: Path) -> None:
    await store.write(candles(candle(0)))
    writer = store._file._writer
    assert writer is not None
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="the disk is full"):
        await store.write(candles(*(candle(number) for number in range(5_000))))
    assert await store.klines(CANDLES, 0, 2**62, 9) == [candle(0)]
    writer.execute("PRAGMA max_page_count = 1000000")
    await store.write(candles(*(candle(number) for number in range(5_000))))
    assert len(await store.klines(CANDLES, 0, 2**62, 5_000)) == 5_000


def damage(path: Path) -> None:
    """Everything but the first page, which says what the file is."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 100)


async def test_a_damaged_file_is_told(store: SqliteStore, path: Path) -> None:
    await store.write(candles(*(candle(number) for number in range(5_000))))
    await store.close()
    damage(path)
    store = SqliteStore(SqliteAddress(str(path)))
    with pytest.raises(StoreUnavailable, match=r"^FSNATS_STORE_URL: .*the file is damaged"):
        await store.open()
    await store.close()


async def test_a_file_that_is_found_damaged_is_opened_anew_when_a_copy_is_in_its_place(
    store: SqliteStore, path: Path
) -> None:
    await store.write(candles(*(candle(number) for number in range(5_000))))
    await store.close()
    copy = path.read_bytes()  # noqa: ASYNC240 # a test may wait
    store = SqliteStore(SqliteAddress(str(path)))
    await store.open()
    damage(path)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="the file is damaged"):
            await store.klines(CANDLES, 0, 2**62, 5_000)
    path.write_bytes(copy)  # noqa: ASYNC240 # a test may wait
    assert len(await store.klines(CANDLES, 0, 2**62, 5_000)) == 5_000
    await store.write(candles(candle(5_000)))
    await store.close()


async def test_a_file_that_cannot_be_written_is_told(store: SqliteStore) -> None:
    writer = store._file._writer
    assert writer is not None
    writer.execute("PRAGMA query_only = on")
    with pytest.raises(StoreUnavailable, match=r"^FSNATS_STORE_URL: .*: the file or its directory cannot be written"):
        await store.write(candles(candle(1)))


@pytest.mark.parametrize("reads_first", [False, True])
async def test_a_file_that_was_removed_is_made_anew_by_who_writes_and_by_who_reads(
    store: SqliteStore, path: Path, reads_first: bool, caplog: pytest.LogCaptureFixture
) -> None:
    await store.write(candles(candle(1)))
    assert await store.klines(CANDLES, 0, 2**62, 9) == [candle(1)]
    for file in path.parent.iterdir():  # a test may wait
        file.unlink()
    if reads_first:
        assert await store.klines(CANDLES, 0, 2**62, 9) == []
    await store.write(candles(candle(2)))
    assert await store.klines(CANDLES, 0, 2**62, 9) == [candle(2)]
    assert [record.message for record in caplog.records] == [
        "the store's file was removed, replaced or damaged; opening it anew"
    ]


async def test_simulated_data_in_its_place_is_not_taken_for_binances(store: SqliteStore, path: Path) -> None:
    await store.claim("binance")
    other = SqliteStore(SqliteAddress(str(path.with_name("other"))))
    await other.open()
    await other.claim("simulated")
    await other.close()
    for file in path.parent.glob("store.sqlite3*"):  # a test may wait
        file.unlink()
    path.with_name("other").rename(path)
    for _ in range(2):
        with pytest.raises(ConfigError, match="holds simulated data"):
            await store.klines(CANDLES, 0, 2**62, 9)
        with pytest.raises(ConfigError, match="holds simulated data"):
            await store.write(candles(candle(1)))


async def test_another_file_in_its_place_is_read_by_who_only_reads(store: SqliteStore, path: Path) -> None:
    await store.write(candles(candle(1)))
    assert await store.klines(CANDLES, 0, 2**62, 9) == [candle(1)]
    other = SqliteStore(SqliteAddress(str(path.with_name("other"))))
    await other.open()
    await other.write(candles(candle(2)))
    await other.close()
    for file in path.parent.glob("store.sqlite3*"):  # a test may wait
        file.unlink()
    path.with_name("other").rename(path)
    assert await store.klines(CANDLES, 0, 2**62, 9) == [candle(2)]
