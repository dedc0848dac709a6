import asyncio

import msgspec

from fsnats.bus.memory import MemoryBus
from fsnats.subjects import DIALS
from tests.clock import HandClock, settle
from workers.ingest.dials import Dials


async def test_the_desk_says_how_long_to_wait(clock: HandClock) -> None:
    bus = MemoryBus()
    asked: list[bytes] = []

    def desk(_subject: str, reply: str, payload: bytes) -> None:
        asked.append(payload)
        bus.publish(reply, b'{"delay":3.5}')

    bus.subscribe(DIALS, desk)
    async with asyncio.TaskGroup() as tasks:
        dialling = tasks.create_task(Dials(bus, "direct", clock).admitted())
        await clock.advance(3.4)
        assert not dialling.done()
        await clock.advance(0.1)
        assert dialling.done()

    assert [msgspec.json.decode(request) for request in asked] == [{"exit": "direct"}]


async def test_without_a_desk_a_process_keeps_to_a_small_budget_of_its_own(clock: HandClock) -> None:
    dials = Dials(MemoryBus(), "direct", clock)
    admitted: list[float] = []

    async def dial_eight_times() -> None:
        for _ in range(8):
            await dials.admitted()
            admitted.append(clock.monotonic())

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(dial_eight_times())
        await settle()
        start = clock.monotonic()
        assert len(admitted) == 6
        await clock.advance(60)

    assert admitted == [start] * 6 + [start + 60] * 2
