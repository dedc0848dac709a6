from hypothesis import given
from hypothesis import strategies as st

from gateway.outbox import Outbox
from gateway.tally import Tally


class Socket:
    """A client's socket that can be full."""

    def __init__(self, limit: int = 100) -> None:
        self.written = b""
        self.writes = 0
        self.overflows = 0
        self.tally = Tally()
        self.outbox = Outbox(self.write, self.overflow, self.tally, limit)

    def write(self, data: bytes) -> None:
        self.written += data
        self.writes += 1

    def overflow(self) -> None:
        self.overflows += 1


def test_nothing_to_say_is_no_write() -> None:
    socket = Socket()
    socket.outbox.flush()

    assert socket.writes == 0


def test_a_full_socket_holds_what_comes_and_gets_it_in_one_piece() -> None:
    socket = Socket()
    socket.outbox.pause()
    for frame in (b"1", b"2", b"3"):
        socket.outbox.frames.append(frame)
        socket.outbox.flush()
    assert (socket.writes, socket.outbox.held_bytes) == (0, 3)

    socket.outbox.resume()
    assert (socket.written, socket.writes, socket.outbox.held_bytes) == (b"123", 1, 0)
    assert socket.tally.delivered == 3


def test_a_client_that_falls_behind_by_the_limit_is_reported_once_and_its_memory_freed() -> None:
    socket = Socket(limit=100)
    socket.outbox.pause()
    socket.outbox.frames.append(b"x" * 100)
    socket.outbox.flush()
    assert socket.overflows == 0

    socket.outbox.frames.append(b"x")
    socket.outbox.flush()
    assert (socket.overflows, socket.outbox.frames, socket.outbox.held_bytes) == (1, [], 0)


@given(st.lists(st.sampled_from(["pause", "resume"]) | st.binary(min_size=1, max_size=20), max_size=60))
def test_whatever_happens_the_client_reads_everything_in_order(steps: list[str | bytes]) -> None:
    socket = Socket(limit=10_000)
    said = b""
    for step in steps:
        if step == "pause":
            socket.outbox.pause()
        elif step == "resume":
            socket.outbox.resume()
        else:
            assert isinstance(step, bytes)
            said += step
            socket.outbox.frames.append(step)
            socket.outbox.flush()
    socket.outbox.resume()

    assert socket.written == said
