import asyncio
from collections.abc import AsyncIterator

import pytest

from fsnats import demand, frames
from fsnats.binance.streams import Market, parse
from fsnats.bus.memory import MemoryBus
from fsnats.chaos.identity import identify
from fsnats.chaos.judge import Verdict
from fsnats.chaos.reader import Reader
from fsnats.subjects import DEMAND_REQUEST, subject_of
from fsnats.subjects import demand as demand_subject
from tests.conftest import eventually

NAME = "btcusdt@aggTrade"
PAYLOAD = b'{"e":"aggTrade","E":1,"a":%d,"p":"1","q":"1","f":1,"l":1,"T":1,"m":true}'


@pytest.fixture
async def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
async def reader(bus: MemoryBus) -> AsyncIterator[Reader]:
    reader = Reader(bus, "judge")
    reader.read(parse(Market.SPOT, NAME))
    running = asyncio.create_task(reader.run())
    yield reader
    running.cancel()


async def send(bus: MemoryBus, seq: int, payload: bytes, flags: int = 0) -> None:
    frame = frames.Frame(frames.VERSION, NAME, 1, 1, seq, flags, payload)
    bus.publish(subject_of(Market.SPOT, NAME), frames.encode(frame))
    await bus.flush()


def verdict(reader: Reader) -> Verdict:
    return reader.readings[Market.SPOT, NAME].judge.verdict(0, 1 << 62)


async def test_it_asks_for_its_streams_and_again_when_a_worker_asks(bus: MemoryBus, reader: Reader) -> None:
    heard: list[demand.Announcement] = []
    bus.subscribe(demand_subject(Market.SPOT), lambda _s, _r, payload: heard.append(demand.decode(payload)))
    await eventually(lambda: heard)
    before = len(heard)
    bus.publish(DEMAND_REQUEST, b"")
    await eventually(lambda: len(heard) > before)
    assert heard[-1].streams == [NAME]
    assert heard[-1].kind == "whole"


async def test_live_frames_recovered_ones_notices_and_copies_are_told_apart(bus: MemoryBus, reader: Reader) -> None:
    judge = reader.readings[Market.SPOT, NAME].judge
    for number in range(1, 5):
        judge.produced(number, identify("aggTrade", PAYLOAD % number))
    await send(bus, 1, PAYLOAD % 1)
    await send(bus, 2, PAYLOAD % 2, frames.RECOVERED)
    await send(bus, 3, b'{"e":"gap","stream":"x","from":3,"to":3,"unit":"a","reason":"rest"}', frames.GAP)
    await send(bus, 4, PAYLOAD % 1, frames.SNAPSHOT)
    await eventually(lambda: reader.frames == 4)
    found = verdict(reader)
    assert (found.once, found.recovered, found.missing, found.unnoticed) == (2, 1, 2, 1)
    assert found.duplicated == 0


async def test_what_comes_late_is_waited_for_and_not_out_of_order(bus: MemoryBus, reader: Reader) -> None:
    judge = reader.readings[Market.SPOT, NAME].judge
    for number in range(1, 4):
        judge.produced(number, identify("aggTrade", PAYLOAD % number))
    await send(bus, 1, PAYLOAD % 1)
    await send(bus, 2, b'{"e":"gap","stream":"x","from":2,"to":2,"unit":"a","reason":"late"}', frames.GAP)
    await send(bus, 3, PAYLOAD % 3)
    await eventually(lambda: reader.frames == 3)
    assert judge.waits
    await send(bus, 4, PAYLOAD % 2, frames.RECOVERED | frames.LATE)
    await eventually(lambda: not judge.waits)
    found = verdict(reader)
    assert (found.once, found.recovered, found.missing, found.disordered) == (3, 1, 0, 0)


async def test_what_is_sent_again_is_passed_over(bus: MemoryBus, reader: Reader) -> None:
    for number in (1, 2, 1, 2, 3):
        await send(bus, number, PAYLOAD % number)
    await eventually(lambda: reader.frames == 5)

    assert sum(each.copies for each in reader.readings[Market.SPOT, NAME].judge._arrived.values()) == 3


async def test_what_cannot_be_read_is_counted(bus: MemoryBus, reader: Reader) -> None:
    bus.publish(subject_of(Market.SPOT, NAME), b"nonsense")
    await send(bus, 1, b"{}", frames.GAP)
    await eventually(lambda: reader.unreadable == 2)


async def test_the_first_live_frame_after_the_mark_is_noted(bus: MemoryBus, reader: Reader) -> None:
    reading = reader.readings[Market.SPOT, NAME]
    await send(bus, 1, PAYLOAD % 1)
    await eventually(lambda: reading.live)
    reader.mark()
    await send(bus, 2, PAYLOAD % 2, frames.RECOVERED)
    assert reading.back is None
    await send(bus, 3, PAYLOAD % 3)
    await eventually(lambda: reading.back)
