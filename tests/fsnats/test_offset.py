import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.offset import MOST_MS, Estimator, Offset, Offsets, encode, measured
from fsnats.subjects import clock

SPOT = Market.SPOT


def offset(offset_ms: float, rtt_ms: float = 10.0) -> Offset:
    return Offset(SPOT, offset_ms, rtt_ms, 17)


def test_the_exchange_is_asked_in_the_middle_of_the_round_trip() -> None:
    found = measured(SPOT, 1_000_000_000, 61_010, 1_020_000_000)

    assert (found.offset_ms, found.rtt_ms, found.at_ms) == (60_000.5, 20.0, 1020)


milliseconds = st.floats(0, 2000)


@given(st.lists(st.tuples(milliseconds, milliseconds), min_size=1, max_size=8), st.floats(-1e7, 1e7))
def test_the_truth_lies_within_half_the_round_trip(trips: list[tuple[float, float]], truth: float) -> None:
    """Whatever the way there and back take, each for itself."""
    estimator = Estimator()
    now = 1_700_000_000_000.0
    for there, back in trips:
        sent_ns, received_ns = round(now * 1e6), round((now + there + back) * 1e6)
        estimator.add(measured(SPOT, sent_ns, int(now + there + truth), received_ns))
        now += 60_000
        best = estimator.best
        assert best is not None
        assert abs(best.offset_ms - truth) <= best.rtt_ms / 2 + 0.51  # and what the exchange rounds away
    assert estimator.best is not None
    assert estimator.best.rtt_ms <= min(sum(trip) for trip in trips[-5:]) + 0.01


def test_the_shortest_round_trip_counts_until_it_is_old() -> None:
    estimator = Estimator()
    estimator.add(offset(3.0, rtt_ms=2.0))
    for _ in range(4):
        estimator.add(offset(5.0, rtt_ms=20.0))
        assert estimator.best == offset(3.0, rtt_ms=2.0)
    estimator.add(offset(5.0, rtt_ms=20.0))
    assert estimator.best == offset(5.0, rtt_ms=20.0)


def test_a_clock_that_was_set_is_believed_at_once() -> None:
    estimator = Estimator()
    estimator.add(offset(0.0, rtt_ms=2.0))
    estimator.add(offset(60_000.0, rtt_ms=300.0))
    assert estimator.best == offset(60_000.0, rtt_ms=300.0)


def test_a_clock_that_was_set_during_the_question_says_nothing() -> None:
    estimator = Estimator()
    estimator.add(offset(0.0))
    estimator.add(measured(SPOT, 2_000_000_000, 1500, 1_000_000_000))
    assert estimator.best is None


@pytest.mark.parametrize(
    ("estimate", "misleads"),
    [
        (offset(MOST_MS + 10), False),
        (offset(MOST_MS + 11), True),
        (offset(-MOST_MS - 11), True),
        (offset(900.0, rtt_ms=800.0), False),  # it may be the way that is slow
    ],
)
def test_what_the_round_trip_hides_is_not_held_against_a_clock(estimate: Offset, misleads: bool) -> None:
    assert estimate.misleads is misleads


def test_it_reads_as_a_sentence() -> None:
    assert str(offset(1500.0)) == "this machine's clock is 1.50 s behind the exchange's"
    assert str(offset(-90.0)) == "this machine's clock is 0.09 s ahead of the exchange's"


def test_readers_know_the_newest_of_each_market() -> None:
    bus = MemoryBus()
    offsets = Offsets(bus)
    for market, milliseconds in ((SPOT, 1.0), (Market.USDM, 2.0), (SPOT, 3.0)):
        bus.publish(clock(market), encode(Offset(market, milliseconds, 1.0, 17)))
    bus.publish(clock(SPOT), b"rubbish")

    assert {market: one.offset_ms for market, one in offsets.newest.items()} == {SPOT: 3.0, Market.USDM: 2.0}
