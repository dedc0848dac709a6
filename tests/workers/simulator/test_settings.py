import math

from fsnats.binance.streams import Market
from workers.simulator.settings import Settings


def test_limits_are_the_exchanges_own_unless_told() -> None:
    usual, strict = (
        Settings(),
        Settings(messages_per_second=1, ping_interval=0.1, pong_deadline=0.2, weight_per_minute=7),
    )
    assert [usual.messages_in_a_second(market) for market in Market] == [5, 10, 10]
    assert [usual.ping_every(market) for market in Market] == [20.0, 180.0, 180.0]
    assert [usual.pong_within(market) for market in Market] == [60.0, 600.0, 600.0]
    assert [usual.weight_of_a_minute(market) for market in Market] == [6000, 2400, 2400]
    for market in Market:
        assert strict.messages_in_a_second(market) == 1
        assert (strict.ping_every(market), strict.pong_within(market)) == (0.1, 0.2)
        assert strict.weight_of_a_minute(market) == 7


def test_an_infinite_speed_is_unpaced() -> None:
    assert Settings(speed=math.inf).unpaced
    assert not Settings().unpaced
