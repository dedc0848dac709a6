import asyncio
import logging
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fsnats.metrics.answering import Answer, Connected, answering


def at(place: str, answer: Answer, within: float = 5.0, at_once: int = 2) -> AbstractAsyncContextManager[None]:
    def start(connected: Connected) -> Awaitable[asyncio.Server]:
        return asyncio.start_unix_server(connected, Path(place) / "x")

    return answering(start, answer, within=within, at_once=at_once)


async def asked(place: str) -> bytes:
    reader, writer = await asyncio.open_unix_connection(Path(place) / "x")
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


async def test_a_fault_costs_one_answer_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    faults = [ValueError("a bug")]

    async def answer(_reader: asyncio.StreamReader) -> bytes:
        if faults:
            raise faults.pop()
        return b"fine"

    with TemporaryDirectory() as place:
        async with at(place, answer):
            with caplog.at_level(logging.ERROR):
                assert await asked(place) == b""
            assert await asked(place) == b"fine"
    assert [record.getMessage() for record in caplog.records] == ["numbers cannot be told"]


async def test_who_takes_too_long_and_who_is_one_too_many_is_closed() -> None:
    async def never(_reader: asyncio.StreamReader) -> bytes:
        await asyncio.Event().wait()
        return b""

    with TemporaryDirectory() as place:
        async with at(place, never, within=0.05), asyncio.TaskGroup() as tasks:
            answers = [tasks.create_task(asked(place)) for _ in range(5)]
    assert {answer.result() for answer in answers} == {b""}


async def test_the_end_does_not_wait_for_those_who_wait() -> None:
    begun = asyncio.Event()

    async def never(_reader: asyncio.StreamReader) -> bytes:
        begun.set()
        await asyncio.Event().wait()
        return b""

    with TemporaryDirectory() as place:
        async with asyncio.TaskGroup() as tasks, at(place, never):
            waiting = tasks.create_task(asked(place))
            await begun.wait()
    assert waiting.result() == b""
