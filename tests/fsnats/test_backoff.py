from hypothesis import given
from hypothesis import strategies as st

from fsnats.backoff import Backoff


def test_delays_double_up_to_the_most() -> None:
    backoff = Backoff(1.0, 60.0, lambda: 1.0)

    assert [backoff.next_delay() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_health_starts_over() -> None:
    backoff = Backoff(1.0, 60.0, lambda: 1.0)
    for _ in range(5):
        backoff.next_delay()

    backoff.healthy()

    assert backoff.next_delay() == 1.0


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=200))
def test_jitter_never_leaves_half_to_all_of_the_delay(jitters: list[float]) -> None:
    numbers = iter(jitters)
    backoff = Backoff(1.0, 60.0, lambda: next(numbers))
    for failures in range(len(jitters)):
        full = min(2.0 ** min(failures, 6), 60.0)
        assert full / 2 <= backoff.next_delay() <= full
