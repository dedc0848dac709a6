import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from fsnats.binance.streams import Market
from fsnats.bus import Answer
from fsnats.bus.memory import MemoryBus
from fsnats.bus.nats import NatsBus
from fsnats.pins import BUCKET, Pin, flag, subject
from gateway.fanout.hub import Hub
from gateway.fanout.tally import Tally
from gateway.komas.keeper import Keeper
from tests.buckets import make_bucket
from tests.conftest import eventually

GET = f"$JS.API.DIRECT.GET.KV_{BUCKET}"


def pin(number: int) -> Pin:
    return Pin(Market.SPOT, f"s{number}usdt@ticker", 7)


def keeper_on(bus: NatsBus | MemoryBus) -> Keeper:
    return Keeper(bus, Hub(lambda channel: None, lambda channel: None, Tally()))


@asynccontextmanager
async def running(keeper: Keeper) -> AsyncIterator[Keeper]:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(keeper.run())
        yield keeper
        task.cancel()


async def test_any_number_of_pins_is_known_at_a_gateway_that_starts(bus: NatsBus) -> None:
    await make_bucket(bus, BUCKET)
    pins = [pin(number) for number in range(2_500)]  # NATS tells the newest of 1,024 subjects at once, and no more
    await asyncio.gather(*(keeper_on(bus).pin(f"s{number % 3}", [each]) for number, each in enumerate(pins)))
    async with running(keeper_on(bus)) as fresh:
        await eventually(lambda: len(fresh.table.held()) == len(pins))
        assert len(fresh.table.pins("s1")) == 833


async def test_what_was_taken_out_leaves_nothing_in_the_bucket(bus: NatsBus) -> None:
    await make_bucket(bus, BUCKET)
    keeper = keeper_on(bus)
    await keeper.pin("mine", [pin(1), pin(2)])
    await keeper.unpin("mine", [pin(1)])

    async def subjects() -> set[str]:
        wish = msgspec.json.encode({"subjects_filter": ">"})
        told = msgspec.json.decode(await bus.request(f"$JS.API.STREAM.INFO.KV_{BUCKET}", wish, 5))
        return set(told["state"].get("subjects") or ())

    wanted = {subject("mine", Market.SPOT, pin(2).stream), flag("mine")}
    async with asyncio.timeout(10), running(keeper):
        while await subjects() != wanted:
            pass
    assert keeper.table.pins("mine") == [pin(2)]


async def test_what_is_put_while_everything_is_read_is_not_forgotten_for_what_was_before() -> None:
    bus = MemoryBus()
    late, gone = (subject("mine", Market.SPOT, pin(number).stream) for number in (1, 2))

    def read(_subject: str, reply: str, _question: bytes) -> None:
        head = b"NATS/1.0\r\nNats-Subject: %b\r\nNats-Sequence: 1\r\nNats-Num-Pending: 0\r\n\r\n" % gone.encode()
        bus.answer(reply, Answer(msgspec.json.encode(pin(2)), head))
        bus.answer(reply, Answer(b"", b"NATS/1.0 204 EOB\r\n\r\n", "204"))
        bus.publish(late, msgspec.json.encode(pin(1)))
        bus.publish(gone, b"")

    bus.subscribe(GET, read)
    async with running(keeper_on(bus)) as keeper:
        await eventually(lambda: keeper.table.pins("mine") == [pin(1)])
