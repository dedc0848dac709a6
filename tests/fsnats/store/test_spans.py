"""Spans of keys, joined and taken from one another; what they do is compared with sets."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.errors import Unusable
from fsnats.store import Series, Span
from fsnats.store.spans import missing, steps, union

IDS = steps(Series(Market.SPOT, "aggTrade", "BTCUSDT"))
SPANS = st.lists(st.builds(lambda first, more: Span(first, first + more), st.integers(0, 30), st.integers(0, 6)))


def keys(spans: list[Span]) -> set[int]:
    return {key for span in spans for key in range(span.first, span.last + 1)}


@given(SPANS)
def test_a_union_has_the_same_keys_in_as_few_spans_as_can_be(spans: list[Span]) -> None:
    joined = union(spans, IDS)
    assert keys(joined) == keys(spans)
    assert all(one.last + 1 < other.first for one, other in pairwise(joined))


@given(SPANS, st.integers(0, 30), st.integers(0, 20))
def test_what_is_missing_is_what_was_wanted_without_what_is_there(spans: list[Span], first: int, more: int) -> None:
    gaps = missing(spans, Span(first, first + more), IDS)
    assert keys(gaps) == set(range(first, first + more + 1)) - keys(spans)
    assert gaps == union(gaps, IDS)


def test_months_follow_one_another_by_the_calendar() -> None:
    def month(number: int) -> int:
        return int(datetime(2024, number, 1, tzinfo=UTC).timestamp()) * 1000

    months = steps(Series(Market.SPOT, "kline", "BTCUSDT", "1M"))
    assert union([Span(month(1), month(2)), Span(month(3), month(3))], months) == [Span(month(1), month(3))]
    assert missing([Span(month(3), month(3))], Span(month(1), month(5)), months) == [
        Span(month(1), month(2)),
        Span(month(4), month(5)),
    ]


def test_an_interval_that_binance_does_not_have_is_refused() -> None:
    with pytest.raises(Unusable, match="7m"):
        steps(Series(Market.SPOT, "kline", "BTCUSDT", "7m"))
