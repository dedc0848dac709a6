import asyncio

import pytest

from fsnats.bus.memory import MemoryBus
from fsnats.errors import BusUnavailable
from tests.clock import settle
from workers.history.answers import AT_ONCE, Answers


async def test_requests_are_answered_up_to_the_limit_and_the_rest_told_at_once() -> None:
    bus, gate = MemoryBus(), asyncio.Event()

    async def answer(payload: bytes) -> bytes:
        await gate.wait()
        return payload.upper()

    async with asyncio.TaskGroup() as tasks:
        answers = Answers(bus, "rpc", answer, b"busy", tasks)
        answers.start()
        asked = [tasks.create_task(bus.request("rpc", b"hello", 20)) for _ in range(AT_ONCE)]
        await settle()
        assert answers.in_work == AT_ONCE
        assert await bus.request("rpc", b"one too many", 20) == b"busy"
        gate.set()

    assert {task.result() for task in asked} == {b"HELLO"}
    assert answers.in_work == 0


async def test_after_a_stop_nobody_answers_and_nothing_is_left_in_work() -> None:
    bus = MemoryBus()

    async def never(_payload: bytes) -> bytes:
        await asyncio.Event().wait()
        return b""

    async with asyncio.TaskGroup() as tasks:
        answers = Answers(bus, "rpc", never, b"busy", tasks)
        answers.start()
        bus.publish("rpc", b"", "reply")
        await settle()
        assert answers.in_work == 1
        answers.stop()
        await settle()

        assert answers.in_work == 0
        with pytest.raises(BusUnavailable, match="nobody"):
            await bus.request("rpc", b"", 20)
