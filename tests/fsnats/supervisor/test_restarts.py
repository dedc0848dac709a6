from hypothesis import given
from hypothesis import strategies as st

from fsnats.errors import EXIT_CONFIG, EXIT_UNAVAILABLE, EXIT_USAGE
from fsnats.supervisor.restarts import DELAY_FIRST, DELAY_MOST, HEALTHY, Restarts

KILLED = -9


def test_the_delay_doubles_up_to_a_minute() -> None:
    restarts = Restarts()

    delays = [restarts.after_exit(1, 0.0) for _ in range(11)]

    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 60.0, 60.0]
    assert restarts.count == 11


def test_the_delay_starts_over_after_a_healthy_life() -> None:
    restarts = Restarts()
    for _ in range(5):
        restarts.after_exit(1, HEALTHY - 0.1)

    assert restarts.after_exit(KILLED, HEALTHY) == DELAY_FIRST


def test_a_wrong_setting_or_command_is_never_started_again() -> None:
    assert Restarts().after_exit(EXIT_CONFIG, 1000.0) is None
    assert Restarts().after_exit(EXIT_USAGE, 0.0) is None


def test_an_unavailable_world_may_come_back() -> None:
    assert Restarts().after_exit(EXIT_UNAVAILABLE, 0.0) == DELAY_FIRST


@given(st.lists(st.tuples(st.sampled_from([0, 1, 69, 137, -9, -15]), st.floats(0, 1e6))))
def test_nothing_else_is_ever_given_up(lives: list[tuple[int, float]]) -> None:
    restarts = Restarts()
    for status, healthy_for in lives:
        delay = restarts.after_exit(status, healthy_for)

        assert delay is not None
        assert DELAY_FIRST <= delay <= DELAY_MOST
