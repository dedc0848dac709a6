"""The store at work: a million candles and ten million trades, in a SQLite file and in PostgreSQL.

The first repetition writes them, each one reads them.
"""

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path

from fsnats.binance.streams import Market
from fsnats.candles.calendar import DAY, MINUTE
from fsnats.store import Batch, KlineData, RawAggTrade, Rows, Series, Span, Store
from fsnats.store.made import made
from fsnats.store.opening import open_store
from tests.bench.report import Row, Values
from tests.postgres import PostgresServer, installed

TITLE = "store: 1,000,000 candles and 10,000,000 trades"
_WHERE = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
ROWS = tuple(
    Row(f"{where}_{key}", f"{name}: {what}", unit, goal)
    for where, name in _WHERE.items()
    for key, what, unit, goal in (
        ("klines", "candles written", "rows/s", "20,000"),
        ("trades", "trades written", "rows/s", "20,000"),
        ("cpu", "CPU of a row written, database included", "µs", ""),
        ("range", "1,500 candles read, p95", "ms", "≤ 5"),
        ("range_p50", "the same, p50", "ms", ""),
        ("range_cpu", "the same, CPU, database included", "ms", ""),
        ("ids", "1,000 trades read, p95", "ms", ""),
        ("year", "a year of 1m made into 1d, per 525,600", "s", "≤ 1"),
        ("year_cpu", "the same, CPU, database included", "s", ""),
    )
)
_SYMBOLS = [f"S{number:03}USDT" for number in range(20)]
_BEGIN = 1_672_531_200_000  # 2023-01-01, ms since 1970
_YEAR = 365 * DAY // MINUTE
_A_BATCH = 5_000  # what a recorder writes at once when much comes

_Extent = tuple[Series, tuple[int, int]]


def measure(tools: Path, quick: bool) -> Values:
    """One repetition."""
    tools.chmod(0o711)  # the server runs as another user
    values = asyncio.run(_measure(f"sqlite://{tools}/store.sqlite3", "sqlite", quick, lambda: 0.0))
    with _server(tools) as server:
        if server is not None:
            values |= asyncio.run(_measure(server.url("postgres"), "postgres", quick, server.cpu))
    return values


@contextlib.contextmanager
def _server(tools: Path) -> Iterator[PostgresServer | None]:
    programs = installed()
    if programs is None:
        yield None
        return
    server = PostgresServer(tools / "postgres", programs)
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGINT)


async def _measure(url: str, where: str, quick: bool, other_cpu: Callable[[], float]) -> Values:
    store = await open_store(url, "")
    try:
        values: Values = {}
        if not await store.series():
            values |= await _write(store, quick, other_cpu)
        values |= await _read(store, quick, other_cpu)
        return {f"{where}_{key}": value for key, value in values.items()}
    finally:
        await store.close()


async def _write(store: Store, quick: bool, other_cpu: Callable[[], float]) -> Values:
    klines, trades = (100_000, 1_000_000) if quick else (1_000_000, 10_000_000)
    rates: Values = {}
    cpu = 0.0
    for key, count, batches in (("klines", klines, _candles(klines)), ("trades", trades, _trades(trades))):
        taken = 0.0
        for batch in batches:
            before, began = time.process_time() + other_cpu(), time.perf_counter()
            await store.write(batch)
            taken += time.perf_counter() - began
            cpu += time.process_time() + other_cpu() - before
        rates[key] = count / taken
    return rates | {"cpu": cpu / (klines + trades) * 1e6}


async def _read(store: Store, quick: bool, other_cpu: Callable[[], float]) -> Values:
    def cpu() -> float:
        return time.process_time() + other_cpu()

    chance = random.Random(5)
    candles, trades = await _known(store)
    ranges = []
    for _ in range(100 if quick else 300):
        series, (first, last) = chance.choice(candles)
        start = first + chance.randrange((last - first) // MINUTE - 1499) * MINUTE
        ranges.append((series, start, start + 1499 * MINUTE, 1500))
    ids = []
    for _ in range(100 if quick else 300):
        series, (first, last) = chance.choice(trades)
        start = chance.randrange(first, last - 998)
        ids.append((series, start, start + 999, 1000))
    before = cpu()
    reading_candles = sorted([await _seconds(store.klines(*asked), 1500) for asked in ranges])
    range_cpu = (cpu() - before) / len(ranges)
    reading_trades = sorted([await _seconds(store.trades(*asked), 1000) for asked in ids])
    series, (first, last) = max(candles, key=lambda one: one[1][1] - one[1][0])
    began, before = time.perf_counter(), cpu()
    days = [day async for day in made(store, series, "1d", first, last)]
    year, year_cpu = time.perf_counter() - began, cpu() - before
    assert all(day.whole for day in days[:-1])
    minutes = (last - first) // MINUTE + 1
    return {
        "range": reading_candles[len(ranges) * 95 // 100] * 1e3,
        "range_p50": reading_candles[len(ranges) // 2] * 1e3,
        "range_cpu": range_cpu * 1e3,
        "ids": reading_trades[len(ids) * 95 // 100] * 1e3,
        "year": year * _YEAR / minutes,
        "year_cpu": year_cpu * _YEAR / minutes,
    }


async def _seconds(reading: Coroutine[None, None, Sequence[object]], rows: int) -> float:
    began = time.perf_counter()
    found = await reading
    taken = time.perf_counter() - began
    assert len(found) == rows
    return taken


async def _known(store: Store) -> tuple[list[_Extent], list[_Extent]]:
    """The candles and the trades that there are, and from where to where."""
    candles: list[_Extent] = []
    trades: list[_Extent] = []
    for series in await store.series():
        (span,) = await store.spans(series)
        (trades if series.kind == "aggTrade" else candles).append((series, (span.first, span.last)))
    return candles, trades


def _candles(count: int) -> Iterator[Batch]:
    """A year of one symbol, or as much of it as half of them are, and the rest of others."""
    much = min(_YEAR, count * _YEAR // 1_000_000)
    rest = (count - much) // (len(_SYMBOLS) - 1)
    for symbol in _SYMBOLS:
        series = Series(Market.USDM, "kline", symbol, "1m")
        minutes = much if symbol == _SYMBOLS[0] else rest
        if symbol == _SYMBOLS[-1]:
            minutes = count - much - rest * (len(_SYMBOLS) - 2)
        for start in range(0, minutes, _A_BATCH):
            rows = [_candle(number) for number in range(start, min(start + _A_BATCH, minutes))]
            yield Batch([Rows(series, klines=rows, covered=[Span(rows[0].start_time, rows[-1].start_time)])])


def _trades(count: int) -> Iterator[Batch]:
    """Of all symbols at once, as they come."""
    each = _A_BATCH // len(_SYMBOLS)
    for start in range(0, count // len(_SYMBOLS), each):
        rows = {symbol: [_trade(symbol, number) for number in range(start, start + each)] for symbol in _SYMBOLS}
        yield Batch(
            [
                Rows(Series(Market.USDM, "aggTrade", symbol), trades=some, covered=[Span(start, start + each - 1)])
                for symbol, some in rows.items()
            ]
        )


def _candle(number: int) -> KlineData:
    start, price = _BEGIN + number * MINUTE, 3_700_000 + number * 7919 % 99_991
    volume = 1_000 + number * 104_729 % 999_983
    return KlineData(
        start,
        start + MINUTE - 1,
        "1m",
        number * 900,
        number * 900 + 899,
        _decimal(price, 2),
        _decimal(price + 150, 2),
        _decimal(price + 990, 2),
        _decimal(price - 870, 2),
        _decimal(volume, 3),
        900,
        True,
        _decimal(volume * price, 5),
        _decimal(volume // 2, 3),
        _decimal(volume // 2 * price, 5),
    )


def _trade(symbol: str, number: int) -> RawAggTrade:
    price, quantity = 3_700_000 + number * 7919 % 99_991, 1 + number * 104_729 % 9_973
    time_ms = _BEGIN + number * 173
    return RawAggTrade(
        symbol, _decimal(price, 2), _decimal(quantity, 3), time_ms, number, number * 2, number * 2 + 1, number % 2 == 0
    )


def _decimal(value: int, places: int) -> str:
    digits = str(value).zfill(places + 1)
    return f"{digits[:-places]}.{digits[-places:]}"
