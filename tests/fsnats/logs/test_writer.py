import threading
from collections.abc import Callable
from typing import NamedTuple

import pytest

from fsnats.logs import writer
from fsnats.logs.writer import AGAIN, Writer

PATIENCE = 10.0  # seconds for another thread, on a machine that does much else


class Told(NamedTuple):
    reason: str
    lost: int


class Disk:
    """A file that a test can make full, and slow."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.full = False
        self.tries = 0
        self.moves = threading.Event()
        self.moves.set()
        self.closed = False
        self.changed = threading.Condition()

    def write(self, day: str, lines: bytes) -> None:
        with self.changed:
            self.tries += 1
            self.changed.notify_all()
        self.moves.wait(PATIENCE)
        if self.full:
            raise OSError(28, "No space left on device")
        with self.changed:
            self.lines += [(day, line) for line in lines.decode().splitlines()]
            self.changed.notify_all()

    def close(self) -> None:
        self.closed = True

    def until(self, condition: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE)


class House:
    def __init__(self) -> None:
        self.disk = Disk()
        self.now = 100.0
        self.told: list[Told] = []
        self.writer = Writer(self.disk, self.tell, lambda: self.now)

    def tell(self, reason: str, lost: int) -> None:
        with self.disk.changed:
            self.told.append(Told(reason, lost))
            self.disk.changed.notify_all()

    def put(self, *lines: str) -> None:
        for line in lines:
            self.writer.put("2026-11-20", line)


@pytest.fixture
def house() -> House:
    return House()


def test_lines_come_to_the_disk_in_their_order_and_all_before_the_end(house: House) -> None:
    for number in range(500):
        house.writer.put(f"day {number // 200}", str(number))
    house.writer.close(PATIENCE)
    assert house.disk.lines == [(f"day {number // 200}", str(number)) for number in range(500)]
    assert house.disk.closed
    house.put("too late")
    assert len(house.disk.lines) == 500


def test_much_is_written_in_parts(house: House) -> None:
    house.disk.moves.clear()
    house.put("first")
    house.disk.until(lambda: house.disk.tries == 1)
    house.put(*["x" * 1000] * 100)
    house.disk.moves.set()
    house.writer.close(PATIENCE)
    assert len(house.disk.lines) == 101
    assert house.disk.tries == 1 + 4


def test_a_full_disk_is_told_once_tried_now_and_then_and_its_end_told_with_what_was_lost(house: House) -> None:
    house.disk.full = True
    house.put("one")
    house.disk.until(lambda: house.told == [Told("No space left on device", 0)])
    house.put("two")
    house.now += AGAIN
    # The lines before it may be taken together with it, or not: all of them are lost.
    house.put("three")
    house.disk.until(lambda: house.disk.tries >= 2)
    house.disk.full = False
    house.now += AGAIN
    house.put("four")
    house.disk.until(lambda: house.disk.lines[-1:] == [("2026-11-20", "four")])
    house.writer.close(PATIENCE)
    lost = 4 - len(house.disk.lines)
    assert house.told == [Told("No space left on device", 0), Told("", lost)]


def test_nobody_waits_for_a_disk_that_stands_still(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WAITING_MOST", 100)
    house.disk.moves.clear()
    house.put("first")
    house.disk.until(lambda: house.disk.tries == 1)
    house.put(*["x" * 10] * 50)
    assert [told.reason for told in house.told] == ["the disk does not take them as fast as they come"]
    house.disk.moves.set()
    house.writer.close(PATIENCE)
    assert len(house.disk.lines) == 1 + 10
    assert house.told[-1] == Told("", 40)


def test_the_end_of_a_process_is_not_held_up_by_the_disk(house: House) -> None:
    house.disk.moves.clear()
    house.put("first")
    house.disk.until(lambda: house.disk.tries == 1)
    house.writer.close(0.01)
    assert house.disk.lines == []
    house.disk.moves.set()


def test_what_is_no_unicode_is_written_all_the_same(house: House) -> None:
    house.put("\ud800")
    house.writer.close(PATIENCE)
    assert house.disk.lines == [("2026-11-20", "\\ud800")]
