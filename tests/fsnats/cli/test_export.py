"""`fsnats export` on a store that a test filled."""

import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fsnats.binance.rows import Candle
from fsnats.binance.streams import Market
from fsnats.cli.export import format_of, lines
from fsnats.errors import Unusable
from fsnats.history import Missing
from fsnats.rendezvous import STORE_FILE
from fsnats.store import Batch, Origin, Rows, Series, Span
from fsnats.store.forms import AggTrade, kline_of, trade_of
from fsnats.store.opening import open_store
from tests.fsnats.cli.conftest import fsnats

MINUTE = 60_000
START = 1_793_491_200_000  # 2026-11-01
MINUTES = Series(Market.USDM, "kline", "BTCUSDT", "1m")


def bar(number: int) -> Candle:
    opens = START + number * MINUTE
    return Candle(opens, "1.10", "2.20", "0.90", "1.50", "7.0", opens + MINUTE - 1, "9.9", 3, "1.0", "1.1", "0")


@pytest.fixture
async def _filled() -> None:
    """Two hours of candles but for ten minutes of them, and some trades."""
    some = [*range(60), *range(70, 120)]
    klines = [kline_of(bar(number), "1m") for number in some]
    spans = [Span(START, START + 59 * MINUTE), Span(START + 70 * MINUTE, START + 119 * MINUTE)]
    deals = [AggTrade(n, "1.10", "0.30", n, n, START + 1000 * n, n % 2 == 0) for n in range(6000)]
    trades = [trade_of(row, "BTCUSDT") for row in deals]
    store = await open_store("", os.environ["FSNATS_STATE_DIR"])
    rows = [
        Rows(MINUTES, Origin.FETCHED, klines=klines, covered=spans),
        Rows(Series(Market.USDM, "aggTrade", "BTCUSDT"), Origin.FETCHED, trades=trades, covered=[Span(0, 5999)]),
    ]
    await store.write(Batch(rows))
    await store.close()


def hidden(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir() if path.name.startswith(".")]


CANDLES = ("export", "usdm", "btcusdt", "--interval", "1m", "--from", "2026-11-01")


@pytest.mark.usefixtures("_filled")
async def test_a_range_that_is_whole_is_a_file_and_status_0(tmp_path: Path) -> None:
    ended = await fsnats(*CANDLES, "--to", "2026-11-01T01:00", "-o", "out.csv")
    assert (ended.status, ended.out) == (0, "")
    assert "60 candles written to out.csv" in ended.err
    rows = (tmp_path / "out.csv").read_text().splitlines()
    assert (len(rows), rows[1].split(",")[:2]) == (61, [str(START), "1.10"])
    assert hidden(tmp_path) == []


@pytest.mark.usefixtures("_filled")
async def test_what_is_missing_is_told_and_in_the_file(tmp_path: Path) -> None:
    ended = await fsnats(*CANDLES, "--to", "2026-11-01T02:00", "-o", "out.json")
    assert ended.status == 1
    assert "2026-11-01 01:00 to 2026-11-01 01:09" in ended.err
    made = json.loads((tmp_path / "out.json").read_text())
    assert (len(made["klines"]), made["complete"]) == (110, False)
    assert made["missing"] == [{"from": START + 60 * MINUTE, "to": START + 69 * MINUTE, "unit": "ms"}]


@pytest.mark.usefixtures("_filled")
async def test_longer_candles_are_made_of_minutes(tmp_path: Path) -> None:
    times = ("--from", "2026-11-01", "--to", "2026-11-01T02:00", "-o", "out.parquet")
    ended = await fsnats("export", "usdm", "btcusdt", "--interval", "30m", *times)
    assert ended.status == 1
    assert "2026-11-01 01:00 to 2026-11-01 01:00" in ended.err
    table = pq.read_table(tmp_path / "out.parquet")
    assert [str(each) for each in table.column("volume").to_pylist()] == ["210.000000000000000000"] * 3


@pytest.mark.usefixtures("_filled")
async def test_trades_and_the_standard_output() -> None:
    times = ("--from", "2026-11-01", "--to", "2026-11-01T01:36:40", "-o", "-", "--format", "json")
    ended = await fsnats("export", "usdm", "btcusdt", "--trades", *times)
    assert ended.status == 0, ended.err
    assert [row["a"] for row in json.loads(ended.out)["trades"]] == list(range(5800))


async def test_beside_a_simulated_fleet_it_reads_that_ones_store_and_says_that_prices_are_made_up(
    tmp_path: Path,
) -> None:
    made_up = f"sqlite://{tmp_path}/made-up.sqlite3"
    store = await open_store(made_up, "", "simulated")
    klines = [kline_of(bar(number), "1m") for number in range(2)]
    await store.write(Batch([Rows(MINUTES, Origin.FETCHED, klines=klines, covered=[Span(START, START + MINUTE)])]))
    await store.close()
    (tmp_path / STORE_FILE).write_text(made_up)
    ended = await fsnats(*CANDLES, "--to", "2026-11-01T00:02", "-o", "out.csv", state_dir=str(tmp_path))
    assert (ended.status, ended.out) == (0, "")
    assert "SIMULATED DATA" in ended.err
    assert "2 candles written to out.csv" in ended.err


@pytest.mark.usefixtures("_filled")
async def test_of_nothing_no_file_is_written(tmp_path: Path) -> None:
    ended = await fsnats(*CANDLES[:-1], "2026-11-02", "--to", "2026-11-03", "-o", "out.csv")
    assert (ended.status, (tmp_path / "out.csv").exists()) == (66, False)
    assert "fsnats backfill" in ended.err


@pytest.mark.usefixtures("_filled")
async def test_a_file_that_cannot_be_written_is_said() -> None:
    ended = await fsnats(*CANDLES, "-o", "nowhere/out.csv")
    assert ended.status == 74
    assert "'nowhere/out.csv' cannot be written: No such file" in ended.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--interval", "7m", "-o", "x.csv"), "unknown interval '7m'"),
        (("-o", "x.csv"), "say what to export"),
        (("--trades", "--interval", "1m", "-o", "x.csv"), "say what to export"),
        (("--interval", "1m", "-o", "x"), "'x' does not say which format"),
        (("--interval", "1m", "-o", "x", "--format", "xml"), "'xml' is no format"),
        (("--interval", "1m", "-o", "x.csv", "--to", "2020-01-01"), "is not before"),
    ],
)
async def test_words_that_mean_nothing_are_named(words: tuple[str, ...], says: str) -> None:
    ended = await fsnats("export", "usdm", "BTCUSDT", "--from", "2026-11-01", *words)
    assert ended.status == 64
    assert says in " ".join(ended.err.split())


def test_a_format_is_named_or_read_from_the_files_name() -> None:
    assert (format_of("", "a.parquet"), format_of("csv", "a.parquet"), format_of("arrow", "-")) == (
        "parquet",
        "csv",
        "arrow",
    )
    with pytest.raises(Unusable):
        format_of("", "-")


def test_many_stretches_are_counted() -> None:
    told = lines([Missing(n, n, "a") for n in range(1000)])
    assert (told[1], told[-1]) == ("  trades 0 to 0", "  and 990 more stretches")
