from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market, parse
from gateway.effects import Form
from gateway.fanout.lane import Lane
from gateway.fanout.origins import EVENT, STATE
from gateway.fanout.outbox import Outbox
from gateway.fanout.tally import Tally
from gateway.fanout.turn import Turn
from gateway.fanout.waiting import COST

TRADES = Lane(parse(Market.SPOT, "a@trade"), Form(b"", b""))
TICKER = Lane(parse(Market.SPOT, "a@ticker"), Form(b"", b""))


class Socket:
    """A client's socket that takes `room` bytes before it is full."""

    def __init__(self, limit: int = 100_000, room: int = 1 << 30) -> None:
        self.written: list[bytes] = []
        self.overflows = 0
        self.room = room
        self.turn = Turn(Tally())
        self.outbox = Outbox(self.write, self.overflow, self.turn, limit)

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self.room -= len(data)
        if self.room < 0:
            self.outbox.pause()

    def overflow(self) -> None:
        self.overflows += 1

    def reads(self, room: int = 1 << 30) -> None:
        """The client reads again, so much."""
        self.room = room
        self.outbox.resume()

    def turn_brings(self, *frames: bytes, lane: Lane = TRADES, sort: bool = True) -> None:
        """One turn; with `sort`, it is the turn of those who do not read, too."""
        rank = EVENT if lane is TRADES else STATE
        for frame in frames:
            if self.turn.slow:
                self.turn.origins.note(frame, lane, 1_000_000, rank)
            self.turn.touch(self.outbox, frame)
        self.turn.flush()
        if sort:
            self.outbox.hold()


def test_a_full_socket_holds_what_comes_and_gets_it_in_one_piece() -> None:
    socket = Socket()
    socket.outbox.pause()
    for frame in (b"1", b"2", b"3"):
        socket.turn_brings(frame)
    assert (socket.written, socket.outbox.held_bytes) == ([], 3 * (COST + 1))

    socket.reads()
    socket.turn_brings(b"4")
    assert (socket.written, socket.outbox.held_bytes) == ([b"123", b"4"], 0)
    assert socket.turn.tally.delivered == 4


def test_a_socket_that_is_full_again_gets_no_more_than_a_piece() -> None:
    socket = Socket(limit=1_000_000, room=0)
    big = [bytes([n]) * 50_000 for n in range(5)]
    socket.outbox.pause()
    socket.turn_brings(*big[:1])
    socket.reads(room=10)
    socket.turn_brings(*big[1:], lane=TICKER)
    assert socket.written == [big[0]]

    socket.reads(room=10)
    assert socket.written == [big[0], big[1] + big[2]]
    socket.reads()
    assert b"".join(socket.written) == b"".join(big)
    assert not socket.turn.slow


def test_a_client_that_would_miss_what_it_must_not_is_reported_once_and_its_memory_freed() -> None:
    socket = Socket(limit=COST + 100)
    socket.outbox.pause()
    socket.turn_brings(b"x" * 100)
    assert socket.overflows == 0

    socket.turn_brings(b"x")
    assert (socket.overflows, socket.outbox.frames, socket.outbox.held_bytes) == (1, [], 0)
    assert not socket.turn.slow
    socket.turn_brings(b"x")
    assert (socket.overflows, socket.outbox.frames) == (1, [])


def test_nothing_is_written_to_a_client_that_is_being_closed() -> None:
    socket = Socket()
    socket.turn.touch(socket.outbox, b"1")
    socket.outbox.discard()
    socket.turn_brings(b"2")
    socket.outbox.pause()
    assert not socket.turn.slow
    socket.reads()

    assert socket.written == []


def test_who_waits_is_counted_until_it_does_not() -> None:
    socket = Socket()
    assert not socket.turn.slow
    socket.outbox.pause()
    socket.outbox.pause()
    assert list(socket.turn.slow) == [socket.outbox]
    socket.reads()
    assert not socket.turn.slow
    socket.outbox.pause()
    socket.outbox.discard()
    socket.outbox.discard()
    assert not socket.turn.slow


@given(st.lists(st.integers(0, 100) | st.binary(min_size=1, max_size=20), max_size=60))
def test_whatever_happens_the_client_reads_everything_in_order(steps: list[int | bytes]) -> None:
    socket = Socket(room=50)
    said = b""
    for step in steps:
        if isinstance(step, int):
            socket.reads(step)
        else:
            said += step
            socket.turn_brings(bytes(bytearray(step)), sort=len(step) % 2 == 0)
    socket.reads()

    assert b"".join(socket.written) == said


class Line:
    """A socket with little room, and the transport before it, which others write to as well."""

    def __init__(self) -> None:
        self.arrived = b""
        self.buffered = b""
        self.room = 0
        self.turn = Turn(Tally())
        self.outbox = Outbox(self.write, lambda: None, self.turn)
        self.outbox.open(self.write, lambda: len(self.buffered), self.send)

    def send(self, data: bytes) -> int:
        assert not self.buffered, "what waits in the transport was passed by"
        if not self.room:
            raise BlockingIOError
        taken = data[: self.room]
        self.arrived += taken
        self.room -= len(taken)
        return len(taken)

    def write(self, data: bytes) -> None:
        self.buffered += data
        if len(self.buffered) > 50:
            self.outbox.pause()

    def drain(self, room: int) -> None:
        self.room += room
        waiting, self.buffered = self.buffered, b""
        taken, self.buffered = waiting[: self.room], waiting[self.room :]
        self.arrived += taken
        self.room -= len(taken)
        if self.outbox.waiting is not None and len(self.buffered) < 10:
            self.outbox.resume()

    def say(self, frame: bytes) -> None:
        if self.turn.slow:
            self.turn.origins.note(frame, TRADES, 1, EVENT)
        self.turn.touch(self.outbox, frame)
        self.turn.flush()


@given(st.lists(st.integers(0, 60) | st.booleans(), max_size=80))
def test_what_goes_past_the_transport_never_passes_what_waits_in_it(steps: list[int | bool]) -> None:
    line = Line()
    said = []
    for number, step in enumerate(steps):
        if step is True:  # a pong, say: whole, and nothing goes between its bytes
            line.write(b"<pong %03d>" % number)
            line.outbox.queue()
        elif step is False:
            frame = b"<data %03d>" % number
            said.append(frame)
            line.say(frame)
        else:
            line.drain(step)
    while line.buffered or line.outbox.waiting is not None:
        line.drain(100)

    frames = line.arrived.replace(b">", b">\n").splitlines()
    assert [frame for frame in frames if frame.startswith(b"<data")] == said
    assert sum(frame.startswith(b"<pong") for frame in frames) == sum(step is True for step in steps)
    assert all(len(frame) == 10 for frame in frames)


def test_once_nothing_waits_frames_go_straight_to_the_socket() -> None:
    line = Line()
    line.room = 5
    line.say(b"<data 001>")
    assert (line.arrived, line.buffered) == (b"<data", b" 001>")
    line.say(b"<2>")
    assert line.buffered == b" 001><2>"
    line.drain(100)
    line.say(b"<3>")

    assert (line.arrived, line.buffered) == (b"<data 001><2><3>", b"")
