from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.binance.weights import weight_of
from workers.ingest.trail import AGAIN, AGAIN_MOST, MINUTE, PAIR, ROWS, Trail, Trails, question


def aggregates(*numbers: int, at: int | None = None) -> list[msgspec.Raw]:
    """Spot's aggregate trades, each at a moment of its own unless all are `at` one."""
    return [msgspec.Raw(b'{"a":%d,"p":"1","T":%d}' % (each, each if at is None else at)) for each in numbers]


def test_trades_between_two_answers_are_counted() -> None:
    trail = Trail()
    trail.saw(aggregates(1, 2, 3), 10.0)
    assert trail.moments(10.0) == 0
    trail.saw(aggregates(2, 3, 4, 5), 15.0)
    assert trail.moments(10.0) == 2
    assert trail.moments(10.1) == 0
    trail.saw(aggregates(6), 20.0)
    assert (trail.moments(0.0), trail.moments(12.0), trail.moments(16.0)) == (3, 1, 0)


def test_one_order_that_takes_many_prices_is_one_moment() -> None:
    trail = Trail()
    trail.saw(aggregates(1), 0.0)
    trail.saw(aggregates(*range(2, 40), at=7), 5.0)
    assert trail.moments(0.0) == 1


def test_single_trades_count_as_well() -> None:
    trail = Trail()
    trail.saw([msgspec.Raw(b'{"id":1,"price":"1","time":5}')], 0.0)
    trail.saw([msgspec.Raw(b'{"id":2,"price":"1","time":6}')], 5.0)
    assert trail.moments(0.0) == 1


def test_a_symbol_without_any_trade_has_no_moments() -> None:
    trail = Trail()
    for asked in range(5):
        trail.saw([], float(asked))
    assert trail.moments(0.0) == 0


def test_rows_of_another_shape_are_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        Trail().saw([msgspec.Raw(b'["html"]')], 0.0)


@given(st.lists(st.lists(st.integers(0, 60), max_size=8), max_size=30), st.integers(0, 30))
def test_never_are_more_moments_told_than_there_were(answers: list[list[int]], since: int) -> None:
    trail = Trail()
    seen: list[set[int]] = []
    for asked, numbers in enumerate(answers):
        trail.saw(aggregates(*numbers), float(asked))
        seen.append(set(numbers))
    before = max((max(each, default=0) for each in seen[: since + 1]), default=0)
    later = {number for each in seen[since + 1 :] for number in each if number > before}
    assert trail.moments(float(since)) <= len(later)


def test_the_question_is_the_cheapest_one() -> None:
    spot, usdm = question(Market.SPOT, "BTCUSDT"), question(Market.USDM, "BTCUSDT")
    assert (spot.method, usdm.method) == ("aggTrades", "trades")
    assert usdm.parameters == {"symbol": "BTCUSDT", "limit": ROWS}
    assert weight_of(Market.SPOT, spot.method, spot.parameters) == 4
    assert weight_of(Market.USDM, usdm.method, usdm.parameters) == 5


def asked_at(trails: Trails, *symbols: str, until: int, trade_every: float = 0.0) -> list[tuple[int, str]]:
    """When a symbol is asked about, where each is traded so often, or never."""
    asked = []
    for now in range(until):
        symbol = trails.due(dict.fromkeys(symbols, 0.0), float(now))
        if symbol is not None:
            asked.append((now, symbol))
            count = int(now / trade_every) if trade_every else 0
            trails.answered(symbol, aggregates(*range(max(0, count - ROWS), count + 1)), float(now))
    return asked


def test_a_quiet_symbol_is_asked_about_twice_soon_and_then_more_and_more_rarely() -> None:
    pauses = [after - before for (before, _), (after, _) in pairwise(asked_at(Trails(), "A", until=8000))]
    assert pauses == [PAIR, *(min(AGAIN * 2**n, AGAIN_MOST) for n in range(len(pauses) - 1))]


def test_a_symbol_that_is_traded_is_asked_about_when_enough_may_have_come() -> None:
    trails = Trails()
    assert [at for at, _ in asked_at(trails, "A", until=60, trade_every=2.5)] == [0, 5, 13, 21, 51]
    assert trails.moments("A", 0.0) == 20


def test_several_symbols_are_asked_about_together_second_questions_first() -> None:
    asked = asked_at(Trails(), "A", "B", "C", "D", "E", "F", until=12)
    assert asked == list(enumerate("ABCDEABCDEF"))


def test_there_are_so_many_questions_a_minute() -> None:
    asked = [at for at, _ in asked_at(Trails(), *(f"S{number}" for number in range(50)), until=600)]
    assert len(asked) > 100
    assert all(sum(at <= other < at + 60 for other in asked) <= MINUTE for at in asked)


def test_new_symbols_come_before_those_that_were_found_quiet() -> None:
    trails = Trails()
    asked_at(trails, "A", "B", until=30)
    assert trails.due({"A": 0.0, "B": 0.0, "C": 0.0}, 5000.0) == "C"


def test_a_symbol_that_is_not_wondered_about_any_more_is_forgotten() -> None:
    trails = Trails()
    trails.due({"A": 0.0}, 0.0)
    trails.answered("A", aggregates(1), 0.0)
    trails.due({}, 1.0)
    trails.answered("A", aggregates(2), 2.0)
    assert trails.moments("A", 0.0) == 0


def test_what_could_not_be_answered_is_asked_again_later() -> None:
    trails = Trails()
    assert trails.due({"A": 0.0}, 0.0) == "A"
    trails.not_now("A", 30.0)
    assert trails.due({"A": 0.0, "B": 0.0}, 29.0) is None
    assert trails.due({"A": 0.0, "B": 0.0}, 30.0) == "B"
    assert trails.due({"A": 0.0, "B": 0.0}, 31.0) == "A"
