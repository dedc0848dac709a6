import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from fsnats import recording
from fsnats.store import ConnectionRecord
from tests.clock import HandClock, settle
from tests.conftest import eventually
from tests.workers.recorder.shelf import Shelf
from tests.workers.recorder.test_scribe import delivery, trade
from workers.recorder import writer
from workers.recorder.deliveries import Delivery
from workers.recorder.scribe import Scribe
from workers.recorder.writer import Writer


class Desk:
    """A writer with its shelf, and what it said is stored."""

    def __init__(self, clock: HandClock, shelf: Shelf) -> None:
        self.shelf = shelf
        self.stored: list[int] = []
        scribe = Scribe([recording.read("usdm:*@aggTrade")])
        self.writer = Writer(shelf.opened, scribe, clock, lambda: 1.0, self._stored)

    def _stored(self, delivered: Sequence[Delivery]) -> None:
        self.stored += [each.position for each in delivered]

    def add(self, *numbers: int) -> None:
        for number in numbers:
            self.writer.add(delivery("btcusdt@aggTrade", trade(number), number))


@asynccontextmanager
async def writing(clock: HandClock, shelf: Shelf) -> AsyncIterator[Desk]:
    desk = Desk(clock, shelf)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(desk.writer.run())
        await settle()
        yield desk
        running.cancel()


async def test_what_comes_together_is_one_batch(clock: HandClock) -> None:
    async with writing(clock, Shelf()) as desk:
        desk.add(1, 2, 3)
        await eventually(lambda: desk.stored == [1, 2, 3])
        assert len(desk.shelf.batches) == 1
        assert desk.writer.written == {"batches": 1, "trades": 3, "klines": 0, "frames": 0}
        desk.add(4)
        await eventually(lambda: desk.shelf.ids == [1, 2, 3, 4])


async def test_a_full_batch_does_not_wait_for_others(clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BATCH_MOST", 10)
    monkeypatch.setattr(writer, "GATHER", 1000.0)
    async with writing(clock, Shelf()) as desk:
        desk.add(*range(30))
        await eventually(lambda: desk.stored == list(range(30)))
        assert [len(batch.rows[0].trades) for batch in desk.shelf.batches] == [10, 10, 10]


async def test_a_store_that_is_down_is_waited_for_and_nothing_is_stored_before_it_is(clock: HandClock) -> None:
    async with writing(clock, Shelf()) as desk:
        desk.shelf.locked = True
        desk.add(1, 2)
        await eventually(lambda: desk.writer.trouble)
        desk.add(3)
        tries = [desk.shelf.tries]
        for delay in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0):
            await clock.advance(delay)
            tries.append(desk.shelf.tries)
        assert tries == list(range(tries[0], tries[0] + 9))
        assert (desk.stored, len(desk.writer.backlog)) == ([], 3)
        desk.shelf.locked = False
        await clock.advance(60.0)
        await eventually(lambda: desk.stored == [1, 2, 3])
        assert desk.shelf.ids == [1, 2, 3]
        assert desk.writer.trouble == ""


async def test_a_store_that_cannot_be_opened_is_waited_for(clock: HandClock) -> None:
    async with writing(clock, Shelf(locked=True)) as desk:
        desk.add(1)
        await eventually(lambda: desk.writer.trouble == "the shelf is locked")
        desk.shelf.locked = False
        await clock.advance(1.0)
        await eventually(lambda: desk.stored == [1])


async def test_connections_are_written_also_where_nothing_else_is(clock: HandClock) -> None:
    record = ConnectionRecord("ingest-usdm-0", 1, "a", [], "connected", 1, 1)
    async with writing(clock, Shelf()) as desk:
        desk.writer.note([record])
        await eventually(lambda: [batch.connections for batch in desk.shelf.batches] == [[record]])


async def test_what_makes_no_row_is_done_without_a_write(clock: HandClock) -> None:
    async with writing(clock, Shelf()) as desk:
        desk.writer.add(delivery("btcusdt@aggTrade", b"rubbish", 9))
        await eventually(lambda: desk.stored == [9])
        assert desk.shelf.batches == []


async def test_what_the_store_refuses_for_good_holds_up_nothing_else(clock: HandClock) -> None:
    shelf = Shelf()
    shelf.refused = {"ETHUSDT"}
    async with writing(clock, shelf) as desk:
        desk.add(1, 2)
        desk.writer.add(delivery("ethusdt@aggTrade", trade(3), 3))
        desk.writer.note([ConnectionRecord("ingest-usdm-0", 1, "a", [], "connected", 1, 1)])
        await eventually(lambda: desk.stored == [1, 2, 3])
        assert shelf.ids == [1, 2]
        assert len(await shelf.connections()) == 1
        assert (desk.writer.refused, desk.writer.written["trades"], desk.writer.written["batches"]) == (1, 2, 1)


async def test_who_leaves_writes_what_is_there_first(clock: HandClock) -> None:
    desk = Desk(clock, Shelf())
    desk.add(*range(5))
    desk.writer.leave()
    await desk.writer.run()
    assert desk.shelf.ids == [0, 1, 2, 3, 4]
