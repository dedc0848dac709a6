from hypothesis import given
from hypothesis import strategies as st

from fsnats.captures.brake import AHEAD, PATIENCE, Brake
from fsnats.headway import Headway


def headway(name: str = "a", delivered: int = 0, slow: int = 0) -> Headway:
    return Headway(name, delivered, slow)


def test_without_gateways_nobody_is_waited_for() -> None:
    brake = Brake()
    for second in range(5):
        brake.ask(second)
        assert brake.is_open(second)
    assert brake.gateways == 0


def test_it_goes_on_while_all_but_the_newest_questions_are_answered_by_all() -> None:
    brake = Brake()
    for name in "ab":
        brake.answer(0, headway(name), 0.0)
    numbers = [brake.ask(0.0) for _ in range(AHEAD)]
    assert not brake.is_open(0.0)
    brake.answer(numbers[0], headway("a"), 0.0)
    assert not brake.is_open(0.0)
    brake.answer(numbers[0], headway("b"), 0.0)
    assert brake.is_open(0.0)
    assert not brake.is_open(0.0, ahead=1)  # the end is reached when everybody has answered everything
    for name in "ab":
        brake.answer(numbers[1], headway(name), 0.0)
    assert brake.is_open(0.0, ahead=1)


def test_a_gateway_that_does_not_answer_is_gone_and_one_that_answers_is_there() -> None:
    brake = Brake()
    brake.answer(0, headway("a"), 0.0)
    number = brake.ask(1.0)
    brake.ask(1.0)
    assert not brake.is_open(1.0 + PATIENCE)
    assert brake.is_open(1.1 + PATIENCE)
    assert brake.gateways == 0
    brake.answer(number, headway("a"), 9.0)
    assert brake.gateways == 1


def test_one_that_was_not_asked_for_long_is_not_gone() -> None:
    brake = Brake()
    brake.answer(brake.ask(0.0), headway(), 0.0)
    brake.ask(100.0)
    assert brake.is_open(100.0 + PATIENCE / 2)
    assert brake.gateways == 1


def test_clients_that_are_behind_are_waited_for_as_long_as_they_read() -> None:
    brake = Brake()
    for second in range(20):
        brake.answer(brake.ask(second), headway(delivered=second, slow=1), second)
        assert not brake.is_open(second)
    brake.answer(brake.ask(20), headway(delivered=20), 20)
    assert brake.is_open(20)


def test_who_reads_nothing_at_all_is_given_up_alone() -> None:
    brake = Brake()

    def told(now: float, slow: int, delivered: int = 7) -> bool:
        brake.answer(brake.ask(now), headway(delivered=delivered, slow=slow), now)
        return brake.is_open(now)

    assert told(0.0, 0)
    assert not told(1.0, 1)
    assert not told(1.0 + PATIENCE - 0.1, 1)
    assert told(1.0 + PATIENCE, 1)
    assert brake.given_up == 1
    assert told(9.0, 1, delivered=8)
    assert not told(9.1, 2, delivered=9)  # another one, who is waited for
    assert told(9.2, 1, delivered=9)
    assert told(9.3, 0, delivered=9)
    assert not told(9.4, 1, delivered=9)  # whoever read again is waited for again
    assert brake.given_up == 0


@given(st.lists(st.tuples(st.sampled_from(["ask", "a", "b", "wait"]), st.integers(0, 2)), max_size=60))
def test_it_never_stays_closed_when_nobody_answers_any_more(steps: list[tuple[str, int]]) -> None:
    brake, now, asked = Brake(), 0.0, 0
    for what, value in steps:
        match what:
            case "ask":
                asked = brake.ask(now)
            case "wait":
                now += value
                brake.is_open(now)
            case _:
                brake.answer(max(0, asked - value), headway(what, slow=value), now)
    assert brake.is_open(now + 3 * PATIENCE) or brake.gateways
    brake.ask(now + 3 * PATIENCE)
    assert brake.is_open(now + 5 * PATIENCE)
