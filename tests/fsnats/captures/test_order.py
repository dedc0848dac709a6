import heapq

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.captures.lines import Message
from fsnats.captures.order import in_order, merged


def message(stream: str, received_ns: int, number: int = 0) -> Message:
    return Message(Market.SPOT, stream, received_ns, received_ns, 0, b"", b"%d" % number)


CAPTURES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), max_size=40).map(
    lambda rows: [message(stream, at, number) for number, (stream, at) in enumerate(rows)]
)


@given(CAPTURES, st.integers(0, 50))
def test_a_stream_keeps_its_order_and_time_never_goes_back(capture: list[Message], held: int) -> None:
    ordered = list(in_order(capture, held))
    for stream in "abc":
        assert [m.data for m in ordered if m.stream == stream] == [m.data for m in capture if m.stream == stream]
    times = [m.due_ns for m in ordered]
    assert times == sorted(times)
    assert all(m.due_ns >= m.received_ns for m in ordered)


@given(CAPTURES)
def test_streams_change_places_to_be_in_the_order_in_which_they_were_received(capture: list[Message]) -> None:
    by_stream = [[m for m in capture if m.stream == stream] for stream in "abc"]
    if any(times != sorted(times) for times in ([m.received_ns for m in one] for one in by_stream)):
        return  # then there is no such order
    assert [m.received_ns for m in in_order(capture)] == sorted(m.received_ns for m in capture)


def test_one_that_came_late_is_played_behind_what_it_came_behind() -> None:
    ordered = list(in_order([message("a", 10, 1), message("a", 4, 2), message("b", 12, 3), message("b", 11, 4)]))
    assert [(m.due_ns, m.data) for m in ordered] == [(10, b"1"), (10, b"2"), (12, b"3"), (12, b"4")]


@given(st.lists(CAPTURES, max_size=3))
def test_captures_are_merged_by_time_and_twice_the_same_way(captures: list[list[Message]]) -> None:
    once = list(merged(captures))
    assert once == list(merged(captures))
    assert [m.due_ns for m in once] == sorted(m.due_ns for m in once)
    assert sorted(map(msgspec.structs.astuple, once)) == sorted(
        msgspec.structs.astuple(m) for m in heapq.merge(*map(in_order, captures), key=lambda m: m.due_ns)
    )
