"""Against a real server: what is acknowledged, delivered again and remembered is JetStream's own doing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.clock import SystemClock
from fsnats.frames import decode
from fsnats.replay import window
from tests.conftest import NatsServer, eventually
from tests.windows import open_window, publish
from workers.recorder.consumer import Consumer
from workers.recorder.deliveries import Delivery

SPOT = Market.SPOT
TRADES = "btcusdt@aggTrade"
ROOM = 5_000


class Reader:
    """A consumer and what it received; `room` is how much more it takes."""

    def __init__(self, bus: NatsBus, room: int = ROOM) -> None:
        self.received: list[Delivery] = []
        self.room = room
        self.consumer = Consumer(
            bus,
            SPOT,
            "recorder",
            ["fsnats.spot.*.aggTrade"],
            SystemClock(),
            received=self.received.append,
            room=lambda: self.room - len(self.received),
            most=ROOM,
        )

    @property
    def numbers(self) -> list[int]:
        return [decode(delivery.data).seq for delivery in self.received]

    def store(self, count: int) -> None:
        """Say that the first `count` of what was received are stored."""
        self.consumer.stored(self.received[count - 1])


@asynccontextmanager
async def reading(bus: NatsBus, room: int = ROOM) -> AsyncIterator[Reader]:
    reader = Reader(bus, room)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(reader.consumer.run())
        yield reader
        running.cancel()


def say(bus: NatsBus, first: int, last: int, name: str = TRADES) -> None:
    for seq in range(first, last + 1):
        publish(bus, SPOT, name, 7, seq)


async def floor(bus: NatsBus) -> int:
    """The position up to which the server has everything acknowledged."""
    answer = await bus.request(f"$JS.API.CONSUMER.INFO.{window(SPOT)}.recorder", b"", 5.0)
    position: int = msgspec.json.decode(answer).get("ack_floor", {}).get("stream_seq", -1)
    return position


async def acknowledged(bus: NatsBus, position: int) -> None:
    """Return when the server has everything acknowledged up to a position."""
    async with asyncio.timeout(20):
        while await floor(bus) != position:  # noqa: ASYNC110 # the state lies in the server
            await asyncio.sleep(0.01)


async def test_what_lies_in_the_window_comes_first_and_then_what_is_new(bus: NatsBus) -> None:
    await open_window(bus, SPOT)
    say(bus, 1, 2500)
    say(bus, 1, 10, "btcusdt@trade")
    async with reading(bus) as reader:
        await eventually(lambda: len(reader.received) == 2500)
        say(bus, 2501, 2600)
        await eventually(lambda: reader.numbers == list(range(1, 2601)))
        assert reader.consumer.trouble == ""


async def test_a_new_process_goes_on_behind_what_was_acknowledged_and_loses_nothing(bus: NatsBus) -> None:
    await open_window(bus, SPOT)
    say(bus, 1, 100)
    async with reading(bus) as first:
        await eventually(lambda: len(first.received) == 100)
        first.store(40)
        await acknowledged(bus, 40)
    say(bus, 101, 110)
    async with reading(bus) as second:
        await eventually(lambda: second.numbers == list(range(41, 111)))


async def test_one_acknowledgement_is_that_of_all_before_it(bus: NatsBus) -> None:
    await open_window(bus, SPOT)
    say(bus, 1, 50)
    async with reading(bus) as reader:
        await eventually(lambda: len(reader.received) == 50)
        reader.store(50)
        await acknowledged(bus, 50)
        say(bus, 51, 60)
        await eventually(lambda: len(reader.received) == 60)


async def test_no_more_is_pulled_than_there_is_room(bus: NatsBus) -> None:
    await open_window(bus, SPOT)
    say(bus, 1, 300)
    async with reading(bus, room=100) as reader:
        await eventually(lambda: len(reader.received) == 100)
        assert reader.consumer.pending == 200
        reader.store(100)
        reader.room = 300
        reader.consumer.freed()
        await eventually(lambda: reader.numbers == list(range(1, 301)))


async def test_a_lost_connection_costs_nothing_and_brings_nothing_twice(bus: NatsBus) -> None:
    await open_window(bus, SPOT)
    say(bus, 1, 50)
    async with reading(bus, room=2 * ROOM) as reader:
        await eventually(lambda: len(reader.received) == 50)
        reader.store(20)
        assert bus._link is not None
        bus._link.abort()
        await eventually(lambda: not bus.is_connected)
        await eventually(lambda: bus.is_connected)
        say(bus, 51, 60)
        await eventually(lambda: reader.numbers == list(range(1, 61)))
        reader.store(50)  # delivered before the connection was lost
        await acknowledged(bus, 50)
        reader.store(60)
        await acknowledged(bus, 60)


async def test_a_consumer_that_somebody_deleted_is_made_again(bus: NatsBus) -> None:
    await open_window(bus, SPOT)
    say(bus, 1, 5)
    async with reading(bus) as reader:
        await eventually(lambda: len(reader.received) == 5)
        reader.store(3)
        await acknowledged(bus, 3)
        await bus.request(f"$JS.API.CONSUMER.DELETE.{window(SPOT)}.recorder", b"", 5.0)
        say(bus, 6, 9)
        await eventually(lambda: reader.numbers == list(range(1, 10)))


async def test_a_window_that_is_new_is_read_from_its_beginning(nats: NatsServer, bus: NatsBus) -> None:
    await open_window(bus, SPOT)
    say(bus, 1, 50)
    async with reading(bus) as reader:
        await eventually(lambda: len(reader.received) == 50)
        old = reader.received[29]
        nats.stop()
        await eventually(lambda: not bus.is_connected)
        nats.start()
        await eventually(lambda: bus.is_connected)
        await open_window(bus, SPOT)
        say(bus, 51, 60)
        await eventually(lambda: reader.numbers == list(range(1, 61)))
        reader.consumer.stored(old)  # its position means another frame now
        reader.store(60)
        await acknowledged(bus, 10)


async def test_a_window_that_somebody_deleted_is_read_when_it_is_there_again(bus: NatsBus) -> None:
    await open_window(bus, SPOT)
    say(bus, 1, 5)
    async with reading(bus) as reader:
        await eventually(lambda: len(reader.received) == 5)
        await bus.request(f"$JS.API.STREAM.DELETE.{window(SPOT)}", b"", 5.0)
        await eventually(lambda: "10059" in reader.consumer.trouble)
        await open_window(bus, SPOT)
        say(bus, 6, 9)
        await eventually(lambda: reader.numbers == list(range(1, 10)))
        reader.store(9)
        await acknowledged(bus, 4)


async def test_without_a_window_it_says_so_and_waits(bus: NatsBus) -> None:
    async with reading(bus) as reader:
        await eventually(lambda: "10059" in reader.consumer.trouble)
        await open_window(bus, SPOT)
        say(bus, 1, 3)
        await eventually(lambda: reader.numbers == [1, 2, 3])
        assert reader.consumer.trouble == ""
