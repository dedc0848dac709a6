from hypothesis import given
from hypothesis import strategies as st

from fsnats.window import SlidingWindow


def test_first_ones_happen_at_once_and_the_next_waits_for_the_oldest_to_leave() -> None:
    window = SlidingWindow(2, 1.0)

    assert [window.reserve(10.0), window.reserve(10.25), window.reserve(10.5)] == [0, 0, 0.5]


def test_many_waiting_callers_are_spread_over_the_windows() -> None:
    window = SlidingWindow(2, 1.0)

    assert [window.reserve(0.0) for _ in range(6)] == [0, 0, 1, 1, 2, 2]


def test_free_counts_what_may_happen_now() -> None:
    window = SlidingWindow(3, 60.0)
    window.reserve(0.0)
    window.reserve(30.0)

    assert (window.free(30.0), window.free(61.0)) == (1, 2)


def test_a_smaller_window_remembers_what_happened() -> None:
    window = SlidingWindow(3, 60.0)
    for now in (0.0, 10.0, 20.0):
        window.reserve(now)
    window.resize(2)

    assert (window.free(20.0), window.delay(20.0)) == (0, 50.0)
    window.resize(3)
    assert (window.free(20.0), window.delay(20.0)) == (1, 0.0)


@given(st.integers(1, 7), st.floats(0.1, 60), st.lists(st.floats(0, 5), min_size=1, max_size=60))
def test_no_window_ever_holds_more_than_the_limit(limit: int, span: float, steps: list[float]) -> None:
    window = SlidingWindow(limit, span)
    now, instants = 0.0, []
    for step in steps:
        now += step
        instants.append(now + window.reserve(now))
    for start in range(len(instants) - limit):
        # One more than the limit always spans the whole window (minus what floats lose).
        assert instants[start + limit] - instants[start] >= span - 1e-6
