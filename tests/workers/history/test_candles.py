"""Candles from a store and an exchange, against a model that has them all."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.rows import Candle
from fsnats.binance.streams import Market
from fsnats.candles.calendar import DAY, HOUR, MINUTE, moved
from fsnats.errors import ExchangeUnavailable
from fsnats.history import Missing
from fsnats.store import Batch, KlineData, Origin, Rows, Series, Span
from fsnats.store.forms import kline_of
from tests.workers.history.shelves import Exchange, Table, bar_of, shelf_of
from workers.history.candles import COINM_BEGAN, Candles

NOW = 1_795_174_351_645
MINUTES = Series(Market.USDM, "kline", "BTCUSDT", "1m")
THEN = NOW // MINUTE * MINUTE - 2000 * MINUTE  # long over
LISTED = THEN - 500 * MINUTE


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def exchange() -> Exchange:
    return Exchange(Market.USDM, "1m", LISTED, NOW)


@pytest.fixture
def candles(table: Table, exchange: Exchange) -> Candles:
    return Candles(shelf_of(table), exchange)


async def forward(
    candles: Candles, exchange: Exchange, start: int, end: int | None, limit: int = 10**9, series: Series = MINUTES
) -> list[Candle]:
    rows: list[Candle] = []
    place: int | None = start
    while place is not None and len(rows) < limit:
        piece = await candles.forward(series, place, end, min(2000, limit - len(rows)), exchange)
        rows += piece.rows
        place = piece.goes_on
    return rows


async def backward(
    candles: Candles, exchange: Exchange, end: int | None, limit: int, floor: int = 0, series: Series = MINUTES
) -> list[Candle]:
    rows: list[Candle] = []
    while True:
        piece = await candles.backward(series, end, floor, min(2000, limit - len(rows)), exchange)
        rows = [*piece.rows, *rows]
        if piece.goes_on is None or len(rows) >= limit:
            return rows
        end = piece.goes_on


async def test_a_range_that_was_asked_once_is_never_asked_again(candles: Candles, exchange: Exchange) -> None:
    first = await forward(candles, exchange, THEN, THEN + 99 * MINUTE)
    asked = len(exchange.asked)
    again = await forward(candles, exchange, THEN + 10 * MINUTE, THEN + 20 * MINUTE)

    assert [row.t for row in first] == [THEN + n * MINUTE for n in range(100)]
    assert again == first[10:21]
    assert (asked, len(exchange.asked)) == (1, 1)


async def test_only_what_is_missing_is_asked(candles: Candles, exchange: Exchange) -> None:
    await forward(candles, exchange, THEN + 20 * MINUTE, THEN + 29 * MINUTE)
    exchange.asked.clear()
    rows = await forward(candles, exchange, THEN, THEN + 39 * MINUTE)

    assert rows == exchange.bars(THEN, THEN + 39 * MINUTE)
    assert [(each["startTime"], each["endTime"]) for each in exchange.asked] == [
        (THEN, THEN + 19 * MINUTE),
        (THEN + 30 * MINUTE, THEN + 39 * MINUTE),
    ]


async def test_open_candles_and_those_that_just_closed_are_not_kept(
    candles: Candles, exchange: Exchange, table: Table
) -> None:
    exchange.now = NOW // MINUTE * MINUTE + 3000
    rows = await backward(candles, exchange, None, 5)
    newest = exchange.now // MINUTE * MINUTE

    assert rows[-1].t == newest
    assert max(table.bars[MINUTES]) == newest - 2 * MINUTE
    assert table.known[MINUTES] == [Span(newest - 4 * MINUTE, newest - 2 * MINUTE)]


async def test_of_the_newest_candles_only_the_tail_is_asked_again(candles: Candles, exchange: Exchange) -> None:
    await backward(candles, exchange, None, 400)
    exchange.now += MINUTE
    rows = await backward(candles, exchange, None, 400)

    assert rows == exchange.bars(0, exchange.now)[-400:]
    assert [each["limit"] for each in exchange.asked] == [400, 3]


async def test_a_candle_that_the_exchange_does_not_have_is_asked_for_once(table: Table) -> None:
    holes = frozenset(THEN + n * MINUTE for n in range(10, 20))
    exchange = Exchange(Market.USDM, "1m", LISTED, NOW, holes)
    candles = Candles(shelf_of(table), exchange)
    for _ in range(2):
        assert len(await forward(candles, exchange, THEN, THEN + 39 * MINUTE)) == 30
    assert len(exchange.asked) == 1


async def test_what_is_absent_in_the_last_hour_may_still_come(table: Table) -> None:
    exchange = Exchange(Market.USDM, "1m", LISTED, NOW, frozenset(THEN + n * MINUTE for n in range(2001)))
    candles = Candles(shelf_of(table), exchange)
    assert await forward(candles, exchange, THEN, None) == []
    assert table.known[MINUTES][0].last < NOW - HOUR
    exchange.holes = frozenset(each for each in exchange.holes if each < NOW - HOUR)
    assert await forward(candles, exchange, THEN, None) == exchange.bars(NOW - HOUR, NOW)


async def test_nothing_before_the_first_candle_is_remembered(
    candles: Candles, exchange: Exchange, table: Table
) -> None:
    end = exchange.listed + 9 * MINUTE
    for _ in range(2):
        assert len(await backward(candles, exchange, end, 50)) == 10
    assert len(exchange.asked) == 1
    assert table.known[MINUTES] == [Span(0, end)]


async def test_long_ranges_are_asked_in_the_pages_that_weigh_least(candles: Candles, exchange: Exchange) -> None:
    rows = await forward(candles, exchange, THEN, THEN + 1499 * MINUTE)
    assert len(rows) == 1500
    assert [each["limit"] for each in exchange.asked] == [499, 499, 499, 3]


async def test_without_the_exchanges_time_nothing_is_kept(
    table: Table, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "knows", lambda market: False)
    candles = Candles(shelf_of(table), exchange)
    assert len(await forward(candles, exchange, THEN, THEN + MINUTE)) == 2
    assert table.bars == {}


async def test_a_broken_store_is_left_out_and_answers_go_on(candles: Candles, exchange: Exchange, table: Table) -> None:
    table.broken = True
    assert len(await forward(candles, exchange, THEN, THEN + 9 * MINUTE)) == 10
    assert len(await backward(candles, exchange, THEN, 10)) == 10


async def test_ten_who_ask_for_overlapping_ranges_share_one_request(candles: Candles, exchange: Exchange) -> None:
    gate = asyncio.Event()
    exchange.wait = gate.wait
    async with asyncio.TaskGroup() as tasks:
        asking = [
            tasks.create_task(forward(candles, exchange, THEN + n * MINUTE, THEN + 50 * MINUTE, limit=99 - n))
            for n in range(10)
        ]
        while candles.joined < 9:  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0)
        gate.set()
    for n, task in enumerate(asking):
        assert task.result() == exchange.bars(THEN + n * MINUTE, THEN + 50 * MINUTE)
    assert len(exchange.asked) == 1


async def test_who_joins_and_wants_less_goes_on_behind_what_he_got(candles: Candles, exchange: Exchange) -> None:
    gate = asyncio.Event()
    exchange.wait = gate.wait
    first = asyncio.ensure_future(candles.forward(MINUTES, THEN, THEN + 50 * MINUTE, 100, exchange))
    second = asyncio.ensure_future(candles.forward(MINUTES, THEN + MINUTE, THEN + 50 * MINUTE, 7, exchange))
    while not candles.joined:  # noqa: ASYNC110  # nothing tells
        await asyncio.sleep(0)
    gate.set()
    piece = await second
    assert piece.rows == exchange.bars(THEN + MINUTE, THEN + 7 * MINUTE)
    assert piece.goes_on == THEN + 8 * MINUTE
    assert (await first).goes_on is None


async def test_ten_who_ask_for_the_newest_share_one_request(candles: Candles, exchange: Exchange) -> None:
    gate = asyncio.Event()
    exchange.wait = gate.wait
    async with asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(backward(candles, exchange, None, 100)) for n in range(10)]
        while candles.joined < 9:  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0)
        gate.set()
    assert all(task.result() == exchange.bars(0, NOW)[-100:] for task in asking)
    assert len(exchange.asked) == 1


async def test_a_failure_reaches_everybody_who_waits_for_the_answer(candles: Candles, exchange: Exchange) -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise ExchangeUnavailable("http", "no", status=429, retry_after=7.0)

    exchange.wait = fail
    asking = [asyncio.ensure_future(forward(candles, exchange, THEN, THEN + MINUTE)) for _ in range(3)]
    failures = await asyncio.gather(*asking, return_exceptions=True)
    assert [getattr(each, "retry_after", None) for each in failures] == [7.0] * 3
    assert len(exchange.asked) == 1


async def test_what_is_read_from_the_store_alone_says_what_it_does_not_know(
    candles: Candles, exchange: Exchange
) -> None:
    await forward(candles, exchange, THEN + 10 * MINUTE, THEN + 19 * MINUTE)
    exchange.asked.clear()
    rows: list[Candle] = []
    missing: list[Missing] = []
    place: int | None = THEN
    while place is not None:
        piece = await candles.forward(MINUTES, place, THEN + 29 * MINUTE, 100, None)
        rows += piece.rows
        missing += piece.missing
        place = piece.goes_on
    assert rows == exchange.bars(THEN + 10 * MINUTE, THEN + 19 * MINUTE)
    assert missing == [Missing(THEN, THEN + 9 * MINUTE), Missing(THEN + 20 * MINUTE, THEN + 29 * MINUTE)]
    newest = await candles.backward(MINUTES, THEN + 19 * MINUTE, 0, 5, None)
    assert (newest.rows, list(newest.missing)) == (exchange.bars(THEN + 15 * MINUTE, THEN + 19 * MINUTE), [])
    assert exchange.asked == []


async def test_rows_that_nobody_asked_for_are_no_answer(candles: Candles, exchange: Exchange) -> None:
    exchange.bars = lambda first, last: [bar_of("1m", last + MINUTE)]  # type: ignore[method-assign]
    with pytest.raises(ExchangeUnavailable, match="other candles"):
        await forward(candles, exchange, THEN, THEN + MINUTE)


async def test_coinm_is_not_asked_page_by_page_for_years_before_it_opened(table: Table) -> None:
    series = Series(Market.COINM, "kline", "BTCUSD_PERP", "1d")
    exchange = Exchange(Market.COINM, "1d", COINM_BEGAN + 220 * DAY, COINM_BEGAN + 1000 * DAY)
    candles = Candles(shelf_of(table), exchange)
    rows = await forward(candles, exchange, 0, None, series=series)
    assert len(rows) == 781
    assert len(exchange.asked) <= 6


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([(Market.SPOT, "1m"), (Market.USDM, "1m"), (Market.COINM, "1m"), (Market.SPOT, "1M")]),
    st.sets(st.integers(0, 400), max_size=60),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 60)), max_size=4),
    st.lists(
        st.tuples(st.booleans(), st.integers(-20, 420), st.integers(0, 300), st.integers(1, 120)),
        min_size=1,
        max_size=4,
    ),
)
async def test_whatever_the_store_has_the_answer_is_the_exchanges(
    kind: tuple[Market, str],
    holes: set[int],
    stored: list[tuple[int, int]],
    requests: list[tuple[bool, int, int, int]],
) -> None:
    market, interval = kind
    now = NOW if interval == "1m" else NOW + 300 * 31 * DAY
    listed = moved(interval, 1_794_700_800_000 if interval == "1m" else 0, 0)
    if interval == "1m":
        listed = NOW // MINUTE * MINUTE - 400 * MINUTE

    def key(place: int) -> int:
        return moved(interval, listed, max(place, -int(listed == 0)))

    exchange = Exchange(market, interval, listed, now, frozenset(map(key, holes)))
    series = Series(market, "kline", "X", interval)
    table = Table()
    for first, length in stored:
        if market is Market.COINM and interval != "1m":
            continue
        last = min(key(first + length), now - 2 * HOUR)
        if key(first) > last:
            continue
        rows: list[KlineData] = [kline_of(row, interval) for row in exchange.bars(key(first), last)]
        last = rows[-1].start_time if rows else key(first)
        if not rows and last not in exchange.holes:
            continue
        await table.write(Batch([Rows(series, Origin.FETCHED, klines=rows, covered=[Span(key(first), last)])]))
    candles = Candles(shelf_of(table), exchange)
    for newest, place, length, limit in requests:
        first, last = key(place), key(place) + (key(1) - key(0)) * length
        if newest:
            rows_ = await backward(candles, exchange, last, limit, 0, series)
            assert rows_ == exchange.bars(0, last)[-limit:]
        else:
            assert await forward(candles, exchange, first, last, limit, series) == exchange.bars(first, last)[:limit]
