import asyncio

import pytest

from gateway.rest.fresh import FRESH, Fresh
from tests.clock import HandClock


class Source:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.go = asyncio.Event()

    async def __call__(self) -> int:
        self.asked += 1
        number = self.asked
        await self.go.wait()
        return number


async def test_all_who_ask_at_once_get_one_answer(clock: HandClock) -> None:
    fresh, source = Fresh[str, int](clock.monotonic), Source()
    async with asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(fresh.get("a", source)) for _ in range(5)]
        await clock.advance(FRESH * 3)
        source.go.set()
    assert [each.result() for each in asking] == [1] * 5


async def test_an_answer_holds_for_its_time_and_no_longer(clock: HandClock) -> None:
    fresh, source = Fresh[str, int](clock.monotonic), Source()
    source.go.set()
    assert await fresh.get("a", source) == 1
    await clock.advance(FRESH)
    assert await fresh.get("a", source) == 1
    await clock.advance(0.01)
    assert await fresh.get("a", source) == 2


async def test_another_question_has_another_answer(clock: HandClock) -> None:
    fresh, source = Fresh[str, int](clock.monotonic), Source()
    source.go.set()
    assert [await fresh.get(each, source) for each in "aba"] == [1, 2, 1]


async def test_one_who_leaves_does_not_take_the_answer_from_the_others(clock: HandClock) -> None:
    fresh, source = Fresh[str, int](clock.monotonic), Source()
    async with asyncio.TaskGroup() as tasks:
        leaver = tasks.create_task(fresh.get("a", source))
        stayer = tasks.create_task(fresh.get("a", source))
        await clock.advance(0)
        leaver.cancel()
        source.go.set()
    assert stayer.result() == 2


async def test_what_could_not_be_answered_is_asked_again(clock: HandClock) -> None:
    fresh, source = Fresh[str, int](clock.monotonic), Source()
    source.go.set()

    async def fail() -> int:
        raise LookupError

    with pytest.raises(LookupError):
        await fresh.get("a", fail)
    assert await fresh.get("a", source) == 1
