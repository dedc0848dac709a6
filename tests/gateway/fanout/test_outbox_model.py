"""Outboxes and turns against a model: sockets take any number of bytes, transports buffer, break and are closed."""

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fsnats.binance.streams import Market, parse
from gateway.effects import Form
from gateway.fanout.lane import Lane
from gateway.fanout.origins import EVENT
from gateway.fanout.outbox import Outbox
from gateway.fanout.tally import Tally
from gateway.fanout.turn import ROUND_BYTES, Turn

LANES = [Lane(parse(Market.SPOT, name), Form(b"", b"")) for name in ("a@trade", "b@trade")]
HIGH, LOW = 60, 20  # bytes in a transport at which its client is told to stop, and to go on
PONG, CLOSE = b"<p>", b"<c>"


class Line:
    """One client's connection: a socket with some room, and a transport before it, whole or broken, with TLS or not."""

    def __init__(self, turn: Turn, is_direct: bool) -> None:
        self.arrived = b""
        self.buffered = b""
        self.room = 0  # bytes that the socket takes
        self.is_paused = False
        self.is_broken = False
        self.is_open = True
        self.said: list[bytes] = []
        self.pongs = 0
        self.on_keep: Callable[[], None] | None = None  # what happens while a flush gives the transport the rest
        self.outbox = Outbox(self.write, lambda: None, turn, limit_bytes=1 << 30)
        self.outbox.open(self.write, lambda: len(self.buffered), self.send if is_direct else None)

    def send(self, data: bytes) -> int:
        assert self.is_open, "the socket was given back"
        assert not self.buffered, "what waits in the transport was passed by"
        if self.is_broken:
            raise BrokenPipeError
        if not self.room:
            raise BlockingIOError
        return self.take(data)

    def take(self, data: bytes) -> int:
        """Let as much arrive as there is room for."""
        taken = data[: self.room]
        self.arrived += taken
        self.room -= len(taken)
        return len(taken)

    def write(self, data: bytes) -> None:
        assert self.is_open, "the connection is being closed"
        if self.is_broken:
            return  # it finds out, and says so later
        self.buffered += data
        if len(self.buffered) > HIGH and not self.is_paused:
            self.is_paused = True
            self.outbox.pause()
        if self.on_keep is not None:
            self.on_keep()

    def drain(self, room: int) -> None:
        self.room += room
        self.buffered = self.buffered[self.take(self.buffered) :]
        if self.is_paused and len(self.buffered) <= LOW:
            self.is_paused = False
            self.outbox.resume()

    def pong(self) -> None:
        self.write(PONG)
        self.pongs += 1
        self.outbox.queue()

    def close(self) -> None:
        if self.is_open:
            if not self.is_broken:
                self.buffered += CLOSE
            self.outbox.discard()
            self.is_open = False


class OutboxesAgainstModel(RuleBasedStateMachine):
    """Whatever happens to whom: frames arrive whole, in order, each once; nobody else notices; nothing is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.later: list[Callable[[], None]] = []
        self.turn = Turn(Tally(), later=self.later.append)
        self.lines = [Line(self.turn, is_direct) for is_direct in (True, True, True, False)]
        self.listening = [[True, number % 2 == 0] for number in range(len(self.lines))]
        self.number = 0

    def frame(self, size: int) -> bytes:
        self.number += 1
        return (b"<%d" % self.number).ljust(size, b".") + b">"

    @rule(turn=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40) | st.just(ROUND_BYTES)), max_size=5))
    def bring(self, turn: list[tuple[int, int]]) -> None:
        """What one turn brings: of two streams, or to one client alone."""
        for whose, size in turn:
            frame = self.frame(size)
            if whose < len(LANES):
                if self.turn.slow:
                    self.turn.origins.note(frame, LANES[whose], 1, EVENT)
                for line, listening in zip(self.lines, self.listening, strict=True):
                    if listening[whose]:
                        self.turn.give(line.outbox, frame)
                        line.said.append(frame)
            else:
                line = self.lines[whose - len(LANES)]
                self.turn.touch(line.outbox, frame)
                line.said.append(frame)
        self.turn.flush()

    @rule(at=st.integers(0, 3), of=st.integers(0, 1))
    def join_or_leave(self, at: int, of: int) -> None:
        listening = self.listening[at]
        listening[of] = not listening[of]
        if not listening[of]:
            self.lines[at].outbox.forget(LANES[of])

    @rule(at=st.integers(0, 3), room=st.integers(0, 150))
    def read(self, at: int, room: int) -> None:
        if not self.lines[at].is_broken:
            self.lines[at].drain(room)

    @rule(at=st.integers(0, 3))
    def ping(self, at: int) -> None:
        if self.lines[at].is_open and not self.lines[at].is_broken:
            self.lines[at].pong()

    @rule()
    def sort(self) -> None:
        while self.later:
            self.later.pop()()

    @rule(at=st.integers(0, 3))
    def hold(self, at: int) -> None:
        self.lines[at].outbox.hold()

    @rule(at=st.integers(0, 3))
    def close(self, at: int) -> None:
        self.lines[at].close()

    @rule(at=st.integers(0, 3))
    def break_off(self, at: int) -> None:
        self.lines[at].is_broken = True

    @rule(one=st.integers(0, 3), other=st.integers(0, 3))
    def close_one_while_another_is_written_to(self, one: int, other: int) -> None:
        if self.lines[one].is_open and one != other:
            self.lines[one].on_keep = self.lines[other].close
            self.bring([(2 + one, 30), (0, 10), (1, 20)])
            self.lines[one].on_keep = None

    @invariant()
    def everything_is_whole_and_in_order(self) -> None:
        for line in self.lines:
            frames = [frame + b">" for frame in line.arrived.split(b">")[:-1]]
            data = [frame for frame in frames if frame not in (PONG, CLOSE)]
            assert data == line.said[: len(data)]
            assert frames.count(CLOSE) == 0 or frames[-1] == CLOSE
            assert not line.outbox.frames or line.outbox.waiting is not None or not line.is_open

    def teardown(self) -> None:
        for line in self.lines:
            while not line.is_broken and (line.buffered or line.outbox.waiting is not None):
                line.drain(1000)
        self.everything_is_whole_and_in_order()
        for line in self.lines:
            if line.is_open and not line.is_broken:
                assert line.arrived.replace(PONG, b"") == b"".join(line.said)
                assert line.arrived.count(PONG) == line.pongs
            line.close()
        assert not self.turn.slow
        assert len(self.turn.origins) == 0


OutboxesAgainstModel.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestOutboxesAgainstModel = OutboxesAgainstModel.TestCase
