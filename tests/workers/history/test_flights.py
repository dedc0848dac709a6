"""Asking once for many."""

import asyncio

import pytest

from workers.history.flights import Flights, Stretches


class Question:
    """Counts how often it is asked; the answer comes when the test says so."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer = asyncio.Event()

    async def __call__(self) -> int:
        self.asked += 1
        number = self.asked
        await self.answer.wait()
        return number


async def test_all_who_ask_meanwhile_get_the_answer_of_one() -> None:
    flights, question = Flights[str, int](), Question()
    async with asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(flights.join("a", question)) for _ in range(10)]
        await asyncio.sleep(0)
        question.answer.set()
    assert [task.result() for task in asking] == [1] * 10
    assert (question.asked, flights.joined) == (1, 9)


async def test_who_asks_later_or_something_else_is_a_question_of_its_own() -> None:
    flights, question = Flights[str, int](), Question()
    question.answer.set()
    assert [await flights.join(key, question) for key in "aab"] == [1, 2, 3]


async def test_one_who_gives_up_takes_nothing_from_the_others() -> None:
    flights, question = Flights[str, int](), Question()
    async with asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(flights.join("a", question)) for _ in range(3)]
        await asyncio.sleep(0)
        asking[1].cancel()
        await asyncio.sleep(0)
        question.answer.set()
    assert [task.cancelled() for task in asking] == [False, True, False]


async def test_when_the_one_that_asks_is_cancelled_nobody_waits_for_ever() -> None:
    flights, question = Flights[str, int](), Question()
    asking = [asyncio.ensure_future(flights.join("a", question)) for _ in range(3)]
    await asyncio.sleep(0)
    asking[0].cancel()
    async with asyncio.timeout(5):
        await asyncio.wait(asking)
    assert all(task.cancelled() for task in asking)


async def test_a_failure_is_told_once_and_forgotten() -> None:
    flights = Flights[str, int]()

    async def fail() -> int:
        raise OSError

    with pytest.raises(OSError):
        await flights.join("a", fail)
    question = Question()
    question.answer.set()
    assert await flights.join("a", question) == 1


async def test_who_begins_within_a_stretch_that_is_on_its_way_joins_it() -> None:
    stretches, gate = Stretches[str, str](), asyncio.Event()

    async def fly(name: str) -> str:
        await gate.wait()
        return name

    def ask(name: str, key: str, first: int, last: int) -> asyncio.Future[str]:
        return asyncio.ensure_future(stretches.join(key, first, last, lambda: fly(name)))

    asking = [
        ask("a", "x", 10, 20),
        ask("b", "x", 20, 40),
        ask("c", "x", 21, 22),
        ask("d", "x", 9, 20),
        ask("e", "y", 10, 20),
    ]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*asking) == ["a", "a", "c", "d", "e"]
    assert stretches.joined == 1
    assert await stretches.join("x", 10, 20, lambda: fly("f")) == "f"


async def test_a_failure_reaches_all_who_joined() -> None:
    flights, gate = Flights[str, int](), asyncio.Event()

    async def fail() -> int:
        await gate.wait()
        raise ValueError("no")

    asking = [asyncio.ensure_future(flights.join("a", fail)) for _ in range(3)]
    await asyncio.sleep(0)
    gate.set()
    assert [str(each) for each in await asyncio.gather(*asking, return_exceptions=True)] == ["no"] * 3
