"""What a worker asks before it calls a stream silent, over a bus in memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.subjects import TRADING
from fsnats.trading import STREAMS_MOST, TradingReply, TradingRequest
from tests.conftest import eventually
from workers.ingest.doubts import Doubts


class Rig:
    """A worker's doubts, and a supervisor that answers with `reply` when it is `free` to."""

    def __init__(self, reply: object = None) -> None:
        self.bus = MemoryBus()
        self.answers: dict[str, bool | None] = {}
        self.requests: list[TradingRequest] = []
        self.doubts = Doubts(Market.SPOT, self.bus, self.answers.__setitem__)
        if reply is not None:
            self.bus.subscribe(TRADING, lambda _subject, inbox, data: self._asked(inbox, data, reply))

    def _asked(self, inbox: str, data: bytes, reply: object) -> None:
        self.requests.append(msgspec.json.decode(data, type=TradingRequest))
        self.bus.publish(inbox, reply if isinstance(reply, bytes) else msgspec.json.encode(reply))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Rig"]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.doubts.run())
            yield self
            task.cancel()


async def test_streams_that_rest_are_told_from_those_that_should_speak() -> None:
    async with Rig(TradingReply({"a@trade": "halted"})).running() as rig:
        rig.doubts.ask(["a@trade", "b@trade"])
        await eventually(lambda: rig.answers == {"a@trade": False, "b@trade": True})
    assert rig.requests == [TradingRequest(Market.SPOT, ["a@trade", "b@trade"])]


async def test_where_nobody_answers_nothing_is_known() -> None:
    for reply in (None, TradingReply(error="banned"), b"<html>", b"\xff"):
        async with Rig(reply).running() as rig:
            rig.doubts.ask(["a@trade"])
            await eventually(lambda: rig.answers == {"a@trade": None})
            rig.doubts.ask(["b@trade"])
            await eventually(lambda: "b@trade" in rig.answers)


async def test_what_is_doubted_meanwhile_is_asked_in_the_next_question() -> None:
    async with Rig(TradingReply()).running() as rig:
        rig.doubts.ask(["a@trade"])
        rig.doubts.ask(["a@trade", "b@trade"])
        await eventually(lambda: len(rig.answers) == 2)
        rig.doubts.ask(["c@trade"])
        await eventually(lambda: len(rig.answers) == 3)
    assert [request.streams for request in rig.requests] == [["a@trade", "b@trade"], ["c@trade"]]


async def test_a_question_has_an_upper_size() -> None:
    async with Rig(TradingReply()).running() as rig:
        rig.doubts.ask([f"s{number}@trade" for number in range(STREAMS_MOST + 1)])
        await eventually(lambda: len(rig.answers) == STREAMS_MOST + 1)
    assert [len(request.streams) for request in rig.requests] == [STREAMS_MOST, 1]
