from hypothesis import example, given
from hypothesis import strategies as st

from fsnats.binance.limits import DIALS_PER_FIVE_MINUTES, DIALS_PER_MINUTE
from fsnats.exits.budget import Budget, DialBudget


def test_weight_comes_back_when_its_minute_is_over() -> None:
    budget = Budget(10, 60.0)
    budget.spend(6, 0.0)
    budget.spend(4, 20.0)

    assert budget.wait(1, 20.0) == 40.0
    assert budget.wait(7, 20.0) == 60.0
    assert budget.wait(6, 60.0) == 0.0
    assert budget.used(60.0) == 4


def test_one_request_may_be_bigger_than_the_budget_when_it_is_alone() -> None:
    budget = Budget(10, 60.0)
    assert budget.wait(99, 0.0) == 0.0
    budget.spend(99, 0.0)

    assert budget.wait(1, 0.0) == 60.0


def test_what_others_of_the_same_address_use_counts_too() -> None:
    budget = Budget(10, 60.0)
    budget.spend(2, 0.0)
    budget.counted(9, 1.0)
    budget.counted(3, 2.0)

    assert budget.used(2.0) == 9


@example([(1, 1.9578733052835027), (1, 30.0), (9, 30.0)])
@given(st.lists(st.tuples(st.integers(1, 10), st.floats(0, 30)), max_size=30))
def test_who_waits_as_told_never_exceeds_the_limit(requests: list[tuple[int, float]]) -> None:
    budget, now = Budget(10, 60.0), 0.0
    for weight, pause in requests:
        now += pause
        wait = budget.wait(weight, now)
        now += wait + 1e-6 if wait else 0.0  # a hair longer: the sum of two floats may fall short
        budget.spend(weight, now)
        assert budget.used(now) <= 10


def test_a_storm_leaves_dials_for_the_minutes_after_it() -> None:
    budget = DialBudget(1.0)
    for _ in range(DIALS_PER_MINUTE):
        assert budget.reserve(0.0) == 0.0

    assert (budget.free(0.0), budget.delay(0.0)) == (0, 60.0)
    assert budget.free(60.0) == DIALS_PER_FIVE_MINUTES - DIALS_PER_MINUTE
    for _ in range(DIALS_PER_FIVE_MINUTES - DIALS_PER_MINUTE):
        assert budget.reserve(60.0) == 0.0
    assert budget.delay(60.0) == 240.0


def test_the_smallest_share_is_one_dial() -> None:
    budget = DialBudget(0.0001)

    assert [budget.reserve(0.0) for _ in range(3)] == [0.0, 300.0, 600.0]


@given(st.floats(0.01, 1.0), st.lists(st.floats(0, 20), max_size=400))
def test_who_dials_as_told_keeps_to_the_minute_and_to_five(share: float, pauses: list[float]) -> None:
    budget, now, instants = DialBudget(share), 0.0, []
    for pause in pauses:
        now += pause
        instants.append(now + budget.reserve(now))
    for span, most in ((60.0, DIALS_PER_MINUTE * share), (300.0, DIALS_PER_FIVE_MINUTES * share)):
        limit = max(1, round(most))
        for first, over in zip(instants, instants[limit:], strict=False):
            assert over - first >= span - 1e-6
