from hypothesis import given
from hypothesis import strategies as st

from gateway.departure import Departure

seconds = st.floats(0, 600)
counts = st.integers(0, 10_000)


def test_goodbyes_are_spread_and_closings_follow_each_after_the_same_time() -> None:
    departure = Departure(4, 8.0)

    assert departure.lead == 2.0
    assert [departure.told(elapsed) for elapsed in (0, 1, 1.6, 3.1, 4.6, 7)] == [1, 1, 2, 3, 4, 4]
    assert [departure.closed(elapsed) for elapsed in (0, 1.9, 2, 3.6, 5.1, 6.6)] == [0, 0, 1, 2, 3, 4]


@given(counts)
def test_without_time_everything_happens_at_once(count: int) -> None:
    assert Departure(count, 0.0).told(0.0) == Departure(count, 0.0).closed(0.0) == count


@given(counts, seconds, st.lists(st.floats(0, 700), max_size=20))
def test_nobody_is_closed_before_being_told_and_nobody_is_untold(
    count: int, seconds: float, times: list[float]
) -> None:
    departure = Departure(count, seconds)
    before = (0, 0)
    for elapsed in sorted(times):
        now = departure.told(elapsed), departure.closed(elapsed)
        assert 0 <= now[1] <= now[0] <= count
        assert now >= before
        before = now


@given(counts, seconds)
def test_when_the_time_is_up_everybody_is_closed(count: int, seconds: float) -> None:
    assert Departure(count, seconds).closed(seconds + 1e-6) == count
