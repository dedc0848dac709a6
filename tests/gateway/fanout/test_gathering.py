import pytest

from gateway.fanout.gathering import WINDOW, Gathering


def gathered(clients: int, rate: float, most: float = 0.008) -> float:
    """How long is waited in the second second of so many messages a second to all of the clients together."""
    gathering = Gathering(most)
    gathering.delay(1000.0, 0, clients)
    return gathering.delay(1001.0, int(rate), clients)


@pytest.mark.parametrize(
    ("clients", "rate", "delay"),
    [
        (50, 20_000, 0),  # far from busy
        (50, 50_000, 0),
        (100, 90_000, 0.008),  # dashboards: seven messages come for each in that time
        (1000, 1_000_000, 0.008),
        (50, 200_000, 0.0025),  # ten messages do not take longer to come
        (1000, 100_000, 0),  # busy, but there is less than one to gather
        (0, 100_000, 0),
    ],
)
def test_waiting_is_for_what_is_gained_by_it(clients: int, rate: float, delay: float) -> None:
    assert gathered(clients, rate) == pytest.approx(delay)


def test_nothing_waits_where_nothing_may() -> None:
    assert gathered(100, 90_000, most=0.0) == 0.0


def test_the_rate_is_that_of_the_last_moments() -> None:
    gathering = Gathering(0.008)
    gathering.delay(1000.0, 0, 100)
    assert gathering.delay(1000.0 + WINDOW / 2, 90_000, 100) == 0.0
    assert gathering.delay(1000.0 + WINDOW, 90_000, 100) > 0.0
    assert gathering.delay(1001.0, 90_100, 100) == 0.0
