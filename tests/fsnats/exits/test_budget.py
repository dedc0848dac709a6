from hypothesis import example, given
from hypothesis import strategies as st

from fsnats.exits.budget import Budget


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
