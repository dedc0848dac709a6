from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.fleet.events import KEPT, Chronicle, Event, Events, Journal, Kind, News

SECOND = 1_000_000_000


class Now:
    """A time that tests set."""

    def __init__(self) -> None:
        self.ns = 1000 * SECOND

    def __call__(self) -> int:
        return self.ns

    def pass_(self, seconds: float = 1.0) -> None:
        self.ns += int(seconds * SECOND)


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def journal(now: Now) -> Journal:
    return Journal(now)


def test_an_event_tells_what_happened_and_when(journal: Journal, now: Now) -> None:
    now.pass_(5)
    journal.note(Kind.LOST, connection="c", reason="cut", exit_name="direct")
    now.pass_()
    assert journal.since(0, 0) == [Event(1, 1_005_000, Kind.LOST, "cut", connection="c", exit="direct")]


def test_what_is_alike_within_a_second_is_one_event(journal: Journal, now: Now) -> None:
    for number in range(5):
        journal.note(Kind.RECOVERED, stream=f"s{number}", messages=10)
        journal.note(Kind.GAP, stream="s0", reason="silent")
    now.pass_()
    recovered, gap = journal.since(0, 0)
    assert (recovered.streams, recovered.count, recovered.messages) == (["s0", "s1", "s2"], 5, 50)
    assert (gap.streams, gap.count, gap.reason) == (["s0"], 1, "silent")


def test_an_event_is_told_when_it_is_over_and_never_changes_then(journal: Journal, now: Now) -> None:
    journal.note(Kind.GAP, stream="a")
    now.pass_(0.9)
    assert journal.since(0, 0) == []
    now.pass_(0.1)
    told = journal.since(0, 0)
    journal.note(Kind.GAP, stream="b")
    now.pass_()
    assert journal.since(0, 0)[:1] == told
    assert [each.streams for each in journal.since(journal.epoch, told[0].number)] == [["b"]]


def test_a_clock_that_is_set_back_keeps_no_event_for_long(journal: Journal, now: Now) -> None:
    journal.note(Kind.GAP, stream="a")
    now.pass_(-3600)
    assert len(journal.since(0, 0)) == 1


def test_a_flood_of_different_things_stays_bounded(journal: Journal, now: Now) -> None:
    for number in range(KEPT * 3):
        journal.note(Kind.LOST, reason=str(number))
    now.pass_()
    assert [each.number for each in journal.since(0, 0)] == list(range(KEPT * 2 + 1, KEPT * 3 + 1))


def test_another_life_of_a_program_tells_everything_anew(journal: Journal, now: Now) -> None:
    journal.note(Kind.GAP)
    now.pass_()
    assert len(journal.since(journal.epoch - 1, 99)) == 1
    assert len(journal.since(journal.epoch, 1)) == 0


def answer(program: str, epoch: int, *numbers: int, at: int = 0) -> bytes:
    return msgspec.json.encode(Events(program, 1, epoch, "spot", [Event(n, at + n, Kind.GAP) for n in numbers]))


def ids(news: News) -> list[str]:
    return [str(each.fields["id"]) for each in news.events]


def test_all_programs_events_come_in_the_order_of_time() -> None:
    chronicle = Chronicle()
    chronicle.take([answer("a", 7, 1, 2), answer("b", 5, 1, at=-5)])
    news = chronicle.since("")
    assert ids(news) == ["b:5:1", "a:7:1", "a:7:2"]
    assert news.events[0].fields == {"id": "b:5:1", "program": "b", "market": "spot", "at": -4, "kind": "gap"}
    assert news.missed == 0


def test_who_goes_on_gets_what_is_new_and_nothing_twice() -> None:
    chronicle = Chronicle()
    chronicle.take([answer("a", 7, 1, 2)])
    after = chronicle.since("").after
    chronicle.take([answer("a", 7, 2, 3), answer("new", 9, 1)])
    news = chronicle.since(after)
    assert (ids(news), news.missed) == (["new:9:1", "a:7:3"], 0)
    assert ids(chronicle.since(news.after)) == []
    assert ids(chronicle.since("")) == ["a:7:1", "new:9:1", "a:7:2", "a:7:3"]


def test_another_gateway_goes_on_where_this_one_was_also_if_it_knows_less() -> None:
    ahead, behind = Chronicle(), Chronicle()
    ahead.take([answer("a", 7, 1, 2)])
    behind.take([answer("a", 7, 1)])
    after = ahead.since("").after
    assert behind.since(after) == News([], 0, after)


def test_what_was_too_much_to_be_kept_is_counted() -> None:
    chronicle = Chronicle()
    chronicle.take([answer("a", 7, 1)])
    after = chronicle.since("").after
    chronicle.take([answer("a", 7, 5, 6)])
    assert chronicle.since(after).missed == 3
    chronicle.take([answer("a", 8, 3)])  # another life, whose first two are gone
    assert chronicle.since(after).missed == 5
    assert chronicle.since("").missed == 0  # whoever comes missed nothing


def test_what_goes_beyond_an_answer_counts_as_missed() -> None:
    chronicle = Chronicle()
    chronicle.take([answer("a", 7, 1)])
    after = chronicle.since("").after
    chronicle.take([answer("a", 7, *range(2, 8))])
    assert (ids(chronicle.since(after, 2)), chronicle.since(after, 2).missed) == (["a:7:6", "a:7:7"], 4)


def test_asking_again_asks_for_what_is_new(journal: Journal, now: Now) -> None:
    chronicle = Chronicle()
    for _ in range(2):
        journal.note(Kind.GAP)
        now.pass_()
        chronicle.take([journal.answer("a", 1, chronicle.question, "spot")])
    assert len(chronicle.since("").events) == 2
    assert msgspec.json.decode(journal.answer("a", 1, chronicle.question))["events"] == []


@pytest.mark.parametrize("text", ["x", "a:1", "a:b:c", "a:1:2:3"])
def test_a_place_that_was_never_told_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Chronicle().since(text)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=60))
def test_somebody_who_looks_now_and_then_sees_each_event_once(steps: list[tuple[int, int]]) -> None:
    """Some events happen, some time passes, somebody looks: at one of two gateways."""
    now = Now()
    journal, gateways, after, seen = Journal(now), (Chronicle(), Chronicle()), "", []
    for number, (events, look) in enumerate(steps):
        for _ in range(events):
            journal.note(Kind.GAP, reason=str(number))
        now.pass_(0.4)
        if look < 2:
            gateways[look].take([journal.answer("a", 1, gateways[look].question)])
            news = gateways[look].since(after)
            after = news.after
            seen += [told.place[1] for told in news.events]
            assert news.missed == 0
    assert all(before + 1 == number for before, number in pairwise([0, *seen]))
