from hypothesis import given
from hypothesis import strategies as st

from fsnats.backfill.keys import SETTLED, after, before, count, further, openings, settled
from fsnats.binance.streams import SPOT_INTERVALS, Market
from fsnats.candles.calendar import DAY, HOUR, MINUTE
from fsnats.store import Series, Span

TRADES = Series(Market.SPOT, "aggTrade", "BTCUSDT")
SERIES = st.sampled_from([TRADES, *(Series(Market.SPOT, "kline", "BTCUSDT", each) for each in SPOT_INTERVALS)])
MONTHS = Series(Market.USDM, "kline", "BTCUSDT", "1M")
MINUTES = Series(Market.USDM, "kline", "BTCUSDT", "1m")


def keys(series: Series, number: int) -> list[int]:
    """The first keys after some Friday."""
    made = [after(series, 1_700_000_000_000)]
    while len(made) < number:
        made.append(after(series, made[-1]))
    return made


@given(SERIES, st.integers(0, 40))
def test_keys_are_counted_and_found(series: Series, number: int) -> None:
    places = keys(series, 41)
    assert further(series, places[0], number) == places[number]
    assert count(series, Span(places[0], places[number])) == number + 1
    assert before(series, after(series, places[number])) == places[number]


def test_a_range_of_time_holds_the_candles_that_open_in_it() -> None:
    assert openings(MINUTES, HOUR, HOUR + 2 * MINUTE) == Span(HOUR, HOUR + MINUTE)
    assert openings(MINUTES, HOUR + 1, HOUR + 2 * MINUTE + 1) == Span(HOUR + MINUTE, HOUR + 2 * MINUTE)
    assert openings(MINUTES, HOUR + 1, HOUR + MINUTE) is None
    january, march = 1_704_067_200_000, 1_709_251_200_000
    assert openings(MONTHS, january, march) == Span(january, january + 31 * DAY)


def test_a_candle_that_ended_a_moment_ago_is_not_settled() -> None:
    assert settled(MINUTES, HOUR, 2 * HOUR, HOUR + 2 * MINUTE + SETTLED) == Span(HOUR, HOUR + MINUTE)
    assert settled(MINUTES, HOUR, 2 * HOUR, HOUR + 2 * MINUTE + SETTLED - 1) == Span(HOUR, HOUR)
    assert settled(MINUTES, HOUR, HOUR + MINUTE, 2 * HOUR) == Span(HOUR, HOUR)
    assert settled(MINUTES, HOUR, 2 * HOUR, HOUR + MINUTE) is None
