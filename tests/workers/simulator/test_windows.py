from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from tests.workers.simulator.worlds import BTC, NOW, instruments
from workers.simulator.bars import Bars
from workers.simulator.instruments import Instrument
from workers.simulator.market import Model
from workers.simulator.windows import Windows

MODEL = Model(1)
WINDOWS = Windows(MODEL)
BARS = Bars(MODEL)


@given(instruments, st.sampled_from([1, 4, 24]), st.integers(0, 3_600_000))
@settings(max_examples=40, deadline=None)
def test_a_window_agrees_with_the_candles_where_it_is_exact(instrument: Instrument, hours: int, earlier: int) -> None:
    now = NOW - earlier
    window = WINDOWS.at(instrument, hours, now)
    bar = BARS.between(instrument, window.opens, now + 1)
    assert (window.open, window.close, window.volume) == (bar.open, bar.close, bar.volume)
    assert (window.first, window.last) == (bar.first, bar.last)
    assert window.last - window.first + 1 == bar.count
    assert window.low <= min(window.open, window.close) <= max(window.open, window.close) <= window.high
    if instrument.market is not Market.COINM:
        assert abs(window.quote / bar.quote - 1) < 0.05


def test_a_day_long_window_begins_at_a_full_minute_a_day_ago() -> None:
    window = WINDOWS.at(BTC[Market.SPOT], 24, NOW)
    assert window.opens % 60_000 == 0
    assert NOW - 86_400_000 < window.opens <= NOW - 86_400_000 + 60_000
