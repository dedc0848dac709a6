import asyncio
import contextlib
import time

import msgspec
import pytest

from fsnats.bus.memory import MemoryBus
from fsnats.rollcall import SOON, RollCall
from fsnats.subjects import STATUS_REQUEST

LONG = 60.0  # seconds: more than a test may take


class Program:
    """Answers, at once or later."""

    def __init__(self, bus: MemoryBus, name: str, pid: int = 1, delay: float = 0.0) -> None:
        self._bus = bus
        self.delay = delay
        self._payload = msgspec.json.encode({"program": name, "pid": pid})
        self._sid = bus.subscribe(STATUS_REQUEST, self._asked)

    def _asked(self, _subject: str, reply: str, _payload: bytes) -> None:
        asyncio.get_running_loop().call_later(self.delay, self._bus.publish, reply, self._payload)

    def end(self) -> None:
        self._bus.unsubscribe(self._sid)


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


def names(answers: list[bytes]) -> list[str]:
    return [msgspec.json.decode(answer)["program"] for answer in answers]


async def test_the_first_time_everybody_has_all_the_time_that_there_is(bus: MemoryBus) -> None:
    Program(bus, "b")
    Program(bus, "a", delay=SOON * 1.5)
    assert names(await RollCall(bus, "inbox").call(wait=SOON * 3)) == ["a", "b"]


async def test_later_nobody_waits_for_more_than_those_who_are_known(bus: MemoryBus) -> None:
    late = Program(bus, "a", delay=SOON * 1.5)
    Program(bus, "b")
    calls = RollCall(bus, "inbox")
    await calls.call(wait=SOON * 3)
    assert names(await calls.call(wait=LONG)) == ["a", "b"]
    late.delay = 0.0
    begun = time.monotonic()
    assert names(await calls.call(wait=LONG)) == ["a", "b"]
    assert time.monotonic() - begun < LONG / 2


async def test_one_that_is_gone_is_waited_for_once(bus: MemoryBus) -> None:
    gone = Program(bus, "a")
    Program(bus, "b")
    calls = RollCall(bus, "inbox")
    await calls.call(wait=SOON)
    gone.end()
    assert names(await calls.call(wait=SOON * 2)) == ["b"]
    assert names(await calls.call(wait=LONG)) == ["b"]


async def test_one_that_answered_too_late_is_waited_for_from_then_on(bus: MemoryBus) -> None:
    Program(bus, "a")
    calls = RollCall(bus, "inbox")
    await calls.call(wait=SOON)
    Program(bus, "new", delay=SOON * 2)
    assert names(await calls.call(wait=LONG)) == ["a"]
    await asyncio.sleep(SOON * 2)
    assert names(await calls.call(wait=LONG)) == ["a", "new"]


async def test_a_bus_that_is_gone_costs_time_and_nothing_else(bus: MemoryBus) -> None:
    Program(bus, "a")
    Program(bus, "b", delay=SOON * 1.5)
    calls = RollCall(bus, "inbox")
    assert len(await calls.call(wait=SOON * 3)) == 2
    bus.is_connected = False
    assert await calls.call(wait=SOON) == []
    bus.is_connected = True
    assert names(await calls.call(wait=SOON * 3)) == ["a", "b"]  # nobody is forgotten for it


async def test_two_calls_at_once_do_not_mix(bus: MemoryBus) -> None:
    Program(bus, "a")
    calls = RollCall(bus, "inbox")
    both = await asyncio.gather(calls.call(wait=SOON), calls.call(wait=SOON))
    assert [names(answers) for answers in both] == [["a"], ["a"]]


async def test_a_call_that_is_given_up_leaves_the_next_one_alone(bus: MemoryBus) -> None:
    Program(bus, "a")
    calls = RollCall(bus, "inbox")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SOON / 2):
            await calls.call(wait=LONG)
    assert names(await calls.call(wait=SOON)) == ["a"]


async def test_what_is_no_answer_is_passed_over(bus: MemoryBus, caplog: pytest.LogCaptureFixture) -> None:
    Program(bus, "a")

    def babble(_subject: str, reply: str, _payload: bytes) -> None:
        bus.publish(reply, b"\xff")

    bus.subscribe(STATUS_REQUEST, babble)
    assert names(await RollCall(bus, "inbox").call(wait=SOON)) == ["a"]
    assert "cannot be read" in caplog.text


async def test_a_closed_one_listens_no_more(bus: MemoryBus) -> None:
    calls = RollCall(bus, "inbox")
    calls.close()
    Program(bus, "a")
    assert await calls.call(wait=SOON) == []
