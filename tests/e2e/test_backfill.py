"""`fsnats backfill` and `fsnats verify` against a whole fleet: what they write is what the exchange says."""

import contextlib
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsnats.store.address import FILE
from tests.e2e.fleet import Fleet, Process, wait_for


class House:
    """A fleet, and what one types beside it."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self._typed = 0
        self._database = fleet.directory / "state" / FILE

    def start(self, *words: str) -> Process:
        self._typed += 1
        return self.fleet.start(f"{words[0]}-{self._typed}", "fsnats", *words)

    def run(self, *words: str) -> tuple[int | None, str]:
        """The exit status of a command, and what it says."""
        process = self.start(*words)
        process.wait()
        return process.status, process.said()

    def rows(self, table: str) -> int:
        """How many rows there are; 0 where there is no database yet."""
        if not self._database.exists():
            return 0
        with contextlib.closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            try:
                return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            except sqlite3.OperationalError:  # no such table yet
                return 0

    def falsify(self, interval: str) -> None:
        """Change a candle that is stored, somewhere in the middle."""
        of = "FROM kline_rows WHERE series = (SELECT id FROM series WHERE interval = ?)"
        with contextlib.closing(sqlite3.connect(self._database, timeout=20)) as database, database:
            times = [time for (time,) in database.execute(f"SELECT start_time {of} ORDER BY 1", (interval,))]
            database.execute(
                "UPDATE kline_rows SET number_of_trades = 7 WHERE start_time = ? AND series = "
                "(SELECT id FROM series WHERE interval = ?)",
                (times[len(times) // 2], interval),
            )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Fleet(tmp_path, supervisor=(), markets="usdm,coinm", symbols="BTCUSDT,ETHUSDT,BTCUSD_PERP") as fleet:
        yield House(fleet)


NOW = time.time_ns() // 60_000_000_000 * 60_000  # a minute begins, so that all can be counted


def ago(hours: int) -> str:
    """A moment that stands still."""
    return str(NOW - hours * 3_600_000)


def fetched(said: str) -> int:
    match = re.search(r"([\d,]+) rows fetched", said)
    assert match, said
    return int(match[1].replace(",", ""))


def test_what_is_fetched_is_what_the_exchange_has_and_is_not_fetched_again(house: House) -> None:
    words = ("backfill", "usdm", "btcusdt", "--interval", "1m,1h", "--from", ago(48), "--to")
    status, said = house.run(*words, ago(2))
    assert status == 0, said
    assert "usdm kline BTCUSDT 1m: 2,760 fetched, 2,760 there, none missing" in said
    assert "SIMULATED DATA" in said

    status, said = house.run(*words, ago(1))
    assert (status, fetched(said)) == (0, 61), said
    status, said = house.run(*words, ago(1))
    assert (status, fetched(said)) == (0, 0), said

    status, said = house.run("verify", "usdm", "BTCUSDT", "--interval", "1m,15m,1h,4h", "--from", "2d")
    assert status == 0, said
    assert len(re.findall("all the same", said)) == 5
    assert "1h, as stored: 4" in said
    assert "1h, made of 1m: 4" in said

    # One minute that is wrong is found, and so is the hour made of it; the hour that was fetched is right.
    house.falsify("1m")
    status, said = house.run("verify", "usdm", "BTCUSDT", "--interval", "1m,1h", "--from", "2d")
    assert status == 1, said
    assert len(re.findall("1 DIFFER", said)) == 2
    assert re.search(r"1h, as stored: \d+ compared, all the same", said)
    assert re.search(r"  20\S+ \d\d:\d\d trades: 7 here, \d+ at the exchange", said)


def test_trades_are_fetched_and_make_the_exchanges_candles(house: House) -> None:
    words = ("BTCUSDT,ETHUSDT", "--from", ago(2), "--to", ago(1))
    status, said = house.run("backfill", "usdm", *words, "--trades")
    assert (status, fetched(said)) == (0, 2 * 60 * 240), said
    status, said = house.run("backfill", "usdm", *words, "--trades")
    assert (status, fetched(said)) == (0, 0), said
    status, said = house.run("verify", "usdm", *words, "--interval", "1m,5m,15m")
    assert status == 0, said
    assert re.search("usdm kline BTCUSDT 15m, made of trades: [34] compared, all the same", said)
    assert re.search("usdm kline ETHUSDT 1m, made of trades: 5[89] compared, all the same", said)


SOME_OF_ALL = ("backfill", "usdm", "ALL", "--interval", "1m", "--from", ago(36), "--to", ago(24))


@pytest.mark.parametrize(("number", "ended"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_what_was_stopped_goes_on_where_it_was(house: House, number: int, ended: int) -> None:
    process = house.start(*SOME_OF_ALL)
    wait_for(lambda: house.rows("kline_rows") > 2000, "some is written")
    process.signal(number)
    process.wait()
    assert process.status == ended, process.said()
    assert ("what was written stays" in process.said()) == (number == signal.SIGINT)
    before = house.rows("kline_rows")

    status, said = house.run(*SOME_OF_ALL)
    assert status == 0, said
    listed = house.rows("series")
    assert house.rows("kline_rows") == listed * 720
    assert fetched(said) == listed * 720 - before
    assert house.fleet.ledger()["violations"] == []


def test_it_goes_on_when_the_exchange_or_a_history_worker_was_away(house: House) -> None:
    process = house.start(*SOME_OF_ALL)
    wait_for(lambda: house.rows("kline_rows") > 2000, "some is written")
    house.fleet.kill("history")
    held = house.rows("kline_rows")
    wait_for(lambda: house.rows("kline_rows") > held + 8000, "it goes on without the one that was killed")
    house.fleet.tell_simulator("faults/limit_rest?seconds=2&status=418")
    process.wait()
    assert process.status == 0, process.said()
    assert house.rows("kline_rows") == house.rows("series") * 720
    assert house.fleet.ledger()["violations"] == []


def test_what_the_exchange_does_not_have_is_said(house: House) -> None:
    status, said = house.run("backfill", "coinm", "BTCUSD_PERP", "--interval", "1d,1h", "--from", "2019-01-01")
    assert status == 0, said
    assert len(re.findall("the first one that the exchange has: 20", said)) == 2
    assert house.rows("kline_rows") >= 59 * 25

    continuous = ("coinm", "BTCUSD", "--continuous", "perpetual", "--interval", "1h", "--from", ago(72), "--to", ago(1))
    status, said = house.run("backfill", *continuous)
    assert (status, fetched(said)) == (0, 71), said
    status, said = house.run("verify", *continuous)
    assert status == 0, said
    status, said = house.run("verify", "coinm", "ETHUSD_PERP", "--interval", "1h", "--from", "3d")
    assert status == 66, said
    status, said = house.run("backfill", "usdm", "BTCUSDT,NOPE", "--interval", "1h", "--from", "3d")
    assert (status, "unknown symbol 'NOPE' on usdm" in said) == (64, True), said
