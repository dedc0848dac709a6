import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admission.pace import BYTES, CHANGES, Pace, Paces, Verdict


def test_a_second_s_worth_at_once_is_carried_out_and_not_more() -> None:
    pace = Pace(3.0, 0.0)
    assert [pace.take(0.0) for _ in range(4)] == [Verdict.CARRIED_OUT] * 3 + [Verdict.REFUSED]


def test_nor_after_an_hour_without_a_request() -> None:
    pace = Pace(3.0, 0.0)
    assert [pace.take(3600.0) for _ in range(4)] == [Verdict.CARRIED_OUT] * 3 + [Verdict.REFUSED]


def test_after_a_pause_it_goes_on() -> None:
    pace = Pace(2.0, 0.0)
    for _ in range(3):
        pace.take(0.0)
    assert pace.take(0.9) is Verdict.REFUSED
    assert pace.take(2.5) is Verdict.CARRIED_OUT


def test_who_never_pauses_is_closed_in_the_end() -> None:
    pace = Pace(10.0, 0.0)
    verdicts = [pace.take(number / 1000) for number in range(200)]
    assert verdicts.index(Verdict.THE_LAST) > 100
    assert verdicts[-1] is Verdict.THE_LAST


def test_a_rate_below_one_lets_the_first_request_through() -> None:
    pace = Pace(0.1, 0.0)
    assert [pace.take(0.0), pace.take(5.0), pace.take(25.0)] == [
        Verdict.CARRIED_OUT,
        Verdict.REFUSED,
        Verdict.CARRIED_OUT,
    ]


def test_a_request_that_changes_many_streams_counts_as_several() -> None:
    pace = Pace(10.0, 0.0)
    pace.take(0.0)
    pace.charge(10 * CHANGES, 2 * BYTES)
    assert pace.wait == pytest.approx(0.4)
    assert pace.take(0.0) is Verdict.REFUSED
    assert pace.take(pace.wait) is Verdict.CARRIED_OUT


def test_who_comes_again_after_the_wait_is_served() -> None:
    pace = Pace(10.0, 0.0)
    while pace.take(1.0) is Verdict.CARRIED_OUT:
        assert pace.wait < 0.2
    assert pace.take(1.0 + pace.wait + 1e-9) is Verdict.CARRIED_OUT
    assert Pace(10.0, 0.0).wait == 0.0


@given(st.floats(0.5, 100), st.lists(st.floats(0, 2), max_size=100))
def test_never_more_than_the_rate_and_one_second_s_worth(rate: float, pauses: list[float]) -> None:
    pace, now, carried = Pace(rate, 0.0), 0.0, 0
    for pause in pauses:
        now += pause
        carried += pace.take(now) is Verdict.CARRIED_OUT
    assert carried <= rate * now + max(rate, 1.0) + 1e-6


def test_each_client_has_a_pace_of_its_own_until_it_is_forgotten() -> None:
    paces = Paces(most=2)
    assert [paces.allow("a", 1.0, 0.0), paces.allow("a", 1.0, 0.0), paces.allow("b", 1.0, 0.0)] == [True, False, True]
    assert paces.allow("c", 1.0, 0.0)
    assert paces.allow("a", 1.0, 0.0)  # forgotten, since b and c came later
    assert not paces.allow("c", 1.0, 0.0)
    assert paces.allow("c", 2.0, 0.0)  # its token allows more now


def test_two_tokens_of_one_name_do_not_renew_each_others_pace() -> None:
    paces = Paces()
    allowed = [paces.allow("bot", rate, 0.0) for _ in range(10) for rate in (1.0, 2.0)]
    assert sum(allowed) == 3
