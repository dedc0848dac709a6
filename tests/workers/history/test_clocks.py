import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable

import pytest

from fsnats.binance.rest import Answer, BadRequest
from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.errors import ExchangeUnavailable
from fsnats.offset import Offsets
from tests.clock import HandClock
from workers.history.clocks import EVERY, TELL, Clocks

SPOT, USDM = Market.SPOT, Market.USDM

Run = Callable[[], None]


class Rest:
    """A market whose clock is `skew` milliseconds ahead of the test's, 20 ms away."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self.skew = 0
        self.failure: Exception | None = None
        self.body: bytes | None = None
        self.asked: list[float] = []

    async def get(self, method: str) -> Answer:
        assert method == "time"
        self.asked.append(self._clock.monotonic())
        if self.failure is not None:
            raise self.failure
        now = self._clock.time_ns()
        body = self.body or json.dumps({"serverTime": now // 1_000_000 + self.skew}).encode()
        return Answer(body, False, 1, now - 10_000_000, now + 10_000_000)


@pytest.fixture
def spot(clock: HandClock) -> Rest:
    return Rest(clock)


@pytest.fixture
def usdm(clock: HandClock) -> Rest:
    return Rest(clock)


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
def clocks(bus: MemoryBus, spot: Rest, usdm: Rest, clock: HandClock) -> Clocks:
    return Clocks(bus, {SPOT: spot, USDM: usdm}, clock)


@pytest.fixture
async def run(clocks: Clocks) -> AsyncIterator[Run]:
    """Lets the clocks run from now on: a test prepares the markets first."""
    async with asyncio.TaskGroup() as tasks:
        running: list[asyncio.Task[None]] = []
        yield lambda: running.append(tasks.create_task(clocks.run()))
        for task in running:
            task.cancel()


async def test_each_market_is_asked_once_a_minute_and_told_more_often(
    clocks: Clocks, run: Run, bus: MemoryBus, spot: Rest, usdm: Rest, clock: HandClock
) -> None:
    told: list[str] = []
    bus.subscribe("fsnats.clock.*", lambda subject, _reply, _payload: told.append(subject))
    run()
    await clock.advance(2 * EVERY)

    assert [at - spot.asked[0] for at in spot.asked] == [0, EVERY, 2 * EVERY]
    assert usdm.asked == spot.asked
    assert told.count("fsnats.clock.spot") == 2 * EVERY / TELL + 1


async def test_programs_learn_how_far_each_clock_is(
    clocks: Clocks, run: Run, bus: MemoryBus, usdm: Rest, clock: HandClock
) -> None:
    offsets = Offsets(bus)
    usdm.skew = -300
    run()
    await clock.advance(0)

    assert {market: (one.offset_ms, one.rtt_ms) for market, one in offsets.newest.items()} == {
        SPOT: (0.5, 20.0),
        USDM: (-299.5, 20.0),
    }
    assert clocks.offsets == offsets.newest


@pytest.mark.parametrize(
    "failure",
    [ExchangeUnavailable("http", "no exit may be used for another 9 s", retry_after=9.0), BadRequest(-1, "no")],
)
async def test_a_market_that_cannot_be_asked_now_is_asked_in_a_minute_and_keeps_what_is_known(
    clocks: Clocks, run: Run, spot: Rest, usdm: Rest, clock: HandClock, failure: Exception
) -> None:
    spot.failure = failure
    run()
    await clock.advance(EVERY - 1)
    assert len(spot.asked) == 1
    assert set(clocks.offsets) == {USDM}
    spot.failure = None
    await clock.advance(1)
    assert set(clocks.offsets) == {SPOT, USDM}
    spot.failure = failure
    await clock.advance(EVERY)
    assert set(clocks.offsets) == {SPOT, USDM}


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"\xff", b'{"serverTime":"now"}'])
async def test_an_answer_that_is_no_time_is_passed_over(
    clocks: Clocks, run: Run, spot: Rest, clock: HandClock, body: bytes
) -> None:
    spot.body = body
    run()
    await clock.advance(EVERY)
    assert set(clocks.offsets) == {USDM}


async def test_a_clock_that_misleads_is_warned_of_once_and_so_is_its_return(
    clocks: Clocks, run: Run, spot: Rest, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    spot.skew = 60_000
    run()
    with caplog.at_level(logging.INFO):
        await clock.advance(3 * EVERY)
        spot.skew = 0
        await clock.advance(3 * EVERY)

    assert [(record.levelname, vars(record)["market"]) for record in caplog.records] == [
        ("WARNING", SPOT),
        ("INFO", SPOT),
    ]
    assert caplog.records[0].message.startswith("this machine's clock is 60.00 s behind the exchange's")
