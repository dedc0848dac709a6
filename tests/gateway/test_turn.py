from collections.abc import Callable

from gateway.lane import Lane, Origins
from gateway.tally import Tally
from gateway.turn import Turn


class Ear:
    """A listener whose socket is a list."""

    def __init__(self, log: list[tuple[str, bytes]], name: str = "", *, waits: bool = False) -> None:
        self.frames: list[bytes] = []
        self.waiting: object = self if waits else None
        self.write: Callable[[bytes], None] = lambda data: log.append((name, data))
        self._log = log
        self._name = name

    def hold(self, origins: Origins) -> None:
        self._log.append((f"{self._name} holds", b"".join(self.frames)))
        self.frames.clear()

    def forget(self, lane: Lane) -> None: ...


def test_what_a_turn_brings_to_one_listener_is_one_write() -> None:
    turn, log = Turn(Tally()), list[tuple[str, bytes]]()
    ear = Ear(log)
    for frame in (b"1", b"2", b"3"):
        turn.touch(ear, frame)
    turn.flush()
    turn.flush()
    turn.touch(ear, b"4")
    turn.flush()

    assert log == [("", b"123"), ("", b"4")]
    assert turn.tally.delivered == 4


def test_those_who_do_not_read_come_last() -> None:
    turn, log = Turn(Tally()), list[tuple[str, bytes]]()
    ears = [Ear(log, "slow", waits=True), Ear(log, "good"), Ear(log, "slow", waits=True), Ear(log, "good")]
    for ear in ears:
        turn.touch(ear, b"x")
    turn.flush()

    assert [name for name, _ in log] == ["good", "good", "slow holds", "slow holds"]
    assert turn.tally.delivered == 2


def test_origins_are_those_of_one_turn() -> None:
    turn = Turn(Tally())
    turn.origins[1] = (b"", None, 0, 0)
    turn.flush()

    assert turn.origins == {}
