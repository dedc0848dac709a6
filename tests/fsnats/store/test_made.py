from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.candles.calendar import DAY, HOUR, MINUTE, following
from fsnats.candles.live import merged
from fsnats.candles.trades import traded
from fsnats.errors import Unusable
from fsnats.store import Batch, KlineData, RawAggTrade, Rows, Series, Span
from fsnats.store.forms import kline_of
from fsnats.store.made import Made, candle_of, made, made_of_trades, trade_of
from tests.fsnats.backfill.exchange import Kept, candle
from tests.fsnats.candles.recorded import archived, table

MINUTES = Series(Market.SPOT, "kline", "BTCUSDT", "1m")
TRADES = Series(Market.SPOT, "aggTrade", "BTCUSDT")
START = 472_222 * HOUR  # some hour of 2023


async def kept(klines: list[KlineData], spans: list[Span], series: Series = MINUTES) -> Kept:
    store = Kept()
    await store.write(Batch([Rows(series, klines=klines, covered=spans)]))
    return store


async def hours(store: Kept, first: int, last: int, interval: str = "1h") -> list[Made]:
    return [each async for each in made(store, MINUTES, interval, first, last)]


minutes = st.sets(st.integers(0, 239))
stretches = st.lists(st.tuples(st.integers(0, 239), st.integers(0, 239)).map(sorted), max_size=4)


@given(minutes, minutes, stretches, st.sampled_from(("15m", "30m", "1h", "2h")))
async def test_what_is_neither_there_nor_covered_is_missing(
    there: set[int], open_ones: set[int], covered: list[list[int]], interval: str
) -> None:
    rows = [candle(MINUTES, START + each * MINUTE, closed=each not in open_ones) for each in sorted(there)]
    store = await kept(rows, [Span(START + a * MINUTE, START + b * MINUTE) for a, b in covered])
    found = {each.open_ms: each for each in await hours(store, START, START + 239 * MINUTE, interval)}

    known = {START + each * MINUTE for each in there - open_ones}
    complete = known | {START + each * MINUTE for a, b in covered for each in range(a, b + 1)}
    at = START
    while at < START + 4 * HOUR:
        stop = following(interval, at)
        inside = range(at, stop, MINUTE)
        missing = [each for each in inside if each not in complete]
        if not missing and not known & set(inside):
            assert at not in found
        else:
            one = found.pop(at)
            assert (one.open_ms, one.stop_ms) == (at, stop)
            assert [each for each in inside if any(a <= each < b for a, b in one.missing)] == missing
            assert (one.candle is None) == (not known & set(inside))
            assert one.whole == (one.candle is not None and not missing)
            if one.candle is not None:
                assert one.candle.trades == 3 * len(known & set(inside))
                assert one.candle.closed == (stop - MINUTE not in missing)
        at = stop
    assert found == {}


async def test_only_candles_that_open_in_the_range_are_made() -> None:
    rows = [candle(MINUTES, START + each * MINUTE) for each in range(240)]
    store = await kept(rows, [])
    assert [each.open_ms for each in await hours(store, START + 1, START + 2 * HOUR)] == [
        START + HOUR,
        START + 2 * HOUR,
    ]
    assert all(each.whole for each in await hours(store, START + 1, START + 2 * HOUR))
    assert await hours(store, START + 1, START + 2) == []


async def test_more_than_is_read_at_once_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [candle(MINUTES, START + each * MINUTE) for each in range(240)]
    store = await kept(rows, [])
    whole = await hours(store, START, START + 3 * HOUR)
    monkeypatch.setattr("fsnats.store.made._PAGE", 7)
    assert await hours(store, START, START + 3 * HOUR) == whole
    assert len(whole) == 4


async def test_what_does_not_fill_an_interval_is_refused() -> None:
    with pytest.raises(Unusable, match="1m: not made of candles of 1m"):
        await hours(await kept([], []), START, START, "1m")


@pytest.mark.recorded
@pytest.mark.parametrize("interval", ["1h", "1d"])
async def test_recorded_minutes_in_the_store_make_binances_own_candles(recordings: Path, interval: str) -> None:
    bars = archived(recordings)
    store = await kept([kline_of(bar, "1m") for bar in bars], [])
    found = [each async for each in made(store, MINUTES, interval, bars[0].t, bars[-1].t)]
    assert all(each.whole for each in found)
    candles = [each.candle for each in found if each.candle is not None]
    assert candles == list(merged(map(candle_of, await store.klines(MINUTES, 0, 2**60, 10**6)), "1m", interval))
    if interval == "1d":
        days = {row.t: row for row in table(recordings, "spot.BTCUSDT.1d")}
        assert [each.row() for each in candles] == [days[each.open_ms] for each in candles]
        assert len(candles) == 3
    else:
        # No recorded hour overlaps the minutes; hours made of them make the days, and each stands where it should.
        assert [each.open_ms for each in candles] == list(range(bars[0].t, bars[-1].t, HOUR))
        again = await kept(
            [kline_of(each.row(), "1h") for each in candles], [], msgspec.structs.replace(MINUTES, interval="1h")
        )
        series = msgspec.structs.replace(MINUTES, interval="1h")
        days = {row.t: row for row in table(recordings, "spot.BTCUSDT.1d")}
        made_days = [each.candle async for each in made(again, series, "1d", bars[0].t, bars[-1].t)]
        assert [each.row() for each in made_days if each] == [days[bars[0].t + day * DAY] for day in range(3)]


def trade(number: int, at_ms: int) -> RawAggTrade:
    return RawAggTrade("BTCUSDT", "1.50", "2", at_ms, number, number * 2, number * 2 + 1, number % 2 == 0)


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=40).map(sorted), st.integers(0, 3), st.integers(0, 3))
async def test_candles_of_stored_trades_are_those_of_all_of_them(times: list[int], first: int, last: int) -> None:
    store = Kept()
    rows = [trade(number, START + at) for number, at in enumerate(times)]
    await store.write(Batch([Rows(TRADES, trades=rows)]))
    span = START + first * MINUTE, START + last * MINUTE
    found = [each async for each in made_of_trades(store, TRADES, "1m", *span)]
    expected = list(traded(map(trade_of, rows), Market.SPOT, "1m"))[:-1]
    assert found == [each for each in expected if span[0] <= each.open_ms <= span[1]]


async def test_candles_of_trades_are_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fsnats.store.made._PAGE", 3)
    store = Kept()
    rows = [trade(number, START + number * 7_000) for number in range(40)]
    await store.write(Batch([Rows(TRADES, trades=rows)]))
    found = [each async for each in made_of_trades(store, TRADES, "1m", START + MINUTE, START + 2 * MINUTE)]
    assert [(each.open_ms, each.whole) for each in found] == [(START + MINUTE, True), (START + 2 * MINUTE, True)]
    assert sum(each.trades for each in found) == 2 * sum(60_000 <= number * 7_000 < 180_000 for number in range(40))


async def test_no_trades_make_no_candles() -> None:
    assert [each async for each in made_of_trades(Kept(), TRADES, "1m", 0, 10**13)] == []
