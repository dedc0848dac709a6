import asyncio

import msgspec
import pytest

from fsnats import catalogue
from fsnats.bus import Answer
from fsnats.bus.memory import MemoryBus
from fsnats.bus.nats import NatsBus
from tests.conftest import NatsServer, eventually


class Value(msgspec.Struct):
    number: int


async def make_bucket(bus: NatsBus, bucket: str) -> None:
    wish = {"name": f"KV_{bucket}", "subjects": [f"$KV.{bucket}.>"], "allow_direct": True, "max_msgs_per_subject": 1}
    answer = await bus.request(f"$JS.API.STREAM.CREATE.KV_{bucket}", msgspec.json.encode(wish), 5)
    assert b"error" not in answer


async def put(bus: NatsBus, bucket: str, key: str, value: bytes) -> None:
    assert b"error" not in await bus.request(catalogue.key_subject(bucket, key), value, 5)


async def test_a_value_is_read_from_a_real_server(bus: NatsBus) -> None:
    await make_bucket(bus, "b")
    await put(bus, "b", "k", b'{"number":1}')

    assert await catalogue.read(bus, "b", "k") == b'{"number":1}'
    assert await catalogue.read(bus, "b", "missing") is None


async def test_a_watch_hears_the_value_each_change_and_what_happened_while_the_bus_was_down(
    nats: NatsServer, bus: NatsBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fsnats.catalogue._REFRESH", 0.05)
    seen: list[int] = []
    await make_bucket(bus, "b")
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(catalogue.watch(bus, "b", "k", Value, lambda value: seen.append(value.number)))
        await put(bus, "b", "k", b'{"number":1}')
        await eventually(lambda: seen == [1])
        await put(bus, "b", "k", b'{"number":2}')
        await eventually(lambda: seen == [1, 2])
        await put(bus, "b", "k", b'{"number":2}')  # the same value again is no change
        nats.stop()
        await eventually(lambda: not bus.is_connected)
        nats.start()
        async with NatsBus([nats.url], "other", lambda: 0.0) as other:
            await other.connected()
            await put(other, "b", "k", b'{"number":3}')
        await eventually(lambda: seen == [1, 2, 3])
        watching.cancel()


async def test_what_was_put_while_the_bus_was_down_is_seen_when_it_is_back(nats: NatsServer, bus: NatsBus) -> None:
    seen: list[int] = []
    await make_bucket(bus, "b")
    await put(bus, "b", "k", b'{"number":1}')
    # The watcher is told of a server that others know already.
    async with NatsBus(["nats://127.0.0.1:1", nats.url], "late", lambda: 0.0) as late:
        watching = asyncio.create_task(catalogue.watch(late, "b", "k", Value, lambda value: seen.append(value.number)))
        async with asyncio.timeout(catalogue._REFRESH / 3):
            await eventually(lambda: seen == [1])
            assert late._link is not None
            late._link.abort()
            await put(bus, "b", "k", b'{"number":2}')
            await eventually(lambda: seen == [1, 2])
        watching.cancel()


async def test_a_look_that_failed_is_repeated_soon() -> None:
    bus = MemoryBus()
    asked: list[str] = []
    seen: list[int] = []

    def answer(subject: str, reply: str, _payload: bytes) -> None:
        asked.append(subject)
        if len(asked) != 2:
            bus.answer(reply, Answer(b'{"number":%d}' % len(asked)))

    bus.subscribe("$JS.API.DIRECT.GET.KV_b.$KV.b.k", answer)
    watching = asyncio.create_task(catalogue.watch(bus, "b", "k", Value, lambda value: seen.append(value.number)))
    await eventually(lambda: seen == [1])
    bus.reconnect()  # the server is back, but does not answer yet
    async with asyncio.timeout(catalogue._REFRESH / 2):
        await eventually(lambda: seen == [1, 3])
    watching.cancel()


@pytest.fixture
def stored() -> dict[str, bytes]:
    return {}


@pytest.fixture
def kept(stored: dict[str, bytes]) -> MemoryBus:
    """A bus on which the key `k` of the bucket `b` has the value that is stored, whatever is put."""
    bus = MemoryBus()
    bus.subscribe(
        "$JS.API.DIRECT.GET.KV_b.$KV.b.k",
        lambda _subject, reply, _payload: bus.answer(reply, Answer(stored.get("k", b""))),
    )
    return bus


async def test_a_put_that_the_server_refused_to_store_is_not_believed(
    kept: MemoryBus, stored: dict[str, bytes]
) -> None:
    seen: list[int] = []
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(catalogue.watch(kept, "b", "k", Value, lambda value: seen.append(value.number)))
        stored["k"] = b'{"number":1}'
        kept.reconnect()
        await eventually(lambda: seen == [1])
        kept.publish("$KV.b.k", b'{"number":2}')  # everybody hears it, and the disk is full
        await asyncio.sleep(3 * catalogue._SETTLE)
        assert seen == [1]
        stored["k"] = b'{"number":2}'  # it was only slow
        async with asyncio.timeout(catalogue._REFRESH / 3):
            await eventually(lambda: seen == [1, 2])
        watching.cancel()


async def test_a_value_that_cannot_be_read_is_passed_over(kept: MemoryBus, stored: dict[str, bytes]) -> None:
    seen: list[int] = []
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(catalogue.watch(kept, "b", "k", Value, lambda value: seen.append(value.number)))
        await asyncio.sleep(0)
        for value in (b'{"number":"one"}', b'{"number":1}'):
            stored["k"] = value
            kept.publish("$KV.b.k", value)
            await asyncio.sleep(0)
        await eventually(lambda: seen == [1])
        watching.cancel()
