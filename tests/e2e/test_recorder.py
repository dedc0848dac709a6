"""What is recorded is what the exchange said, whoever is killed meanwhile."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest

from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.replay import window
from fsnats.status import Status, ask
from tests.e2e.conftest import Measure, StartFleet
from tests.e2e.fleet import Fleet, Process, get, wait_for
from tests.postgres import PostgresServer, running

_KILLS = int(os.environ.get("FSNATS_TEST_KILLS", "3"))  # the soak has twenty
_SYMBOLS = ("BTCUSDT", "ETHUSDT")
_BURST = ("--rate", "2000", "--record")
_RECORD = "spot:*@aggTrade,spot:*@kline_1m"


_MADE = (
    "SELECT start_time, open, high, low, close, volume, quote_volume, taker_buy_volume, taker_buy_quote_volume, "
    "number_of_trades, first_trade_id, last_trade_id FROM kline_data WHERE origin = 'made' AND is_closed"
)


class Stored:
    """The file that a recorder of a fleet writes."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.file = fleet.directory / "state" / "fsnats.sqlite3"

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows; none as long as there is no such file or table."""
        try:
            with closing(sqlite3.connect(f"file:{self.file}?mode=ro", uri=True)) as connection:
                return connection.execute(query, values).fetchall()
        except sqlite3.OperationalError:  # not made yet
            return []


class Record(Stored):
    """A recorder beside a fleet, started by hand and killed as one likes, and the file that it writes."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__(fleet)
        self._count = 0
        self.process = self.start()

    def start(self) -> Process:
        """Start one; it waits for what it needs by itself."""
        self._count += 1
        self.process = self.fleet.start(f"recorder-{self._count}", "fsnats", "record", *_RECORD.split(","))
        return self.process

    def ids(self, symbol: str) -> list[int]:
        """The ids of a symbol's trades in the store."""
        return [
            number
            for (number,) in self.ask("SELECT agg_id FROM raw_agg_trades WHERE symbol = ? ORDER BY agg_id", symbol)
        ]

    def count(self) -> int:
        """How many trades the store has."""
        return sum(count for (count,) in self.ask("SELECT count(*) FROM raw_agg_trades"))

    def reaches(self, symbol: str, number: int) -> bool:
        """Whether there is a trade with this id or a newer one."""
        query = f"SELECT agg_id FROM raw_agg_trades WHERE symbol = ? AND agg_id >= {number} LIMIT 1"
        return bool(self.ask(query, symbol))

    def spans(self, symbol: str) -> list[tuple[int, int]]:
        """What is known to be complete of a symbol's trades."""
        query = "SELECT first, last FROM complete WHERE kind = 'aggTrade' AND symbol = ? ORDER BY first"
        return [(first, last) for first, last in self.ask(query, symbol)]

    def window(self) -> tuple[int, int]:
        """The positions of the first and the last frame in the replay window."""

        async def look() -> tuple[int, int]:
            async with NatsBus([self.fleet.nats_url], "e2e-window", lambda: 0.0) as bus:
                await bus.connected()
                answer = json.loads(await bus.request(f"$JS.API.STREAM.INFO.{window(Market.SPOT)}", b"", 5.0))
                return answer["state"]["first_seq"], answer["state"]["last_seq"]

        return asyncio.run(look())

    def fetched(self, symbol: str) -> list[int]:
        """The ids of those trades that were fetched from REST."""
        query = "SELECT agg_id FROM raw_agg_trades WHERE symbol = ? AND origin = 'fetched' ORDER BY agg_id"
        return [number for (number,) in self.ask(query, symbol)]

    def grows(self, by: int = 100) -> None:
        """Return when so many more trades are in the store."""
        before = self.count()
        wait_for(lambda: self.count() >= before + by, "the store grows")

    def status(self) -> Status:
        """What the recorder says of itself; empty where it says nothing."""

        async def look() -> Status:
            async with NatsBus([self.fleet.nats_url], "e2e-status", lambda: 0.0) as bus:
                await bus.connected()
                answers = await ask(bus, "_INBOX.e2e-status", 0.3)
                return next((answer for answer in answers if answer.get("kind") == "recorder"), {})

        return asyncio.run(look())

    def said(self, symbol: str) -> tuple[int, list[int]]:
        """How many trades the exchange told since somebody first wanted them, and the ids of the newest, in order."""
        url = f"http://127.0.0.1:{self.fleet.simulator_port}/sim/ledger/events"
        status, text = get(f"{url}?market=spot&stream={symbol.lower()}@aggTrade")
        assert status == 200, text
        found = json.loads(text)
        return found["next"], [identity[1] for _, identity in found["events"]]

    def finish(self) -> int:
        """Stop when all that was said by now is stored; that is then what was said, each trade once.  How many."""
        newest = {symbol: self.said(symbol)[1][-1] for symbol in _SYMBOLS}
        wait_for(lambda: all(self.reaches(symbol, newest[symbol]) for symbol in _SYMBOLS), "all of it is stored")
        wait_for(lambda: all(len(self.spans(symbol)) == 1 for symbol in _SYMBOLS), "no hole is left")
        self.process.signal(signal.SIGTERM)
        self.process.wait()
        count = 0
        for symbol in _SYMBOLS:
            stored, (said, ids) = self.ids(symbol), self.said(symbol)
            assert stored == list(range(stored[0], stored[-1] + 1)), "each trade once"
            assert len(stored) == said - sum(number > stored[-1] for number in ids), "as many as the exchange told"
            assert stored[-1] in ids
            assert self.spans(symbol) == [(stored[0], stored[-1])], "all of it is known to be complete"
            count += len(stored)
        return count


class PostgresRecord(Record):
    """The same into PostgreSQL, whose views have the same names."""

    def __init__(self, fleet: Fleet, server: PostgresServer, database: str) -> None:
        self._server = server
        self._database = database
        super().__init__(fleet)

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        for value in values:
            query = query.replace("?", f"'{value}'", 1)
        try:
            lines = self._server.sql(query, database=self._database).splitlines()
        except subprocess.CalledProcessError:  # no such view yet, or no server
            return []
        return [tuple(int(field) if field.isdigit() else field for field in line.split("|")) for line in lines]


@pytest.fixture
def fleet(start_fleet: StartFleet) -> Fleet:
    return start_fleet(simulator=_BURST, supervisor=(), markets="spot", symbols=",".join(_SYMBOLS))


@pytest.mark.timeout(60 + 15 * _KILLS)
def test_kills_of_the_recorder_lose_nothing_and_bring_nothing_twice(fleet: Fleet, measure: Measure) -> None:
    record = Record(fleet)
    for _ in range(_KILLS):
        record.grows()
        record.process.kill()
        record.start()
    record.grows()
    count = record.finish()
    measure(f"{_KILLS} kills of a recorder: {count} trades, each stored once")


def test_a_killed_nats_costs_nothing(fleet: Fleet, measure: Measure) -> None:
    record = Record(fleet)
    record.grows()
    fleet.kill("nats-server")
    record.grows(600)
    measure(f"NATS killed below a recorder: {record.finish()} trades, each stored once")


def test_a_store_that_is_locked_is_waited_for(fleet: Fleet) -> None:
    record = Record(fleet)
    record.grows()
    with closing(sqlite3.connect(record.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        wait_for(lambda: record.status().get("store_trouble"), "the recorder says that the store is locked")
        wait_for(lambda: int(str(record.status().get("backlog", 0))) > 500, "a backlog grows")
        record.process.kill()  # with the backlog in its memory
        record.start()
        other.execute("ROLLBACK")
    record.grows()
    assert record.status()["store_trouble"] == ""
    record.finish()


def test_a_postgresql_that_is_gone_for_a_while_is_waited_for(start_fleet: StartFleet, measure: Measure) -> None:
    with running() as server:
        database = server.new_database()
        fleet = start_fleet(
            simulator=_BURST,
            supervisor=(),
            markets="spot",
            symbols=",".join(_SYMBOLS),
            store_url=server.url(database),
        )
        record = PostgresRecord(fleet, server, database)
        record.grows()
        server.stop()
        wait_for(lambda: record.status().get("store_trouble"), "the recorder says that the store is gone")
        wait_for(lambda: int(str(record.status().get("backlog", 0))) > 500, "a backlog grows")
        server.start()
        record.grows(600)
        wait_for(lambda: record.status()["store_trouble"] == "", "it writes again")
        count = record.finish()
    measure(f"PostgreSQL killed and started again below a recorder: {count} trades, each stored once")


def test_what_fell_out_of_the_window_is_a_hole_and_is_filled_from_rest(start_fleet: StartFleet) -> None:
    fleet = start_fleet(simulator=_BURST, supervisor=(), markets="spot", symbols=",".join(_SYMBOLS), replay_seconds=2)
    record = Record(fleet)
    record.grows()
    record.process.kill()
    newest = {symbol: record.ids(symbol)[-1] for symbol in _SYMBOLS}
    _, passed = record.window()
    wait_for(lambda: record.window()[0] > passed + 100, "the window forgets what the recorder did not read")
    record.start()
    record.grows()
    assert all(len(record.spans(symbol)) == 2 for symbol in _SYMBOLS), "the hole shows"
    record.finish()
    for symbol in _SYMBOLS:
        fetched = record.fetched(symbol)
        assert fetched
        assert fetched[0] > newest[symbol]


def test_the_supervisor_runs_a_recorder_where_something_is_to_be_recorded(start_fleet: StartFleet) -> None:
    fleet = start_fleet(
        simulator=(), supervisor=(), markets="usdm", symbols="BTCUSDT", record="usdm:*@continuousKline_1m"
    )
    record = Stored(fleet)

    def rows(table: str) -> list[tuple[Any, ...]]:
        return record.ask(f"SELECT * FROM {table}")

    wait_for(lambda: rows("kline_data"), "a candle is stored")
    assert rows("kline_data")[0][:3] == ("usdm", "continuousKline", "BTCUSDT_PERPETUAL")
    wait_for(lambda: rows("connections"), "connections are stored")
    pid = fleet.kill("recorder")
    wait_for(lambda: fleet.pids().get("recorder", pid) != pid, "the recorder is started again")
    streams = [name for row in rows("connections") for name in json.loads(str(row[3]))]
    assert "btcusdt_perpetual@continuousKline_1m" in streams


def test_candles_made_of_trades_are_the_exchanges_own(start_fleet: StartFleet) -> None:
    fleet = start_fleet(
        simulator=(),
        supervisor=(),
        markets="spot",
        symbols="BTCUSDT",
        record="spot:*@aggTrade,raw:spot:*@kline_1s",
        record_made="trades:1s",
    )
    record = Stored(fleet)

    def both() -> list[tuple[dict[str, Any], tuple[Any, ...]]]:
        """Closed candles that the exchange told and that were made, of those that are there as both."""
        told = [json.loads(payload)["k"] for (payload,) in record.ask("SELECT payload FROM raw_frames")]
        made = {row[0]: row for row in record.ask(_MADE)}
        return [(bar, made[bar["t"]]) for bar in told if bar["x"] and bar["t"] in made]

    wait_for(lambda: len(both()) >= 8, "candles are there as both")
    for bar, row in both():
        numbers = [Decimal(value) for value in row[1:9]]
        assert numbers == [Decimal(bar[field]) for field in "ohlcvqVQ"]
        assert row[9:] == (bar["n"], bar["f"], bar["L"])
