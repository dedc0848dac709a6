from hypothesis import given
from hypothesis import strategies as st

from fsnats.candles.calendar import HOUR, MINUTE
from fsnats.store import Span
from workers.history.coverage import after, at, before, last_over, proved

SPANS = [Span(10, 20), Span(30, 30), Span(40, 50)]
NOW = 1_795_174_351_645
OPEN = NOW // MINUTE * MINUTE


@given(st.integers(0, 60))
def test_a_key_lies_in_one_span_between_two_others(key: int) -> None:
    assert at(SPANS, key) == next((one for one in SPANS if one.first <= key <= one.last), None)
    assert after(SPANS, key) == next((one for one in SPANS if one.first > key), None)
    assert before(SPANS, key) == next((one for one in reversed(SPANS) if one.last < key), None)


def test_the_last_candle_that_is_over_is_the_one_before_the_open_one() -> None:
    assert last_over("1m", NOW) == OPEN - MINUTE
    assert last_over("1m", OPEN) == OPEN - MINUTE


def test_an_answer_proves_nothing_of_the_open_candle_and_of_one_that_just_closed() -> None:
    assert proved("1m", OPEN - 5 * MINUTE, OPEN, OPEN, OPEN + 9_999) == Span(OPEN - 5 * MINUTE, OPEN - 2 * MINUTE)
    assert proved("1m", OPEN - 5 * MINUTE, OPEN, OPEN, OPEN + 10_000) == Span(OPEN - 5 * MINUTE, OPEN - MINUTE)
    assert proved("1m", OPEN, OPEN, OPEN, NOW) is None


def test_what_did_not_come_is_absent_for_ever_only_after_an_hour() -> None:
    first = OPEN - 3 * HOUR
    assert proved("1m", first, OPEN - 2 * HOUR, None, NOW) == Span(first, OPEN - 2 * HOUR)
    assert proved("1m", first, OPEN, None, NOW) == Span(first, OPEN - HOUR - MINUTE)
    assert proved("1m", OPEN - 9 * MINUTE, OPEN, None, NOW) is None
    assert proved("1m", first, OPEN, OPEN - 30 * MINUTE, NOW) == Span(first, OPEN - 30 * MINUTE)
