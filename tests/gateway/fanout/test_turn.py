from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.streams import Market, parse
from gateway.effects import Form
from gateway.fanout.lane import Lane
from gateway.fanout.origins import EVENT, REPLY
from gateway.fanout.tally import Tally
from gateway.fanout.turn import ROUND_BYTES, Turn

LANE = Lane(parse(Market.SPOT, "a@trade"), Form(b"", b""))


class Ear:
    """A listener whose socket is a list."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.frames: list[bytes] = []
        self.waiting: object = None
        self.written: list[bytes] = []
        self.send: Callable[[bytes], int] = self.take
        self.kept: list[bytes] = []
        self.room = 1 << 30  # bytes
        self.held: list[int] = []  # the rank of each frame
        self.held_bytes = 0

    def take(self, data: bytes) -> int:
        if not self.room:
            raise BlockingIOError
        self.written.append(data[: self.room])
        return min(len(data), self.room)

    def keep(self, rest: bytes) -> None:
        self.kept.append(rest)

    def stop_reading(self) -> None:
        self.waiting = self
        self.turn.wait_for(self)

    def read_again(self) -> None:
        self.hold()
        self.waiting = None
        self.turn.wait_no_more(self)

    def hold(self) -> None:
        self.held += [rank for *_, rank in self.turn.origins.of(self.frames)]
        self.frames.clear()

    def forget(self, lane: Lane) -> None: ...


@pytest.fixture
def turn() -> Turn:
    return Turn(Tally())


def deliver(turn: Turn, ears: list[Ear], size: int = 100) -> None:
    """One turn that brings all of them one frame of data."""
    frame = bytes(size)
    if turn.slow:
        turn.origins.note(frame, LANE, 1, EVENT)
    for ear in ears:
        turn.give(ear, frame)
    turn.flush()


def test_what_a_turn_brings_to_one_listener_is_one_write(turn: Turn) -> None:
    ear = Ear(turn)
    for frame in (b"1", b"2", b"3"):
        turn.touch(ear, frame)
    turn.flush()
    turn.flush()
    turn.touch(ear, b"4")
    turn.flush()

    assert ear.written == [b"123", b"4"]
    assert turn.tally.delivered == 4


def test_what_does_not_go_at_once_is_kept_by_the_listener(turn: Turn) -> None:
    part, full = Ear(turn), Ear(turn)
    part.room, full.room = 2, 0
    for ear in (part, full):
        turn.touch(ear, b"12345")
    turn.flush()

    assert (part.written, part.kept) == ([b"12"], [b"345"])
    assert (full.written, full.kept) == ([], [b"12345"])


def test_those_who_listen_to_the_same_share_what_is_joined(turn: Turn) -> None:
    ears = [Ear(turn) for _ in range(4)]
    for frame in (b"1", b"2", b"3"):
        for ear in ears:
            if (ear is not ears[2]) or frame != b"2":
                turn.touch(ear, frame)
    turn.flush()

    assert [ear.written for ear in ears] == [[b"123"], [b"123"], [b"13"], [b"123"]]
    assert ears[0].written[0] is ears[1].written[0]
    deliver(turn, ears)
    assert [len(ear.written) for ear in ears] == [2, 2, 2, 2]


@given(st.lists(st.tuples(st.integers(0, 4), st.binary(min_size=1, max_size=2)), max_size=60), st.data())
def test_everybody_is_written_what_is_his(frames: list[tuple[int, bytes]], data: st.DataObject) -> None:
    turn = Turn(Tally())
    ears = [Ear(turn) for _ in range(4)]
    said = [b""] * 4
    for number, frame in frames:
        for at, ear in enumerate(ears):
            if number in (at, 4):  # 4 is for everybody
                turn.touch(ear, frame)
                said[at] += frame
        if data.draw(st.booleans()):
            turn.flush()
    turn.flush()

    assert [b"".join(ear.written) for ear in ears] == said
    assert not any(ear.frames for ear in ears)


def test_nothing_is_written_to_one_that_waits_and_nobody_else_notices(turn: Turn) -> None:
    good, slow = Ear(turn), Ear(turn)
    slow.stop_reading()
    deliver(turn, [slow, good])

    assert (len(good.written), len(slow.written), len(slow.frames)) == (1, 0, 1)
    assert turn.tally.delivered == 1


def test_those_who_wait_sort_in_rounds_each_its_part(turn: Turn) -> None:
    ears = [Ear(turn) for _ in range(4)]
    for ear in ears:
        ear.stop_reading()
    for _ in range(4):
        deliver(turn, ears, ROUND_BYTES // 4)

    assert [len(ear.held) for ear in ears] == [1, 2, 3, 4]
    deliver(turn, ears, ROUND_BYTES * 10)
    assert [len(ear.held) for ear in ears] == [5, 5, 5, 5]


def test_sorting_waits_until_what_was_written_is_on_its_way() -> None:
    later: list[Callable[[], None]] = []
    turn = Turn(Tally(), later=later.append)
    good, slow = Ear(turn), Ear(turn)
    slow.stop_reading()
    for _ in range(3):
        deliver(turn, [slow, good], ROUND_BYTES)

    assert (len(good.written), slow.held, len(later)) == (3, [], 1)
    later.pop()()
    assert slow.held == [EVENT] * 3
    deliver(turn, [slow, good], ROUND_BYTES)
    assert len(later) == 1
    slow.read_again()
    later.pop()()
    assert (slow.held, len(turn.origins)) == ([EVENT] * 4, 0)


def test_replies_count_as_well_or_they_would_never_be_sorted(turn: Turn) -> None:
    ear = Ear(turn)
    ear.stop_reading()
    turn.touch(ear, bytes(ROUND_BYTES))
    turn.flush()

    assert ear.held == [REPLY]


def test_one_that_is_gone_while_it_sorts_ends_the_round(turn: Turn) -> None:
    ear = Ear(turn)
    ear.stop_reading()
    ear.hold = ear.read_again = lambda: turn.wait_no_more(ear)  # type: ignore[method-assign]
    deliver(turn, [ear], ROUND_BYTES)

    assert not turn.slow


@settings(max_examples=300)
@given(st.lists(st.integers(0, 4) | st.integers(ROUND_BYTES // 10, ROUND_BYTES * 2), max_size=80))
def test_whoever_waits_knows_every_frame_that_came_meanwhile(steps: list[int]) -> None:
    later: list[Callable[[], None]] = []
    turn = Turn(Tally(), later=later.append)
    ears = [Ear(turn) for _ in range(5)]
    came = [0] * 5
    for step in steps:
        if step > 4:
            deliver(turn, ears, step)
            came = [count + (ear.waiting is not None) for count, ear in zip(came, ears, strict=True)]
        elif ears[step].waiting is None:
            ears[step].stop_reading()
        else:
            ears[step].read_again()
        if step % 2:
            while later:
                later.pop()()
        # Nobody's frames pile up: the largest of them, and what does not fill a round.
        assert later or all(sum(map(len, ear.frames)) <= 4 * ROUND_BYTES for ear in ears)
    for ear in ears:
        if ear.waiting is not None:
            ear.read_again()

    assert [ear.held for ear in ears] == [[EVENT] * count for count in came]
    assert len(turn.origins) == 0
