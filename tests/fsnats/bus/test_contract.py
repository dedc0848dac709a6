"""What every bus does, the one in memory and the one over a real NATS server."""

from collections.abc import AsyncIterator

import pytest

from fsnats.bus import Bus
from fsnats.bus.memory import MemoryBus
from fsnats.bus.nats import NatsBus
from fsnats.errors import BusUnavailable
from tests.conftest import NatsServer, eventually


@pytest.fixture(params=["memory", "nats"])
async def buses(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Bus, Bus]]:
    """Two ends of one bus."""
    if request.param == "memory":
        bus = MemoryBus()
        yield bus, bus
        return
    server: NatsServer = request.getfixturevalue("nats")
    async with (
        NatsBus([server.url], "one", lambda: 0.0) as one,
        NatsBus([server.url], "two", lambda: 0.0) as two,
    ):
        await one.connected()
        await two.connected()
        yield one, two


class Seen(list[tuple[str, str, bytes]]):
    def __call__(self, subject: str, reply: str, payload: bytes) -> None:
        self.append((subject, reply, payload))


async def test_a_subscriber_gets_what_is_published_in_order(buses: tuple[Bus, Bus]) -> None:
    near, far = buses
    seen = Seen()
    far.subscribe("fsnats.spot.*.trade", seen)
    await far.flush()

    for number in range(1000):
        assert near.publish("fsnats.spot.btcusdt.trade", b"%d" % number)
    near.publish("fsnats.spot.btcusdt.kline_1m", b"not for you")
    await eventually(lambda: len(seen) == 1000)

    assert seen == [("fsnats.spot.btcusdt.trade", "", b"%d" % number) for number in range(1000)]


async def test_a_tail_wildcard_takes_every_depth(buses: tuple[Bus, Bus]) -> None:
    near, far = buses
    seen = Seen()
    far.subscribe("a.>", seen)
    await far.flush()

    for subject in ("a", "a.b", "a.b.c", "b.a"):
        near.publish(subject, b"")
    await eventually(lambda: len(seen) == 2)

    assert [subject for subject, _, _ in seen] == ["a.b", "a.b.c"]


async def test_a_subscription_can_be_turned_to_another_callback_without_a_seam(buses: tuple[Bus, Bus]) -> None:
    near, far = buses
    before, after = Seen(), Seen()
    sid = far.subscribe("a", before)
    await far.flush()
    near.publish("a", b"1")
    await eventually(lambda: before)
    far.redirect(sid, after)
    near.publish("a", b"2")
    await eventually(lambda: after)

    assert [payload for _, _, payload in before + after] == [b"1", b"2"]


async def test_after_unsubscribing_nothing_comes(buses: tuple[Bus, Bus]) -> None:
    near, far = buses
    gone, seen = Seen(), Seen()
    sid = far.subscribe("a", gone)
    far.unsubscribe(sid)
    far.subscribe("a", seen)
    await far.flush()

    near.publish("a", b"1")
    await eventually(lambda: seen)

    assert gone == []


async def test_a_request_is_answered(buses: tuple[Bus, Bus]) -> None:
    near, far = buses

    def echo(_subject: str, reply: str, payload: bytes) -> None:
        far.publish(reply, payload.upper())

    far.subscribe("rpc", echo)
    await far.flush()

    assert await near.request("rpc", b"hello", 5) == b"HELLO"


async def test_a_request_that_nobody_hears_fails_at_once(buses: tuple[Bus, Bus]) -> None:
    with pytest.raises(BusUnavailable, match="nobody answers"):
        await buses[0].request("nobody", b"", 60)


async def test_a_request_that_is_not_answered_fails_in_time(buses: tuple[Bus, Bus]) -> None:
    near, far = buses
    far.subscribe("rpc", Seen())
    await far.flush()

    with pytest.raises(BusUnavailable, match=r"within 0\.05 s"):
        await near.request("rpc", b"", 0.05)


async def test_as_many_answers_are_collected_as_were_asked_for(buses: tuple[Bus, Bus]) -> None:
    near, far = buses

    def count(_subject: str, reply: str, _payload: bytes) -> None:
        for number in range(5):
            far.publish(reply, b"%d" % number)

    far.subscribe("rpc", count)
    await far.flush()

    assert [answer.payload for answer in await near.collect("rpc", b"", 5, 3)] == [b"0", b"1", b"2"]
    with pytest.raises(BusUnavailable, match=r"within 0\.05 s"):
        await near.collect("rpc", b"", 0.05, 6)
    with pytest.raises(BusUnavailable, match="nobody answers"):
        await near.collect("nobody", b"", 60, 2)


async def test_new_connections_are_told_until_nobody_wants_to_know(buses: tuple[Bus, Bus]) -> None:
    bus, heard = buses[0], Seen()
    forget = bus.on_connect(lambda: heard("", "", b"connected"))
    if isinstance(bus, MemoryBus):
        bus.reconnect()
    else:
        assert isinstance(bus, NatsBus)
        assert bus._link is not None
        bus._link.abort()
    await eventually(lambda: heard)
    forget()
    if isinstance(bus, MemoryBus):
        bus.reconnect()

    assert len(heard) == 1


async def test_a_queue_shares_messages_out(buses: tuple[Bus, Bus]) -> None:
    near, far = buses
    one, two = Seen(), Seen()
    far.subscribe("work", one, "q")
    far.subscribe("work", two, "q")
    await far.flush()

    for _ in range(200):
        near.publish("work", b"")
    await eventually(lambda: len(one) + len(two) == 200)

    assert one
    assert two
