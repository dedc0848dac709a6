import pytest

from fsnats.chaos.judge import Verdict
from fsnats.chaos.report import Report, problems
from fsnats.chaos.scenarios import BY_NAME


def report(**fields: int) -> Report:
    verdict = Verdict(produced=10, once=10)
    for name, value in fields.items():
        setattr(verdict, name, value)
    return Report("cut", verdict, {"aggTrade": verdict}, {"a": 0.5, "b": 1.5})


def test_zeros_are_good() -> None:
    assert problems(report(), BY_NAME["cut"]) == []
    assert problems(report(recovered=3, superseded=2, late=1), BY_NAME["cut"]) == []


@pytest.mark.parametrize("field", ["unnoticed", "duplicated", "foreign", "altered", "disordered"])
def test_each_zero_is_demanded(field: str) -> None:
    (problem,) = problems(report(**{field: 3}), BY_NAME["cut"])
    assert problem.startswith("3 ")


def test_aggregate_trades_may_be_missing_only_where_rest_does_not_serve() -> None:
    assert problems(report(missing=2), BY_NAME["cut"]) == ["2 aggregate trades missing that REST has"]
    assert problems(report(missing=2), BY_NAME["limits"]) == []


def test_data_must_come_back_and_where_it_is_promised_in_time() -> None:
    slow = report()
    slow.back["b"] = 2.5
    assert problems(slow, BY_NAME["cut"]) == ["data after 2.5 s"]
    assert problems(slow, BY_NAME["refused"]) == []
    slow.back["b"] = None
    assert slow.back_p95 is None
    assert problems(slow, BY_NAME["refused"]) == ["1 of 2 streams did not come back, such as b"]


@pytest.mark.parametrize("field", ["recovered", "missing", "late"])
def test_where_either_connection_suffices_nothing_is_missing_fetched_or_late(field: str) -> None:
    seam = report(**{field: 3})
    seam.by_kind = {}
    (problem,) = problems(seam, BY_NAME["either-dies"])
    assert problem.startswith("3 ")


def test_where_either_connection_suffices_no_gap_is_told() -> None:
    seam = report()
    seam.notices = 2
    assert problems(seam, BY_NAME["either-dies"]) == ["2 gap notices, where either connection suffices"]
    assert problems(seam, BY_NAME["cut"]) == []


def test_broken_limits_are_told_once_each() -> None:
    broken = report()
    broken.violations = ["messages on spot: more than 5 in a second"] * 2
    assert problems(broken, BY_NAME["cut"]) == ["limit broken: messages on spot: more than 5 in a second"]
