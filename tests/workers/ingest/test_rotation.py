import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.ingest.rotation import SPREAD, rotation

HOUR = 3600.0
MIDNIGHT = 20_000 * 24 * HOUR


def test_by_age_connections_go_at_nine_tenths_of_it_to_all_of_it() -> None:
    rule = rotation(23 * HOUR, ())

    assert rule.due(MIDNIGHT, 0.0) == 23 * HOUR
    assert rule.due(MIDNIGHT, 1.0) == pytest.approx(20.7 * HOUR)


@pytest.mark.parametrize(
    ("opened", "left"), [(0.0, 4.25), (4.0, 0.25), (4.25, 20.7), (12.0, 16.25), (23.99, 4.26), (4.24, 0.01)]
)
def test_at_the_chosen_time_they_go_whatever_their_age(opened: float, left: float) -> None:
    rule = rotation(20.7 * HOUR, ("04:15",))

    assert rule.due(MIDNIGHT + opened * HOUR, 0.0) == pytest.approx(left * HOUR)


def test_not_all_go_at_once() -> None:
    rule = rotation(23 * HOUR, ("04:15",))

    assert [rule.due(MIDNIGHT, jitter) - 4.25 * HOUR for jitter in (0.0, 0.5, 1.0)] == [0.0, SPREAD / 2, SPREAD]


@given(opened=st.floats(0, 24 * HOUR), jitter=st.floats(0, 1))
def test_with_two_times_half_a_day_apart_age_never_decides(opened: float, jitter: float) -> None:
    assert rotation(23 * HOUR, ("04:17", "16:17")).due(MIDNIGHT + opened, jitter) <= 12 * HOUR + SPREAD


def test_what_was_opened_at_the_time_itself_waits_for_the_next_day() -> None:
    assert rotation(48 * HOUR, ("00:00",)).due(MIDNIGHT, 0.0) == 24 * HOUR


def test_times_may_have_seconds_as_toml_writes_them() -> None:
    assert rotation(1.0, ("04:17:00", "16:17")).at == (4 * HOUR + 17 * 60, 16 * HOUR + 17 * 60)
