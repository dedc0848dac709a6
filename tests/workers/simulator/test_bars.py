from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from tests.workers.simulator.worlds import BTC, INSTRUMENTS, NOW, instruments, times
from workers.simulator.bars import Bars
from workers.simulator.instruments import DAY, Instrument
from workers.simulator.market import Model
from workers.simulator.minutes import Bar

MODEL = Model(1)
BARS = Bars(MODEL)


@given(instruments, times, st.integers(1, 3 * 1440))
@settings(max_examples=25, deadline=None)
def test_a_stretch_of_time_is_the_sum_of_its_minutes(instrument: Instrument, start: int, length: int) -> None:
    first = max(start // 60_000, instrument.listed // 60_000)
    expected: Bar | None = None
    for number in range(first, first + length):
        bar = MODEL.minute(instrument, number).bar()
        expected = bar if expected is None else expected.then(bar)
    assert BARS.between(instrument, first * 60_000, (first + length) * 60_000) == expected


@given(instruments, times, st.integers(1, 200_000), st.integers(1, 200_000))
def test_neighbouring_stretches_join(instrument: Instrument, start: int, one: int, two: int) -> None:
    start = max(start, instrument.listed)
    middle, end = start + one, start + one + two
    joined = BARS.between(instrument, start, middle).then(BARS.between(instrument, middle, end))
    whole = BARS.between(instrument, start, end)
    if instrument.market is not Market.COINM:  # whose volumes are rounded once per part
        assert joined == whole
    assert (joined.open, joined.close, joined.count) == (whole.open, whole.close, whole.count)


def test_nothing_exists_before_the_listing() -> None:
    bitcoin = BTC[Market.SPOT]
    rows = list(BARS.rows(bitcoin, "1d", 0, NOW))
    assert rows[0][0] == bitcoin.listed
    assert len(rows) == (NOW - bitcoin.listed) // DAY + 1
    assert BARS.between(bitcoin, 0, bitcoin.listed).count == 0


def test_the_open_candle_ends_now() -> None:
    opens, closes, bar = BARS.candle(BTC[Market.SPOT], "1m", NOW, NOW)
    assert opens <= NOW < closes
    assert bar == BARS.between(BTC[Market.SPOT], opens, NOW + 1)


def test_a_second_without_trades_is_flat() -> None:
    quiet = min(INSTRUMENTS, key=lambda each: each.aggregates)
    flat = [bar for _, _, bar in BARS.rows(quiet, "1s", NOW - 60_000, NOW) if not bar.count]
    assert flat
    assert all(bar.open == bar.high == bar.low == bar.close and bar.first == -1 for bar in flat)
