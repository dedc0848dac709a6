from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.metrics.family import distribution
from fsnats.metrics.histogram import BOUNDS, Histogram, Spread

WAIT = distribution("fsnats_wait_seconds", "waits", "market")


def told(histogram: Histogram) -> dict[str, float]:
    """The samples by their ends: a bucket's by its bound."""
    return {sample.labels.get("le", sample.suffix): sample.value for sample in histogram.samples(WAIT, "spot")}


def test_a_bucket_holds_what_is_not_more_than_its_bound() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 7.0):
        histogram.observe(value)
    assert told(histogram) == {"1": 2, "2": 3, "+Inf": 4, "_sum": 10.0, "_count": 4}


def test_clocks_that_disagree_make_no_negative_waits() -> None:
    histogram = Histogram((1.0,))
    histogram.observe(-3.0)
    assert told(histogram) == {"1": 1, "+Inf": 1, "_sum": 0.0, "_count": 1}


def test_what_is_recent_is_forgotten_after_two_turns_and_the_rest_never() -> None:
    histogram = Histogram((1.0, 2.0))
    histogram.observe(0.5)
    histogram.turn()
    assert histogram.recent().count == 1
    histogram.turn()
    assert histogram.recent() == Spread(None, None, 0)
    assert told(histogram)["_count"] == 1


def test_without_values_nothing_is_said() -> None:
    assert Histogram().recent() == Spread(None, None, 0)


def test_more_than_the_last_bound_is_told_as_that() -> None:
    histogram = Histogram((1.0, 2.0))
    histogram.observe(1000.0)
    assert histogram.recent().p50 == 2000.0


@given(st.lists(st.floats(0, 9.9), min_size=1, max_size=50))
def test_an_estimate_lies_in_the_bucket_of_the_value(values: list[float]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.observe(value)
    median = sorted(values)[(len(values) + 1) // 2 - 1]
    bucket = bisect_left(BOUNDS, median)
    estimate = histogram.recent().p50
    assert estimate is not None
    lower = BOUNDS[bucket - 1] if bucket else 0.0
    assert lower * 1000 == pytest.approx(min(estimate, lower * 1000), abs=0.001)
    assert estimate <= BOUNDS[bucket] * 1000 + 0.001
