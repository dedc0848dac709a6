"""What a worker learns of the one before it, the window being played in memory."""

import asyncio

import pytest

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.frames import GAP, Frame, encode
from fsnats.subjects import subject_of
from tests.clock import HandClock
from tests.windows import MemoryWindow
from workers.ingest import succession
from workers.ingest.succession import (
    FRESH,
    FRESH_AT_START,
    STARTING,
    before_notices,
    epoch_after,
    heritage,
    is_heritage,
)

SPOT = Market.SPOT
EPOCH = 900 * 10**9
NOW = 1000 * 10**9  # what the hand-moved clock shows


def frame(name: str, seq: int, *, epoch: int = 1, age: float = 1.0, flags: int = 0, payload: bytes = b"{}") -> Frame:
    return Frame(1, name, NOW - int(age * 1e9), epoch, seq, flags, payload)


def publish(bus: MemoryBus, *frames: Frame) -> None:
    for each in frames:
        bus.publish(subject_of(SPOT, each.stream), encode(each))


async def test_each_stream_goes_on_after_its_predecessors_last_frame(clock: HandClock) -> None:
    bus = MemoryBus()
    MemoryWindow(bus, SPOT)
    publish(bus, frame("a@trade", 1), frame("a@trade", 2), frame("b@trade", 9), frame("other@trade", 5))

    found = await heritage(bus, SPOT, ["a@trade", "b@trade", "c@trade"], EPOCH, clock)

    assert found == {"a@trade": frame("a@trade", 2), "b@trade": frame("b@trade", 9)}


async def test_behind_a_notice_the_newest_payload_counts_with_the_notices_number(clock: HandClock) -> None:
    bus = MemoryBus()
    MemoryWindow(bus, SPOT)
    publish(bus, frame("a@depth", 1, payload=b"1"), frame("a@depth", 2, payload=b"2"), frame("a@depth", 3, flags=GAP))
    publish(bus, frame("b@depth", 1, flags=GAP))

    found = await heritage(bus, SPOT, ["a@depth", "b@depth"], EPOCH, clock)

    assert found == {"a@depth": frame("a@depth", 3, payload=b"2")}


@pytest.mark.parametrize(
    ("last", "goes_on"),
    [
        (frame("a@trade", 1, epoch=EPOCH - 1), True),
        (frame("a@trade", 1, epoch=EPOCH), False),
        (frame("a@trade", 1, epoch=EPOCH + 1), False),  # somebody who started later than we did
        (frame("a@trade", 1, age=FRESH - 0.1), True),
        (frame("a@trade", 1, age=FRESH + 0.1), False),
    ],
)
def test_what_is_fresh_and_of_an_earlier_worker_is_gone_on_from(last: Frame, goes_on: bool) -> None:
    assert is_heritage(last, EPOCH, NOW) is goes_on


def test_a_worker_that_has_just_started_goes_further_back() -> None:
    epoch = NOW - int((STARTING - 0.1) * 1e9)

    assert is_heritage(frame("a@trade", 1, age=FRESH_AT_START - 0.1), epoch, NOW)
    assert not is_heritage(frame("a@trade", 1, age=FRESH_AT_START + 0.1), epoch, NOW)


def test_notices_alone_leave_nothing_to_go_on_from() -> None:
    notices = [frame("a@depth", seq, flags=GAP) for seq in (1, 2)]

    assert before_notices(notices) == notices[-1]


async def test_epochs_grow_also_after_the_clock_was_put_back() -> None:
    bus = MemoryBus()
    assert await epoch_after(bus, SPOT, ["a@trade"], EPOCH) == EPOCH  # no window, nothing to be afraid of
    MemoryWindow(bus, SPOT)
    publish(bus, frame("a@trade", 1, epoch=EPOCH - 5), frame("b@trade", 1, epoch=EPOCH + 5))
    publish(bus, frame("c@trade", 1, epoch=2**64 - 1))  # whoever that was

    assert await epoch_after(bus, SPOT, ["a@trade", "c@trade", "d@trade"], EPOCH) == EPOCH
    assert await epoch_after(bus, SPOT, ["a@trade", "b@trade", "c@trade"], EPOCH) == EPOCH + 6


async def test_without_a_window_streams_begin_anew(clock: HandClock) -> None:
    assert await heritage(MemoryBus(), SPOT, ["a@trade"], EPOCH, clock) == {}


async def test_a_window_that_does_not_answer_is_not_waited_for(
    clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(succession, "PATIENCE", 0.01)
    bus, asked = MemoryBus(), asyncio.Event()
    bus.subscribe("$JS.API.>", lambda _s, _r, _p: asked.set())

    assert await heritage(bus, SPOT, ["a@trade"], EPOCH, clock) == {}
    assert asked.is_set()


async def test_nothing_is_asked_where_nothing_is_new(clock: HandClock) -> None:
    bus, asked = MemoryBus(), asyncio.Event()
    bus.subscribe(">", lambda _s, _r, _p: asked.set())

    assert await heritage(bus, SPOT, [], EPOCH, clock) == {}
    assert not asked.is_set()
