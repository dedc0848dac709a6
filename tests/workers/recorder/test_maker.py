"""What is made while rows come, and of the store, is in the store what all at once makes of all rows."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fsnats import recording
from fsnats.binance.streams import Market
from fsnats.candles.calendar import MINUTE
from fsnats.candles.candle import Candle
from fsnats.candles.trades import traded
from fsnats.store import Batch, KlineData, Origin, RawAggTrade, Rows, Series, Store
from fsnats.store.made import trade_of
from fsnats.store.opening import open_store
from tests.clock import HandClock
from tests.fsnats.candles.test_live import minute
from tests.workers.recorder.test_chain import BARS, DAY, TRADES, whole
from workers.recorder.chain import kline_of
from workers.recorder.maker import MEND, SHOW, Maker
from workers.recorder.sheet import of_candles, of_ids

SPOT = Market.SPOT
INTERVALS = ("3m", "15m", "1h")


def agg_trade(number: int) -> RawAggTrade:
    return RawAggTrade("BTCUSDT", "1.5", "0.2", 1_795_000_000_000 + number * 300, number, number, number, False)


class Kitchen:
    """A store and who makes candles for it; `restart` forgets what was in memory."""

    def __init__(self, store: Store, *makings: str, record: Sequence[str] = ("spot:*@kline_1m",)) -> None:
        self.clock = HandClock()
        self.store = store
        self._makings = [recording.read_making(making) for making in makings]
        self._entries = [recording.read(entry) for entry in record]
        self.restart()

    def restart(self) -> None:
        self.maker = Maker(self._makings, self._entries, lambda: self.store, self.clock.monotonic)

    async def write(self, rows: Rows) -> None:
        """Write rows and what is made of them, as a recorder does."""
        await self.store.write(Batch([rows, *self.maker.take([rows])]))

    async def minutes(self, *pieces: Candle) -> None:
        klines = [kline_of(piece, "1m") for piece in pieces]
        await self.write(Rows(BARS, klines=klines, covered=of_candles(klines)))

    async def trades(self, first: int, last: int) -> None:
        ids = range(first, last + 1)
        await self.write(Rows(TRADES, trades=list(map(agg_trade, ids)), covered=of_ids(ids)))

    async def look(self) -> None:
        await self.maker.look(self.store)

    async def made(self, interval: str, series: Series = BARS) -> dict[int, KlineData]:
        """The candles of an interval in the store, by number of their first minute since DAY."""
        found = await self.store.klines(Series(series.market, "kline", series.name, interval), 0, 2**62, 10_000)
        return {kline.start_time // MINUTE - DAY: kline for kline in found}


@pytest.fixture
async def store(tmp_path: Path) -> Store:
    return await open_store(f"sqlite://{tmp_path}/made.sqlite3", str(tmp_path))


async def test_candles_are_made_while_minutes_come(store: Store) -> None:
    kitchen = Kitchen(store, *INTERVALS)
    for number in range(4):
        await kitchen.minutes(minute(DAY + number, 2))
        await kitchen.look()
        await kitchen.clock.advance(SHOW)
    await kitchen.minutes(minute(DAY + 4, 1, closed=False))
    threes = await kitchen.made("3m")
    assert {at: (each.number_of_trades, each.is_closed) for at, each in threes.items()} == {0: (6, True), 3: (3, False)}
    assert {at: each.is_closed for at, each in (await kitchen.made("1h")).items()} == {0: False}
    assert [span.first // MINUTE - DAY for span in await store.spans(Series(SPOT, "kline", "BTCUSDT", "3m"))] == [0]


async def test_open_candles_are_told_once_a_second(store: Store) -> None:
    kitchen = Kitchen(store, "3m")
    await kitchen.minutes(minute(DAY, 1, closed=False))
    await kitchen.look()
    shown = []
    for trades in range(2, 8):
        rows = Rows(BARS, klines=[kline_of(minute(DAY, trades, closed=False), "1m")])
        shown += [each.klines[0].number_of_trades for each in kitchen.maker.take([rows])]
        await kitchen.clock.advance(SHOW / 2)
    assert shown == [4, 6]


async def test_after_a_restart_a_long_candle_goes_on_where_it_was(store: Store) -> None:
    kitchen = Kitchen(store, "1h", "1d")
    for number in range(90):
        await kitchen.minutes(minute(DAY + number))
        await kitchen.look()
    kitchen.restart()
    await kitchen.minutes(minute(DAY + 90))
    await kitchen.look()
    await kitchen.clock.advance(SHOW)
    await kitchen.minutes(minute(DAY + 91))
    days = await kitchen.made("1d")
    assert days[0].number_of_trades == 92


async def test_what_was_over_while_nobody_looked_is_made_of_the_store(store: Store) -> None:
    kitchen = Kitchen(store, "3m")
    for number in range(4):
        await kitchen.minutes(minute(DAY + number))
        await kitchen.look()
    klines = [kline_of(minute(DAY + number), "1m") for number in range(4, 20)]
    await store.write(Batch([Rows(BARS, klines=klines, covered=of_candles(klines))]))  # by another one
    kitchen.restart()
    await kitchen.minutes(minute(DAY + 20))
    await kitchen.look()
    await kitchen.minutes(minute(DAY + 21, closed=False))
    assert [at for at, each in (await kitchen.made("3m")).items() if each.is_closed] == [0, 3, 6, 9, 12, 15, 18]


async def test_what_comes_late_mends_what_could_not_be_made(store: Store) -> None:
    kitchen = Kitchen(store, "3m")
    for number in (0, 1, 2, 3, 5, 6, 7, 8, 9):
        await kitchen.minutes(minute(DAY + number))
        await kitchen.look()
    assert [at for at, each in (await kitchen.made("3m")).items() if each.is_closed] == [0, 6]
    lost = kline_of(minute(DAY + 4), "1m")
    await store.write(Batch([Rows(BARS, Origin.FETCHED, [lost], covered=of_candles([lost]))]))
    kitchen.maker.filled(BARS)
    await kitchen.look()
    await kitchen.minutes(minute(DAY + 10))
    await kitchen.look()
    assert [at for at, each in (await kitchen.made("3m")).items() if each.is_closed] == [0, 3, 6]


async def test_it_is_looked_again_for_what_was_missing_after_a_while(store: Store) -> None:
    kitchen = Kitchen(store, "3m")
    for number in (0, 1, 2, 3, 5, 6):
        await kitchen.minutes(minute(DAY + number))
        await kitchen.look()
    lost = kline_of(minute(DAY + 4), "1m")
    await store.write(Batch([Rows(BARS, Origin.FETCHED, [lost], covered=of_candles([lost]))]))
    await kitchen.clock.advance(MEND)
    await kitchen.look()
    for number in (7, 8):
        await kitchen.minutes(minute(DAY + number))
        await kitchen.look()
    assert [at for at, each in (await kitchen.made("3m")).items() if each.is_closed] == [0, 3, 6]


async def seconds(store: Store) -> list[KlineData]:
    return await store.klines(Series(SPOT, "kline", "BTCUSDT", "1s"), 0, 2**62, 10_000)


def exact_seconds(first: int, last: int) -> list[KlineData]:
    """What trades from one to another make at once: the seconds that are known in full."""
    known = traded((trade_of(agg_trade(number)) for number in range(first, last + 1)), SPOT, "1s")
    return [kline_of(candle, "1s") for candle in known if candle.whole]


async def test_trades_become_seconds_and_minutes(store: Store) -> None:
    kitchen = Kitchen(store, "trades:1s", "trades:1m")
    for first in range(7, 1007, 50):
        await kitchen.trades(first, first + 49)
        await kitchen.look()
        await kitchen.clock.advance(SHOW)
    assert [each for each in await seconds(store) if each.is_closed] == exact_seconds(7, 1006)
    assert [each.number_of_trades for each in (await kitchen.made("1m")).values()][:3] == [200, 200, 200]


async def test_the_second_in_which_it_was_started_again_is_made_of_stored_trades(store: Store) -> None:
    kitchen = Kitchen(store, "trades:1s")
    for first in (7, 101, 201):
        await kitchen.trades(first, first + 93)
        await kitchen.look()
        await kitchen.trades(first + 94, first + 99 if first > 7 else first + 93)
        kitchen.restart()
    await kitchen.trades(301, 310)
    await kitchen.look()
    await kitchen.trades(311, 312)
    assert len(await seconds(store)) < len(exact_seconds(7, 312)), "the last second of a start is not known in full"
    await kitchen.clock.advance(MEND)
    await kitchen.look()
    await kitchen.trades(313, 313)
    await kitchen.look()
    assert [each for each in await seconds(store) if each.is_closed] == exact_seconds(7, 313)


async def test_what_is_recorded_itself_is_not_made(store: Store) -> None:
    kitchen = Kitchen(store, "3m", "15m", record=("spot:*@kline_1m", "spot:*@kline_3m"))
    for number in range(16):
        await kitchen.minutes(minute(DAY + number))
        await kitchen.look()
    assert await kitchen.made("3m") == {}
    assert (await kitchen.made("15m"))[0].is_closed


async def test_what_somebody_else_wrote_and_is_no_candle_ends_the_making_of_that_series_alone(store: Store) -> None:
    kitchen = Kitchen(store, "3m")
    odd = replace(kline_of(minute(DAY + 1), "1m"), start_time=(DAY + 1) * MINUTE - 1)
    await store.write(Batch([Rows(BARS, klines=[odd])]))
    other = replace(BARS, name="ETHUSDT")
    for number in range(2, 7):
        klines = [kline_of(minute(DAY + number), "1m")]
        await kitchen.write(Rows(BARS, klines=klines))
        await kitchen.write(Rows(other, klines=klines))
        await kitchen.look()
    assert await kitchen.made("3m", other) != {}
    assert await kitchen.made("3m") == {}


async def test_nothing_is_made_of_coinms_trades(store: Store) -> None:
    kitchen = Kitchen(store, "trades:1m")
    rows = Rows(Series(Market.COINM, "aggTrade", "BTCUSD_PERP"), trades=[])
    assert kitchen.maker.take([rows]) == []


@settings(max_examples=30)
@given(
    st.lists(st.sampled_from((1, 1, 1, 1, 1, 2, 3)), min_size=5, max_size=60),
    st.lists(st.sampled_from(("look", "restart", "fill")), max_size=12),
    st.integers(0, 1000),
)
async def test_whatever_happens_what_is_stored_is_exact(steps: list[int], acts: list[str], seed: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store = await open_store(f"sqlite://{directory}/made.sqlite3", directory)
        try:
            kitchen = Kitchen(store, *INTERVALS)
            number, lost, pieces = DAY + seed, [], []
            for place, step in enumerate(steps):
                lost += [minute(each) for each in range(number + 1, number + step)]
                number += step
                pieces.append(minute(number))
                await kitchen.minutes(minute(number, 1, closed=False), pieces[-1])
                act = acts[place % len(acts)] if acts else "look"
                await kitchen.clock.advance(SHOW)
                if act == "restart":
                    kitchen.restart()
                elif act == "fill" and lost:
                    rows = [kline_of(each, "1m") for each in lost]
                    await store.write(Batch([Rows(BARS, Origin.FETCHED, rows, covered=of_candles(rows))]))
                    pieces += lost
                    lost = []
                    kitchen.maker.filled(BARS)
                await kitchen.look()
            kitchen.maker.filled(BARS)
            await kitchen.minutes(minute(number + 1, 1, closed=False))
            await kitchen.look()
            for interval in INTERVALS:
                exact = whole(pieces, interval)
                stored = {at: each for at, each in (await kitchen.made(interval)).items() if each.is_closed}
                assert {each.start_time: each for each in stored.values()}.items() <= exact.items()
                first = min((each.start_time for each in stored.values()), default=None)
                if first is not None:
                    assert {at: each for at, each in exact.items() if at >= first} == {
                        each.start_time: each for each in stored.values()
                    }
        finally:
            await store.close()
