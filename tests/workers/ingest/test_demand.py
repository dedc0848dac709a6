from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fsnats.binance.streams import Market
from fsnats.demand import FORGET_AFTER, Announcement, whole
from workers.ingest.demand import DemandBook


def announce(kind: str, *streams: str, gateway: str = "g") -> Announcement:
    return Announcement(gateway, Market.SPOT, kind, list(streams))  # type: ignore[arg-type]


def book(linger: float = 30.0) -> DemandBook:
    return DemandBook(lambda name: not name.startswith("other"), linger)


def test_what_any_gateway_wants_is_carried_once() -> None:
    demand = book()
    demand.hear(announce("add", "a", "b"), 0)
    demand.hear(announce("add", "b", "c", gateway="h"), 0)

    assert demand.carried(0) == {"a", "b", "c"}


def test_what_belongs_to_another_worker_is_not_kept() -> None:
    demand = book()
    demand.hear(announce("add", "a", "other"), 0)

    assert demand.carried(0) == {"a"}


def test_a_stream_that_nobody_wants_any_more_lingers() -> None:
    demand = book()
    demand.hear(announce("add", "a"), 0)
    demand.carried(0)
    demand.hear(announce("drop", "a"), 5)

    assert demand.carried(5) == {"a"}
    assert demand.carried(34.9) == {"a"}
    assert demand.carried(35) == set()


def test_a_stream_that_is_wanted_again_in_time_never_leaves() -> None:
    demand = book()
    demand.hear(announce("add", "a"), 0)
    demand.carried(0)
    demand.hear(announce("drop", "a"), 5)
    demand.carried(5)
    demand.hear(announce("add", "a"), 20)
    demand.carried(20)
    demand.hear(announce("whole", "a"), 28)

    assert demand.carried(36) == {"a"}


def test_a_silent_gateway_is_forgotten() -> None:
    demand = book(linger=0)
    demand.hear(announce("add", "a"), 0)
    demand.hear(announce("add", "b", gateway="h"), 0)
    demand.hear(announce("whole", "b", gateway="h"), 9)

    assert demand.carried(FORGET_AFTER) == {"a", "b"}
    assert demand.carried(FORGET_AFTER + 0.1) == {"b"}
    assert demand.gateways == {"h": 1}


def test_nobodys_silence_counts_while_the_bus_is_down() -> None:
    demand = book(linger=0)
    demand.hear(announce("add", "a"), 0)
    demand.forgive(60)

    assert demand.carried(69) == {"a"}


def test_a_whole_set_replaces_what_was_wanted() -> None:
    demand = book(linger=0)
    demand.hear(announce("add", "a", "b"), 0)
    demand.hear(announce("whole", "b", "c"), 1)

    assert demand.carried(1) == {"b", "c"}


def test_a_whole_set_in_pages_counts_when_it_is_complete() -> None:
    demand = book(linger=0)
    demand.hear(announce("add", "a"), 0)
    names = [f"s{number}" for number in range(5001)]
    first, second = whole("g", Market.SPOT, names, 1)
    demand.hear(first, 1)
    assert demand.carried(1) == {"a"}

    demand.hear(second, 1)
    assert demand.carried(1) == set(names)


def test_always_needs_no_gateway() -> None:
    demand = book(linger=0)
    demand.keep_always(["a"])

    assert demand.carried(0) == {"a"}


class BookAgainstSets(RuleBasedStateMachine):
    """Without a linger the book carries the union of what each gateway last said it wants."""

    def __init__(self) -> None:
        super().__init__()
        self.book = book(linger=0)
        self.wants: dict[str, set[str]] = {}

    @rule(
        kind=st.sampled_from(["add", "drop", "whole"]),
        gateway=st.sampled_from("gh"),
        names=st.sets(st.sampled_from("abcde")),
    )
    def announced(self, kind: str, gateway: str, names: set[str]) -> None:
        self.book.hear(announce(kind, *names, gateway=gateway), 0)
        wants = self.wants.setdefault(gateway, set())
        if kind == "add":
            wants |= names
        elif kind == "drop":
            wants -= names
        else:
            self.wants[gateway] = set(names)

    @invariant()
    def carries_the_union(self) -> None:
        assert self.book.carried(0) == set().union(*self.wants.values())


BookAgainstSets.TestCase.settings = settings(max_examples=50, stateful_step_count=20)
TestBookAgainstSets = BookAgainstSets.TestCase
