from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.window import SlidingWindow
from workers.simulator.limits import Counts, Dials, Pulse, Weights, charge
from workers.simulator.settings import Settings

MINUTE = 60_000


@given(st.lists(st.floats(0, 3), max_size=60))
def test_no_second_holds_more_than_the_window_allows(gaps: list[float]) -> None:
    window, now, charged = SlidingWindow(5, 1.0), 0.0, list[float]()
    for gap in gaps:
        now += gap
        if charge(window, now):
            charged.append(now)
        assert sum(instant > now - 1.0 for instant in charged) <= 5


def test_dials_are_counted_per_ip_and_market() -> None:
    dials = Dials(Settings(dials=2, dials_span=300.0))
    assert [dials.allows("a", Market.SPOT, now) for now in (0.0, 1.0, 2.0)] == [True, True, False]
    assert dials.allows("b", Market.SPOT, 2.0)
    assert dials.allows("a", Market.USDM, 2.0)
    assert dials.allows("a", Market.SPOT, 300.5)


def test_some_requests_are_counted_one_by_one() -> None:
    counts = Counts()
    assert not any(counts.charge("a", Market.USDM, "fundingRate", 0) for _ in range(500))
    assert counts.charge("a", Market.USDM, "fundingInfo", 100_000) == 201
    assert counts.charge("a", Market.USDM, "klines", 0) == counts.charge("b", Market.USDM, "fundingRate", 0) == 0
    assert counts.charge("a", Market.USDM, "fundingRate", 300_001) == 0


def pulse(*, any_pong: bool) -> Pulse:
    return Pulse(20.0, 60.0, any_pong=any_pong, now=0.0)


def test_pings_are_due_once_per_interval() -> None:
    beat = pulse(any_pong=False)
    assert [beat.due(now) for now in (19.9, 20.0, 20.1, 39.9, 40.0)] == [False, True, False, False, True]


def test_a_ping_without_its_pong_times_out() -> None:
    beat = pulse(any_pong=False)
    beat.pinged(b"1", 20.0)
    assert not beat.timed_out(80.0)
    assert beat.timed_out(80.1)


def test_a_pong_answers_its_ping_and_those_before() -> None:
    beat = pulse(any_pong=False)
    for at, payload in ((20.0, b"1"), (40.0, b"2"), (60.0, b"3")):
        beat.pinged(payload, at)
    beat.ponged(b"2")
    assert not beat.timed_out(120.0)
    assert beat.timed_out(120.1)


def test_an_unsolicited_pong_keeps_alive_on_futures_only() -> None:
    for any_pong in (True, False):
        beat = pulse(any_pong=any_pong)
        beat.pinged(b"1", 20.0)
        beat.ponged(b"")
        assert beat.timed_out(100.0) is not any_pong


def test_weight_is_counted_per_clock_minute() -> None:
    weights = Weights(Settings(weight_per_minute=10))
    assert weights.charge("a", Market.SPOT, 10, MINUTE).status == 200
    refused = weights.charge("a", Market.SPOT, 1, MINUTE + 50_000)
    assert (refused.status, refused.used, refused.retry) == (429, 11, 10)
    assert weights.charge("a", Market.SPOT, 1, 2 * MINUTE).used == 1


def test_futures_share_one_pool_and_spot_has_its_own() -> None:
    weights = Weights(Settings())
    assert weights.charge("a", Market.USDM, 2400, 0).status == 200
    assert weights.charge("a", Market.COINM, 1, 0).status == 429
    assert weights.charge("a", Market.SPOT, 6000, 0).status == 200
    assert weights.charge("b", Market.COINM, 1, 0).status == 200


def test_who_ignores_refusals_is_banned_beyond_the_minute() -> None:
    weights = Weights(Settings(weight_per_minute=1, refusals_before_ban=2, ban=120.0))
    statuses = [weights.charge("a", Market.SPOT, 1, 30_000).status for _ in range(5)]
    assert statuses == [200, 429, 429, 418, 418]
    assert weights.charge("a", Market.SPOT, 1, 149_000).status == 418
    assert weights.charge("a", Market.SPOT, 1, 150_000).status == 200
