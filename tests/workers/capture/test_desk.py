import asyncio
import errno
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import pytest

from fsnats.captures.lines import Line
from fsnats.errors import Unavailable
from tests.clock import HandClock
from tests.conftest import eventually
from tests.fsnats.captures.test_writer import line
from workers.capture.desk import PATIENCE, PIECE_BYTES, Desk


class Paper:
    """A writer on which one can look, and that can be full."""

    def __init__(self) -> None:
        self.pieces: list[list[int]] = []
        self.is_full = False
        self.tries = 0
        self.is_finished = False

    def write(self, lines: Sequence[Line], now_ns: int) -> None:
        self._try()
        if lines:
            self.pieces.append([each.seq for each in lines])

    def finish(self) -> None:
        self._try()
        self.is_finished = True

    def _try(self) -> None:
        self.tries += 1
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")

    def tried_more(self, before: int) -> bool:
        return self.tries > before

    @property
    def written(self) -> list[int]:
        return [seq for piece in self.pieces for seq in piece]


class House:
    def __init__(self, clock: HandClock, limit: int) -> None:
        self.clock = clock
        self.paper = Paper()
        self.emptied = 0
        self.desk = Desk(self.paper, clock, 0.01, limit, self._emptied)  # type: ignore[arg-type]

    def _emptied(self) -> None:
        self.emptied += 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        task = asyncio.create_task(self.desk.run())
        yield task
        self.desk.close()
        while not task.done():
            await self.clock.advance(1.0)
            await asyncio.sleep(0.001)


def house(clock: HandClock, limit: int = 10**9) -> House:
    return House(clock, limit)


async def test_lines_are_written_every_so_often_and_the_rest_at_the_end(clock: HandClock) -> None:
    here = house(clock)
    async with here.running():
        here.desk.put(line(1))
        here.desk.put(line(2))
        await eventually(lambda: here.desk.lines == 2)  # counted a moment after they are written
        assert (here.desk.bytes, here.paper.written) == (0, [1, 2])
        here.desk.put(line(3))
    assert here.paper.written == [1, 2, 3]
    assert here.paper.is_finished


async def test_much_is_written_in_pieces(clock: HandClock) -> None:
    here = house(clock)
    payload = b"x" * (PIECE_BYTES // 3)
    for seq in range(8):
        here.desk.put(line(seq, payload))
    async with here.running():
        await eventually(lambda: here.desk.bytes == 0)
    assert here.paper.written == list(range(8))
    assert max(map(len, here.paper.pieces)) <= 3


async def test_a_full_disk_is_waited_for_and_nothing_is_lost(
    clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    here = house(clock, limit=1_000)
    async with here.running():
        here.paper.is_full = True
        here.desk.put(line(1))
        await eventually(lambda: here.desk.trouble)
        assert here.desk.trouble == "No space left on device"
        assert here.desk.admits(0)
        here.desk.put(line(2, b"x" * 1000))
        assert not here.desk.admits(0)
        for _ in range(3):
            tries = here.paper.tries
            await clock.advance(1.0)
            await eventually(partial(here.paper.tried_more, tries))
        here.paper.is_full = False
        while here.desk.bytes:
            await clock.advance(1.0)
            await asyncio.sleep(0.001)
        await eventually(lambda: here.emptied == 1)
        assert (here.paper.written, here.desk.trouble) == ([1, 2], "")
    assert [record.message.partition(";")[0] for record in caplog.records if record.levelname == "ERROR"] == [
        "the capture cannot be written"
    ]


async def test_what_is_held_elsewhere_counts(clock: HandClock) -> None:
    here = house(clock, limit=1_000)
    assert here.desk.admits(999)
    assert not here.desk.admits(1_000)


async def test_a_disk_that_stays_full_when_we_are_stopped_is_said(clock: HandClock) -> None:
    here = house(clock)
    here.paper.is_full = True
    here.desk.put(line(1))
    here.desk.close()
    task = asyncio.create_task(here.desk.run())
    for _ in range(int(PATIENCE) + 2):
        await asyncio.sleep(0.01)
        await clock.advance(1.0)
    with pytest.raises(Unavailable, match=r"No space left on device.*the last 1 lines are lost"):
        await task
