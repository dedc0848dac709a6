from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import SPOT_INTERVALS
from fsnats.candles.calendar import (
    HOUR,
    LENGTHS,
    counted,
    fills,
    following,
    length_of,
    moved,
    opening,
    preceding,
    span,
)
from fsnats.errors import Unusable

moments = st.integers(0, 4_102_444_800_000)  # until 2100
zones = st.integers(-12 * 4, 14 * 4).map(lambda quarters: quarters * HOUR // 4)


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@given(st.sampled_from(SPOT_INTERVALS), moments, zones)
def test_spans_hold_their_moment_and_touch(interval: str, at: int, zone: int) -> None:
    start, stop = span(interval, at, zone)
    assert start <= at < stop
    assert span(interval, start, zone) == span(interval, stop - 1, zone) == (start, stop)
    assert span(interval, stop, zone)[0] == following(interval, at, zone) == stop
    assert preceding(interval, stop, zone) == start
    assert preceding(interval, start, zone) < start


@pytest.mark.parametrize(
    ("interval", "opens", "closes"),
    [
        ("1s", "2026-11-20 11:31:52", "2026-11-20 11:31:53"),
        ("1m", "2026-11-20 11:31", "2026-11-20 11:32"),
        ("3m", "2026-11-20 11:30", "2026-11-20 11:33"),
        ("5m", "2026-11-20 11:30", "2026-11-20 11:35"),
        ("15m", "2026-11-20 11:30", "2026-11-20 11:45"),
        ("30m", "2026-11-20 11:30", "2026-11-20 12:00"),
        ("1h", "2026-11-20 11:00", "2026-11-20 12:00"),
        ("2h", "2026-11-20 10:00", "2026-11-20 12:00"),
        ("4h", "2026-11-20 08:00", "2026-11-20 12:00"),
        ("6h", "2026-11-20 06:00", "2026-11-20 12:00"),
        ("8h", "2026-11-20 08:00", "2026-11-20 16:00"),
        ("12h", "2026-11-20 00:00", "2026-11-20 12:00"),
        ("1d", "2026-11-20", "2026-11-21"),
        ("3d", "2026-11-18", "2026-11-21"),  # 1970-01-01 and 6925 times three days
        ("1w", "2026-11-16", "2026-11-23"),
        ("1M", "2026-11-01", "2026-12-01"),
    ],
)
def test_candles_begin_where_the_calendar_says(interval: str, opens: str, closes: str) -> None:
    assert span(interval, moment("2026-11-20 11:31:52")) == (moment(opens), moment(closes))


def test_months_know_leap_years_and_the_turn_of_the_year() -> None:
    assert span("1M", moment("2024-02-29 23:59")) == (moment("2024-02-01"), moment("2024-03-01"))
    assert span("1M", moment("2023-02-28")) == (moment("2023-02-01"), moment("2023-03-01"))
    assert span("1M", moment("2026-12-31")) == (moment("2026-12-01"), moment("2027-01-01"))


def test_a_day_in_beijing_begins_at_four_in_the_afternoon_utc() -> None:
    now = moment("2026-11-20 11:31")
    assert span("1d", now, 8 * HOUR) == (moment("2026-11-19 16:00"), moment("2026-11-20 16:00"))
    assert span("1M", now, 8 * HOUR)[0] == moment("2026-10-31 16:00")
    assert span("1w", now, 8 * HOUR)[0] == moment("2026-11-15 16:00")


@given(st.sampled_from(SPOT_INTERVALS), st.sampled_from(SPOT_INTERVALS), moments)
def test_what_fills_a_candle_ends_where_it_ends(lower: str, higher: str, at: int) -> None:
    start, stop = span(higher, at)
    if fills(lower, higher):
        assert span(lower, start)[0] == start
        assert span(lower, stop)[0] == stop


def test_what_does_not_fill_a_candle_is_known() -> None:
    assert all(fills("1m", higher) for higher in SPOT_INTERVALS[2:])
    assert all(fills("1d", higher) for higher in ("3d", "1w", "1M"))
    pairs = [("8h", "12h"), ("3d", "1w"), ("3d", "1M"), ("1w", "1M"), ("1m", "1m"), ("1h", "1m"), ("1M", "1M")]
    assert not any(fills(lower, higher) for lower, higher in pairs)
    assert not fills("7m", "1h")
    assert not fills("1m", "7h")


def test_every_interval_of_binance_is_known() -> None:
    assert {*LENGTHS, "1M"} == set(SPOT_INTERVALS)


@pytest.mark.parametrize("interval", ["7m", "", "1D"])
def test_an_unknown_interval_is_named(interval: str) -> None:
    with pytest.raises(Unusable, match=f"^{interval}: "):
        span(interval, 0)


def test_months_have_no_length() -> None:
    with pytest.raises(Unusable, match="differ"):
        length_of("1M")


@given(st.sampled_from(SPOT_INTERVALS), moments, st.integers(-500, 500))
def test_moving_counts_candles(interval: str, at: int, candles: int) -> None:
    first = opening(interval, at)
    there = moved(interval, first, candles)
    if there >= 0:
        assert span(interval, there)[0] == there
        assert counted(interval, first, there) == max(0, candles + 1)
        assert moved(interval, there, -candles) == first


def test_moving_by_months_ends_where_calendars_do() -> None:
    assert moved("1M", 0, -(10**12)) == moved("1M", 0, -(10**13)) < 0
    assert moved("1M", 0, 10**12) == moved("1M", 0, 10**13)


@given(st.sampled_from(SPOT_INTERVALS), moments)
def test_the_first_opening_is_at_a_moment_or_the_next_one(interval: str, at: int) -> None:
    start, stop = span(interval, at)
    assert opening(interval, start) == start
    assert opening(interval, at) in (start, stop)
    assert opening(interval, at) >= at
