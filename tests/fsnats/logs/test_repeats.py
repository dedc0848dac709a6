from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.logs import repeats
from fsnats.logs.repeats import EVENT_FACTOR, Held, Repeats


def test_what_is_repeated_is_counted_and_told_when_its_window_is_over() -> None:
    counts = Repeats[int](2, 60.0)
    assert [counts.admit("feed.down", "a", number, number) for number in range(5)] == [True, True, False, False, False]
    assert counts.admit("feed.down", "b", 9, 5.0)
    assert counts.holds
    assert counts.due(59.9) == []
    assert counts.due(60.0) == [Held(4, 3, 60.0)]
    assert counts.admit("feed.down", "a", 1, 60.0)
    assert not counts.holds


def test_an_event_of_very_many_subjects_is_counted_too() -> None:
    counts = Repeats[int](2, 60.0)
    told = [counts.admit("client.slow", number, number, 0.0) for number in range(100)]
    assert sum(told) == 2 * EVENT_FACTOR
    assert counts.admit("client.gone", 1, 1, 0.0)
    assert counts.due(60.0) == [Held(99, 100 - 2 * EVENT_FACTOR, 60.0)]


def test_when_nothing_more_comes_the_rest_is_told() -> None:
    counts = Repeats[str](1)
    counts.admit("a", 1, "x", 0.0)
    counts.admit("a", 1, "y", 1.0)
    assert counts.rest(2.0) == [Held("y", 1, 2.0)]
    assert counts.rest(3.0) == []


EVENTS = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 12), st.floats(0, 40), st.booleans()), max_size=200)


@given(EVENTS, st.integers(1, 4))
def test_nothing_is_lost_from_the_counts(events: list[tuple[str, int, float, bool]], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "SUBJECTS_MOST", 8)  # so that some are forgotten before their time
        counts = Repeats[str](most, 60.0)
        offered, admitted, told = Counter[str](), Counter[str](), Counter[str]()
        now = 0.0
        for event, subject, pause, looks in events:
            now += pause
            if looks:
                for held in counts.due(now):
                    told[held.sample] += held.times
            offered[event] += 1
            admitted[event] += counts.admit(event, subject, event, now)
        for held in counts.rest(now):
            told[held.sample] += held.times
        assert admitted + told == offered


@given(st.lists(st.floats(0, 5), max_size=300), st.integers(1, 4))
def test_no_window_of_one_subject_has_more_lines_than_it_may(pauses: list[float], most: int) -> None:
    counts = Repeats[None](most, 60.0)
    now, times = 0.0, []
    for pause in pauses:
        now += pause
        counts.due(now)
        if counts.admit("a", "b", None, now):
            times.append(now)
    # Windows begin with their first event: any 60 s touch two of them.
    for first in times:
        assert sum(first <= time < first + 60.0 for time in times) <= 2 * most
