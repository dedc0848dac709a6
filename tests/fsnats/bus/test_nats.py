import asyncio

import pytest

from fsnats.bus.nats import NatsBus
from fsnats.errors import BusUnavailable
from tests.conftest import NatsServer, eventually


async def test_it_waits_for_a_server_that_is_not_there_yet(nats: NatsServer) -> None:
    nats.stop()
    async with NatsBus([nats.url], "early", lambda: 0.0) as bus:
        assert not bus.is_connected
        nats.start()

        await bus.connected()


async def test_subscriptions_survive_a_restart_and_nothing_stale_is_sent(nats: NatsServer) -> None:
    seen: list[bytes] = []
    changes: list[bool] = []
    async with NatsBus([nats.url], "one", lambda: 0.0, on_change=changes.append) as bus:
        await bus.connected()
        bus.subscribe("a", lambda _s, _r, payload: seen.append(payload))
        await bus.flush()
        nats.stop()
        await eventually(lambda: not bus.is_connected)

        assert bus.publish("a", b"while down") is False
        nats.start()
        await bus.connected()
        bus.publish("a", b"after")
        await eventually(lambda: seen)

    assert seen == [b"after"]
    assert changes == [True, False, True]
    assert bus.refused == 1


async def test_a_message_that_the_server_would_not_take_is_refused_here(bus: NatsBus) -> None:
    assert bus.publish("a", b"x" * (1024 * 1024 + 1)) is False
    await bus.flush()

    assert (bus.refused, bus.reconnects) == (1, 0)


async def test_what_may_be_lost_with_the_server_is_known(nats: NatsServer) -> None:
    async with NatsBus([nats.url], "one", lambda: 0.0, keep_sent=True) as bus:
        await bus.connected()
        assert bus.sent is not None
        for number in range(3):
            bus.publish("a.b", b"%d" % number)
            await bus.flush()
        nats.stop()
        assert bus.publish("a.b", b"into the void")  # the end was not noticed yet
        await eventually(lambda: not bus.is_connected)

        assert [payload for _, payload in bus.sent.take("a.")] == [b"0", b"1", b"2", b"into the void"]


async def test_a_callback_with_a_bug_takes_nothing_from_the_others(bus: NatsBus) -> None:
    seen: list[bytes] = []

    def buggy(_subject: str, _reply: str, _payload: bytes) -> None:
        raise ZeroDivisionError

    bus.subscribe("a", buggy)
    bus.subscribe("a", lambda _s, _r, payload: seen.append(payload))
    bus.publish("a", b"1")
    await eventually(lambda: seen)

    assert bus.reconnects == 0


async def test_what_was_published_last_is_sent_before_the_end(nats: NatsServer, bus: NatsBus) -> None:
    seen: list[bytes] = []
    bus.subscribe("a", lambda _s, _r, payload: seen.append(payload))
    await bus.flush()
    async with NatsBus([nats.url], "brief", lambda: 0.0) as brief:
        await brief.connected()
        for _ in range(200):
            brief.publish("a", b"x" * 100_000)
    await eventually(lambda: len(seen) == 200)


async def test_a_request_in_flight_fails_when_the_server_dies(nats: NatsServer) -> None:
    async with NatsBus([nats.url], "one", lambda: 0.0) as bus:
        await bus.connected()
        bus.subscribe("rpc", lambda _s, _r, _p: nats.stop())
        await bus.flush()

        with pytest.raises(BusUnavailable, match="lost"):
            await bus.request("rpc", b"", 30)


async def test_after_read_is_called_when_the_messages_of_one_read_are_delivered(nats: NatsServer) -> None:
    happened: list[str] = []
    async with (
        NatsBus([nats.url], "one", lambda: 0.0, after_read=lambda: happened.append("read")) as bus,
        NatsBus([nats.url], "two", lambda: 0.0) as other,
    ):
        await bus.connected()
        await other.connected()
        bus.subscribe("a", lambda _s, _r, payload: happened.append(payload.decode()))
        await bus.flush()
        happened.clear()
        other.publish("a", b"1")
        other.publish("a", b"2")
        await eventually(lambda: happened[-1:] == ["read"] and "2" in happened)

    assert happened[:3] == ["1", "2", "read"]


async def test_a_server_that_freezes_is_left(nats: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fsnats.bus.link.PING_INTERVAL", 0.05)
    monkeypatch.setattr("fsnats.bus.link.SILENCE", 0.2)
    mute = await asyncio.start_server(_greet_and_fall_silent, "127.0.0.1", 0)
    port = mute.sockets[0].getsockname()[1]
    async with mute, NatsBus([f"nats://127.0.0.1:{port}", nats.url], "one", lambda: 0.0) as bus:
        await bus.connected()
        await eventually(lambda: bus.reconnects == 1)
        await bus.connected()

        await bus.flush()  # the second server answers


async def _greet_and_fall_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"INFO {}\r\n")
    await reader.readuntil(b"PING\r\n")
    writer.write(b"PONG\r\n")
    await reader.read()
    writer.close()
