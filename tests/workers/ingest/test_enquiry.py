"""Asking REST about symbols; what follows from the answers is in test_trail."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec

from fsnats.binance.streams import Market
from fsnats.errors import BusUnavailable
from fsnats.history import RowsReply
from tests.clock import HandClock
from workers.ingest.enquiry import Enquiry
from workers.ingest.pages import Fill
from workers.ingest.trail import PAIR, Trails

WONDERING = {"BTCUSDT": 0.0}


class Rig:
    """An enquiry, and a REST that answers with the next of `answers`."""

    def __init__(self, *answers: RowsReply | Exception) -> None:
        self.clock = HandClock()
        self.trails = Trails()
        self.asked: list[Fill] = []
        self.answers = list(answers)
        self.enquiry = Enquiry(Market.USDM, self.clock, self._ask, self.trails)

    async def _ask(self, fill: Fill) -> RowsReply:
        self.asked.append(fill)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def passes(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            await self.clock.advance(1)
            self.enquiry.look(WONDERING)
        await self.clock.advance(0)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Rig"]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.enquiry.run())
            yield self
            task.cancel()


def trades(*numbers: int) -> RowsReply:
    return RowsReply([msgspec.Raw(b'{"id":%d,"time":%d}' % (number, number)) for number in numbers])


async def test_two_answers_show_that_a_symbol_is_traded() -> None:
    async with Rig(trades(1, 2), trades(2, 3, 4, 5)).running() as rig:
        await rig.passes(1 + PAIR)
    assert [fill.parameters["symbol"] for fill in rig.asked] == ["BTCUSDT"] * 2
    assert rig.trails.moments("BTCUSDT", 0.0) == 3


async def test_what_nobody_answers_is_asked_again_when_it_may_be() -> None:
    answers = (
        BusUnavailable("nobody"),
        RowsReply(error="banned", again=120.0),
        RowsReply(rows=[msgspec.Raw(b"7")]),
        trades(1),
    )
    async with Rig(*answers).running() as rig:
        counts = []
        for seconds in (1, 29, 1, 119, 1, 29, 1):
            await rig.passes(seconds)
            counts.append(len(rig.asked))
    assert counts == [1, 1, 2, 2, 3, 3, 4]


async def test_one_question_is_asked_at_a_time() -> None:
    async with Rig(trades(1)).running() as rig:
        rig.enquiry.look(WONDERING)
        rig.enquiry.look({"ETHUSDT": 0.0})
        await rig.clock.advance(0)
        assert len(rig.asked) == 1
