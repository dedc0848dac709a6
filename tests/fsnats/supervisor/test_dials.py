import msgspec

from fsnats.binance.limits import DIALS_PER_MINUTE
from fsnats.bus.memory import MemoryBus
from fsnats.subjects import DIALS
from fsnats.supervisor.dials import Dials
from tests.clock import HandClock


async def asked(bus: MemoryBus, exit_name: str) -> float:
    answer = await bus.request(DIALS, msgspec.json.encode({"exit": exit_name}), 1.0)
    delay = msgspec.json.decode(answer)["delay"]
    assert isinstance(delay, (int, float))
    return delay


async def test_all_workers_together_stay_within_an_exits_budget(clock: HandClock) -> None:
    bus = MemoryBus()
    Dials(bus, clock).serve()

    assert [await asked(bus, "direct") for _ in range(DIALS_PER_MINUTE)] == [0.0] * DIALS_PER_MINUTE
    await clock.advance(20.0)
    assert await asked(bus, "direct") == 40.0


async def test_each_exit_has_a_budget_of_its_own(clock: HandClock) -> None:
    bus = MemoryBus()
    dials = Dials(bus, clock)
    dials.serve()
    for _ in range(DIALS_PER_MINUTE):
        await asked(bus, "direct")

    assert await asked(bus, "socks5://proxy:1080") == 0.0
    assert dials.free() == {"direct": 0, "socks5://proxy:1080": DIALS_PER_MINUTE - 1}


async def test_what_cannot_be_read_is_not_answered(clock: HandClock) -> None:
    bus = MemoryBus()
    dials = Dials(bus, clock)
    dials.serve()
    bus.publish(DIALS, b"{", "reply")

    assert dials.free() == {}


async def test_made_up_exits_do_not_fill_the_memory(clock: HandClock) -> None:
    dials = Dials(MemoryBus(), clock)

    granted = [dials.grant(f"exit-{number}") for number in range(101)]

    assert granted == [0.0] * 100 + [None]
