"""What every store does, in a SQLite file or in PostgreSQL."""

import asyncio
from collections.abc import Callable
from functools import reduce
from itertools import chain
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.candles.live import merged
from fsnats.errors import Unusable
from fsnats.store import Batch, ConnectionRecord, KlineData, Origin, RawFrame, Rows, Series, Span, Store
from fsnats.store.forms import kline_of
from fsnats.store.made import candle_of
from fsnats.store.opening import open_store
from fsnats.store.states import State, settled
from tests.fsnats.candles.recorded import archived, table
from tests.fsnats.store.rows import CANDLES, MINUTE, TRADES, candle, candles, trade, trades

ALWAYS = 2**62  # later than any time, above any id
DAY = 24 * 3600 * 1000


async def test_candles_come_back_digit_for_digit_in_order(store: Store) -> None:
    await store.write(candles(candle(2), candle(0, first_id=-1), candle(1, closed=False)))

    found = await store.klines(CANDLES, 0, ALWAYS, 10)

    assert found == [candle(0, first_id=-1), candle(1, closed=False), candle(2)]
    assert [type(value) for value in msgspec.structs.astuple(found[0])] == [
        type(value) for value in msgspec.structs.astuple(candle(0))
    ]


async def test_trades_come_back_digit_for_digit_in_order(store: Store) -> None:
    await store.write(trades(trade(3), trade(1), trade(2, price="0.00000100")))

    found = await store.trades(TRADES, 0, ALWAYS, 10)

    assert found == [trade(1), trade(2, price="0.00000100"), trade(3)]
    assert {type(row.is_buyer_maker) for row in found} == {bool}


@pytest.mark.parametrize("newest", [False, True])
async def test_a_limit_cuts_at_the_far_end(store: Store, newest: bool) -> None:
    await store.write(candles(*(candle(number) for number in range(10))))
    await store.write(trades(*(trade(number) for number in range(10))))

    rows = await store.klines(CANDLES, 2 * MINUTE, 8 * MINUTE, 3, newest=newest)
    ids = [row.agg_id for row in await store.trades(TRADES, 2, 8, 3, newest=newest)]

    assert [row.start_time // MINUTE for row in rows] == ids == ([6, 7, 8] if newest else [2, 3, 4])
    assert await store.klines(CANDLES, 0, ALWAYS, 0, newest=newest) == []


async def test_more_rows_than_one_page_come_whole(store: Store) -> None:
    await store.write(trades(*(trade(number) for number in range(45_000))))

    for newest in (False, True):
        found = await store.trades(TRADES, 100, ALWAYS, 44_000, newest=newest)
        assert [row.agg_id for row in found] == (list(range(1_000, 45_000)) if newest else list(range(100, 44_100)))


async def test_a_range_without_rows_is_empty(store: Store) -> None:
    await store.write(candles(candle(5)))
    assert await store.klines(CANDLES, 6 * MINUTE, ALWAYS, 10) == []
    assert await store.klines(CANDLES, ALWAYS, 0, 10) == []
    assert await store.klines(Series(Market.SPOT, "kline", "NOBODY", "1m"), 0, ALWAYS, 10) == []
    assert await store.trades(TRADES, 0, ALWAYS, 10) == []
    assert await store.spans(TRADES) == []
    assert await store.trade_at(TRADES, 0) is None


async def test_it_knows_whose_data_it_keeps(store_url: str) -> None:
    for claimed in (None, "simulated"):
        store = await open_store(store_url, "", "simulated" if claimed else None)
        assert await store.source() == claimed
        await store.close()


async def test_a_trade_is_found_by_its_time(store: Store) -> None:
    await store.write(trades(*(trade(number, time_ms=time) for number, time in enumerate([100, 200, 200, 300]))))

    async def at(time_ms: int, *, before: bool = False) -> int | None:
        found = await store.trade_at(TRADES, time_ms, before=before)
        return None if found is None else found.agg_id

    assert [await at(time) for time in (0, 100, 101, 200, 300, 301)] == [0, 0, 1, 1, 3, None]
    assert [await at(time, before=True) for time in (100, 101, 200, 201, 999)] == [None, 0, 0, 2, 3]


async def test_writing_the_same_twice_changes_nothing(store: Store) -> None:
    frame = RawFrame(Market.USDM, "btcusdt@aggTrade", 5, 1, 1, 0, b"{}")
    record = ConnectionRecord("worker", 1, "c1", ["btcusdt@aggTrade"], "live", 7, 10)
    batch = Batch(
        [
            Rows(CANDLES, klines=[candle(0), candle(1, closed=False)], covered=[Span(0, 0)]),
            Rows(TRADES, trades=[trade(1), trade(2)], covered=[Span(1, 2)]),
        ],
        [record],
        [frame],
    )
    for _ in range(2):
        await store.write(batch)

        assert await store.klines(CANDLES, 0, ALWAYS, 10) == [candle(0), candle(1, closed=False)]
        assert await store.trades(TRADES, 0, ALWAYS, 10) == [trade(1), trade(2)]
        assert await store.spans(CANDLES) == [Span(0, 0)]
        assert await store.spans(TRADES) == [Span(1, 2)]
        assert await store.connections() == [record]
        assert [one async for one in store.frames(Market.USDM, "btcusdt@aggTrade", 0, ALWAYS)] == [frame]


async def test_a_trade_that_is_there_stays(store: Store) -> None:
    await store.write(trades(trade(1)))
    await store.write(trades(trade(1, price="9"), trade(2), origin=Origin.FETCHED))
    assert await store.trades(TRADES, 0, ALWAYS, 10) == [trade(1), trade(2)]


STATES = st.tuples(
    st.builds(
        candle,
        st.just(0),
        trades=st.integers(0, 3),
        closed=st.booleans(),
        close=st.sampled_from(["1", "2.0"]),
        first_id=st.sampled_from([-1, 7]),
    ),
    st.sampled_from(Origin),
)


@given(batches=st.lists(st.lists(STATES, min_size=1, max_size=3), min_size=1, max_size=6))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_state_of_a_candle_that_stays_is_the_one_that_the_rules_say(
    batches: list[list[State]], fresh: Callable[[], Series], run: Callable[..., None]
) -> None:
    series = fresh()

    async def story(store: Store) -> None:
        there: State | None = None
        for states in batches:
            await store.write(Batch([Rows(series, origin, klines=[row]) for row, origin in states]))
            told = reduce(lambda there, state: settled(state, there), states)
            there = told if there is None else settled(told, there)
        assert there is not None
        assert await store.klines(series, 0, 0, 2) == [there[0]]

    run(story)


@given(pieces=st.lists(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)), min_size=1, max_size=3), max_size=8))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_spans_that_touch_or_overlap_become_one(
    pieces: list[list[tuple[int, int]]], fresh: Callable[[], Series], run: Callable[..., None]
) -> None:
    minutes = fresh()
    ids = Series(Market.USDM, "aggTrade", minutes.name)

    async def story(store: Store) -> None:
        known: set[int] = set()
        for piece in pieces:
            in_ms = [Span(first * MINUTE, (first + more) * MINUTE) for first, more in piece]
            in_ids = [Span(first, first + more) for first, more in piece]
            await store.write(Batch([Rows(minutes, covered=in_ms), Rows(ids, covered=in_ids)]))
            known |= {key for first, more in piece for key in range(first, first + more + 1)}
        starts = sorted(key for key in known if key - 1 not in known)
        ends = sorted(key for key in known if key + 1 not in known)
        assert await store.spans(ids) == [Span(a, b) for a, b in zip(starts, ends, strict=True)]
        assert await store.spans(minutes) == [Span(a * MINUTE, b * MINUTE) for a, b in zip(starts, ends, strict=True)]

    run(story)


DIGITS = "92233720368547758070.5"  # more than SQLite has whole numbers for
VOLUMES = ["0.5", "0.0", DIGITS, f"-{DIGITS}", "1.50", "2.25", "3", "-1.50"]
CLOSED = st.tuples(
    st.sampled_from([0, 3, 4]),
    st.just(True),
    st.sampled_from(["1.50", "2.25", "1.75", "1.5"]),
    st.sampled_from(VOLUMES),
    st.sampled_from([-1, 7]),
)
OPEN = st.tuples(st.just(3), st.just(False), st.just("1.50"), st.just("2.25"), st.just(7))
THREE = st.lists(CLOSED, min_size=3, max_size=3) | st.lists(st.none() | OPEN | CLOSED, min_size=3, max_size=3)


def minute(
    number: int, trades: int = 3, closed: bool = True, price: str = "1.50", volume: str = "2.25", id: int = 7
) -> KlineData:
    return msgspec.structs.replace(
        candle(number, trades=trades, closed=closed, close=price, first_id=id),
        open=price,
        high=price,
        low=price,
        volume=volume,
        quote_volume=volume,
        taker_buy_volume=volume,
        taker_buy_quote_volume=volume,
    )


@given(pieces=st.lists(THREE, min_size=1, max_size=4))
@example(pieces=[[(3, True, "1.50", volume, 7) for volume in (DIGITS, "0.0", "0.0")]])
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_a_database_adds_up_is_what_we_add_up_to_the_digit(
    pieces: list[list[tuple[int, bool, str, str, int] | None]], fresh: Callable[[], Series], run: Callable[..., None]
) -> None:
    series = fresh()
    rows = [minute(n, *piece) for n, piece in enumerate(chain.from_iterable(pieces)) if piece is not None]
    stretches = [(number * 3 * MINUTE, (number + 1) * 3 * MINUTE) for number in range(len(pieces))]

    async def story(store: Store) -> None:
        await store.write(Batch([Rows(series, klines=rows)]))
        for stretch, found in zip(stretches, await store.whole(series, stretches), strict=True):
            inside = [row for row in rows if stretch[0] <= row.start_time < stretch[1]]
            if found is not None:
                assert len(inside) == 3
                assert all(row.is_closed for row in inside)
                (expected,) = merged(map(candle_of, inside), "1m", "3m")
                assert found == expected
                assert found.row() == expected.row()

    run(story)


async def test_a_database_adds_up_what_is_whole_and_nothing_else(store: Store) -> None:
    rows = [minute(number, price=f"{number}.50") for number in range(12)]
    rows[3] = minute(3, closed=False)
    del rows[7]
    await store.write(candles(*rows))

    asked = [(0, 3), (3, 6), (6, 9), (9, 12), (8, 13)]
    found = await store.whole(CANDLES, [(start * MINUTE, stop * MINUTE) for start, stop in asked])

    assert [one is not None for one in found] == [True, False, False, True, False]
    assert found[3] is not None
    assert msgspec.structs.astuple(found[3].row())[1:6] == ("9.50", "11.50", "9.50", "11.50", "6.75")


@pytest.mark.recorded
async def test_recorded_minutes_add_up_to_binances_own_days(store: Store, recordings: Path) -> None:
    bars = archived(recordings)
    series = Series(Market.SPOT, "kline", "BTCUSDT", "1m")
    await store.write(Batch([Rows(series, klines=[kline_of(bar, "1m") for bar in bars])]))
    days = {row.t: row for row in table(recordings, "spot.BTCUSDT.1d")}

    found = await store.whole(series, [(start, start + DAY) for start in range(bars[0].t, bars[-1].t, DAY)])

    assert [day and day.row() for day in found] == [days[bars[0].t + number * DAY] for number in range(3)]


async def test_months_differ_in_length_and_are_not_added_up(store: Store) -> None:
    with pytest.raises(Unusable, match="1M"):
        await store.whole(Series(Market.SPOT, "kline", "BTCUSDT", "1M"), [(0, DAY)])


async def test_series_are_told_in_order_and_by_market(store: Store) -> None:
    spot = Series(Market.SPOT, "kline", "币安USDT", "1M")
    continuous = Series(Market.USDM, "continuousKline", "BTCUSDT_PERPETUAL", "1m")
    await store.write(trades(trade(1)))
    await store.write(Batch([Rows(spot, covered=[Span(0, 0)]), Rows(continuous, klines=[candle(0)]), Rows(CANDLES)]))

    assert await store.series() == [spot, TRADES, continuous]
    assert await store.series(Market.USDM) == [TRADES, continuous]
    assert await store.series(Market.COINM) == []


async def test_the_newest_record_of_a_connection_stays_for_a_day(store: Store) -> None:
    def record(id: str, seen_ms: int, count: int = 0) -> ConnectionRecord:
        return ConnectionRecord("usdm.0", 17, id, ["btcusdt@aggTrade", "币@trade"], "live", count, seen_ms)

    await store.write(Batch(connections=[record("a", 5), record("b", 20), record("b", 10), record("a", 5, 1)]))
    assert await store.connections() == [record("b", 20), record("a", 5, 1)]

    await store.write(Batch(connections=[record("a", 4, 9), record("c", DAY + 20)]))
    assert await store.connections() == [record("c", DAY + 20), record("b", 20)]


async def test_frames_come_in_the_order_in_which_they_were_written(store: Store) -> None:
    stream = "btcusdt@depth@100ms"

    def frame(number: int, received_ns: int) -> RawFrame:
        return RawFrame(
            Market.USDM, stream, received_ns, 1_700_000_000_000_000_000, number, 2, b'{"u":%d}\x00' % number
        )

    written = [frame(number, 10_000 - number) for number in range(2_500)]
    await store.write(Batch(frames=written[:1_500]))
    await store.write(Batch(frames=[RawFrame(Market.SPOT, stream, 9_000, 1, 1, 0, b"another's")]))
    await store.write(Batch(frames=written[1_400:]))

    assert [one async for one in store.frames(Market.USDM, stream, 0, ALWAYS)] == written
    assert [one async for one in store.frames(Market.USDM, stream, 7_600, 10_000)] == written[:2_401]
    assert [one async for one in store.frames(Market.USDM, "nobody@trade", 0, ALWAYS)] == []


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (Rows(CANDLES, klines=[candle(0), candle(1, close="NaN")]), f"the candle of {MINUTE}"),
        (Rows(CANDLES, klines=[candle(0, close="1,2")]), "the candle of 0"),
        (Rows(CANDLES, klines=[candle(0, close="-0.0")]), "-0.0"),
        (Rows(CANDLES, klines=[candle(0, close="1e5")]), "1e5"),
        (Rows(CANDLES, klines=[candle(0, close="٣")]), "the candle of 0"),
        (Rows(CANDLES, trades=[trade(0)]), "trades among candles"),
        (Rows(TRADES, klines=[candle(0)]), "candles among trades"),
        (Rows(TRADES, trades=[trade(0, price="")]), "trade 0"),
        (Rows(TRADES, trades=[trade(2**63)]), "64 bits"),
        (Rows(TRADES, covered=[Span(2, 1)]), "from 2 back to 1"),
        (Rows(Series(Market.USDM, "kline", "BTCUSDT", "5m"), klines=[candle(0)]), "a candle of 1m"),
        (Rows(Series(Market.USDM, "kline", "BTCUSDT", "7m"), covered=[Span(0, 0)]), "7m"),
        (Rows(Series(Market.USDM, "aggTrade", "ETHUSDT"), trades=[trade(0)]), "a trade of BTCUSDT"),
    ],
)
async def test_what_is_no_row_of_its_series_is_refused_by_name_with_all_that_came_with_it(
    store: Store, rows: Rows, named: str
) -> None:
    with pytest.raises(Unusable, match=named):
        await store.write(Batch([Rows(CANDLES, klines=[candle(9)]), rows]))

    assert await store.series() == []
    await store.write(candles(candle(1)))
    assert await store.klines(CANDLES, 0, ALWAYS, 9) == [candle(1)]


async def test_what_one_program_writes_another_reads_and_both_may_write(store: Store, store_url: str) -> None:
    other = await open_store(store_url, "")
    try:
        async with asyncio.TaskGroup() as tasks:
            for number in range(40):
                for one in (store, other):
                    tasks.create_task(
                        one.write(candles(candle(number), covered=[Span(number * MINUTE, number * MINUTE)]))
                    )
        for one in (store, other):
            assert [row.start_time // MINUTE for row in await one.klines(CANDLES, 0, ALWAYS, 99)] == list(range(40))
            assert await one.spans(CANDLES) == [Span(0, 39 * MINUTE)]
    finally:
        await other.close()


async def test_programs_that_start_at_once_make_the_tables_once(store_url: str) -> None:
    stores = await asyncio.gather(*(open_store(store_url, "") for _ in range(6)))
    await asyncio.gather(*(store.write(trades(trade(number))) for number, store in enumerate(stores)))
    assert len(await stores[0].trades(TRADES, 0, ALWAYS, 9)) == 6
    await asyncio.gather(*(store.close() for store in stores))


async def test_what_was_written_is_there_after_opening_anew(store: Store, store_url: str) -> None:
    await store.write(trades(trade(1), covered=[Span(1, 1)]))
    await store.close()
    again = await open_store(store_url, "")
    try:
        assert await again.trades(TRADES, 0, ALWAYS, 9) == [trade(1)]
        assert await again.spans(TRADES) == [Span(1, 1)]
    finally:
        await again.close()
