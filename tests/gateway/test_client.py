"""One client without a network: what becomes of it while it is slow, half-closes, leaves or is sent away."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from fsnats.binance.streams import Market, parse
from fsnats.config import Config
from fsnats.frames import VERSION, Frame, encode
from fsnats.websocket import frames, handshake
from fsnats.websocket.handshake import Request
from gateway import closing
from gateway.client import Client
from gateway.effects import Form, Klines, Leave, Listen
from gateway.fanout.hub import Hub
from gateway.fanout.tally import Tally
from gateway.protocol.native import NativeSession
from tests.clock import HandClock
from tests.fsnats.websocket.cases import CLOSE, PONG, TEXT, frame
from tests.fsnats.websocket.transport import Recorded
from tests.gateway.heard import heard
from tests.gateway.protocol.worlds import listing

SPOT = Market.SPOT
TRADES, OTHERS = parse(SPOT, "btcusdt@trade"), parse(SPOT, "ethusdt@trade")
MUTE = Form(b"", b"")  # of a dialect that has no word for a gap
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class House:
    """The gateway as a client sees it; who is there, and how it ended for whom."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.later: list[Callable[[], None]] = []
        self.hub = Hub(lambda _: None, lambda _: None, self.tally, later=self.later.append)
        self.config = Config(gateway_outbox=64 * 1024)
        self.clients: list[Client] = []
        self.fetched: list[Client] = []

    def entered(self, client: Client) -> None:
        self.clients.append(client)

    def left(self, client: Client) -> None:
        self.clients.remove(client)

    def welcome(self, client: Client, request: Request) -> NativeSession:
        return NativeSession("c", SPOT, (SPOT,), {SPOT: listing(SPOT, "BTCUSDT", "ETHUSDT")})

    def fetch_before(self, client: Client) -> None:
        self.fetched.append(client)

    def fetch_klines(self, client: Client, request: Klines) -> None: ...

    def count_unknown(self, market: Market, name: str) -> None: ...

    def bring(self, number: int, size: int = 10, name: str = "btcusdt@trade") -> None:
        """One turn with one message."""
        for channel in self.hub:
            if channel.stream.name == name:
                payload = b'"%s"' % (b"%d" % number).ljust(size, b".")
                channel.receive("", "", encode(Frame(VERSION, name, 1, 1, number, 0, payload, 1)))
        self.hub.flush()


class Wire(Recorded):
    """A transport on a real socket, whose other end is `peer`."""

    def __init__(self) -> None:
        super().__init__()
        self.ours, self.peer = socket.socketpair()
        self.is_closing_now = False
        self.ours.setblocking(False)
        self.peer.setblocking(False)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.ours if name == "socket" else default

    def write(self, data: Any) -> None:
        super().write(data)
        self.unsent += len(data)

    def went(self) -> bytes:
        """What waited has gone; everything that was written since."""
        written, self.written, self.unsent = self.written, b"", 0
        return written

    def close(self) -> None:
        self.is_closing_now = True

    def gone(self) -> None:
        """The test is over."""
        self.ours.close()
        self.peer.close()


class Stage:
    """A client of a house."""

    def __init__(self) -> None:
        self.house, self.clock = House(), HandClock()
        self.client, self.wire = self.come()
        self.outbox = self.client.outbox

    def come(self) -> tuple[Client, Wire]:
        client, wire = Client(self.house, set(), self.clock.monotonic), Wire()
        request = handshake.read(HANDSHAKE)
        assert request is not None
        client.take(wire, request, b"")
        wire.went()
        return client, wire


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    yield stage
    if stage.client in stage.house.clients:
        stage.client.connection_lost(None)
    stage.wire.gone()


def plain(number: int) -> bytes:
    """What `bring` brings."""
    return frames.text(b'"%s"' % (b"%d" % number).ljust(10, b"."))


async def test_frames_go_to_the_socket_and_behind_what_waits_in_the_transport(stage: Stage) -> None:
    stage.client.perform([Listen(TRADES, MUTE)])
    stage.house.bring(1)
    assert (stage.wire.peer.recv(1000), stage.wire.written) == (plain(1), b"")
    stage.client.data_received(frame(9, b"x"))
    stage.house.bring(2)
    assert stage.wire.went() == frames.control(10, b"x") + plain(2)
    stage.house.bring(3)
    assert (stage.wire.peer.recv(1000), stage.wire.written) == (plain(3), b"")


async def test_a_broken_socket_is_the_transports_to_find_and_nobody_elses_trouble(stage: Stage) -> None:
    stage.client.perform([Listen(TRADES, MUTE)])
    other, wire = stage.come()
    other.perform([Listen(TRADES, MUTE)])
    stage.wire.peer.close()
    stage.house.bring(1)

    assert (stage.wire.written, wire.peer.recv(1000)) == (plain(1), plain(1))
    stage.client.connection_lost(BrokenPipeError())
    stage.house.bring(2)
    assert wire.peer.recv(1000) == plain(2)
    other.connection_lost(None)
    wire.gone()
    assert len(stage.house.hub) == 0


async def test_a_socket_is_given_back_before_its_number_can_be_somebody_elses(stage: Stage) -> None:
    stage.client.perform([Listen(TRADES, MUTE)])
    stage.house.hub.touch(stage.outbox, frames.text(b"not written yet"))
    stage.client.close(1000, "")
    stage.house.hub.flush()
    stage.house.bring(1)
    with pytest.raises(BlockingIOError):
        stage.wire.peer.recv(1000)
    assert stage.wire.ours.fileno() >= 0, "it is the transport's to close"
    assert stage.wire.went() == frames.close(1000, "")


@pytest.mark.parametrize("ends", ["half", "close", "lost", "told"])
async def test_one_that_ends_while_it_is_behind_leaves_nothing(stage: Stage, ends: str) -> None:
    stage.client.perform([Listen(TRADES, MUTE), Listen(OTHERS, MUTE)])
    stage.client.pause_writing()
    stage.house.bring(1)
    stage.house.bring(1, name="ethusdt@trade")
    assert stage.outbox.held_bytes
    match ends:
        case "half":
            stage.client.eof_received()
        case "close":
            stage.client.data_received(frame(CLOSE))
        case "lost":
            stage.client.connection_lost(ConnectionResetError())
        case "told":
            stage.client.close(closing.TOKEN_REVOKED.code, closing.TOKEN_REVOKED.reason)
    hub = stage.house.hub
    assert (stage.outbox.held_bytes, len(hub.turn.slow), len(hub.turn.origins), len(hub)) == (0, 0, 0, 0)
    assert stage.wire.written == {"close": frames.control(CLOSE, b""), "told": frames.close(4001, "token revoked")}.get(
        ends, b""
    )
    stage.client.resume_writing()
    stage.client.pause_writing()
    assert not hub.turn.slow


async def test_a_slow_client_hears_the_goodbye_behind_its_data_and_is_closed_all_the_same(stage: Stage) -> None:
    stage.client.perform([Listen(TRADES, MUTE)])
    stage.client.pause_writing()
    stage.house.bring(1)
    stage.client.say_goodbye(2.5)
    assert stage.wire.written == b""
    stage.client.resume_writing()
    goodbye = stage.wire.went().removeprefix(plain(1))
    assert json.loads(goodbye[2:]) == {"type": "goodbye", "reconnect": True, "closesIn": 2.5}

    stage.client.pause_writing()
    stage.client.say_goodbye(2.5)
    stage.client.close(closing.RESTARTING.code, closing.RESTARTING.reason)
    assert stage.wire.went() == frames.close(1012, "Service restart")


async def test_one_that_is_closed_by_what_it_leaves_listens_to_nothing_that_it_asks_for_next(stage: Stage) -> None:
    stage.client.perform([Listen(TRADES, MUTE)])
    stage.client.pause_writing()
    for number in range(1, 12):
        stage.house.bring(number, 10_000)  # sorted when its turn comes, or when it leaves
    assert stage.client.is_open
    stage.client.perform([Leave(TRADES, MUTE), Listen(OTHERS, MUTE)])
    assert stage.wire.written == frames.close(4008, "slow consumer")
    stage.client.connection_lost(None)
    assert (len(stage.house.hub), len(stage.house.hub.turn.slow), stage.house.clients) == (0, 0, [])


async def test_who_reads_on_though_slowly_is_not_closed_for_want_of_a_pong(stage: Stage) -> None:
    stage.wire.unsent = 1_000_000
    for _ in range(20):
        await stage.clock.advance(10)
        stage.wire.unsent -= 1
        stage.client.keep_alive(stage.clock.monotonic())
    assert stage.client.is_open
    for _ in range(7):
        await stage.clock.advance(10)
        stage.client.keep_alive(stage.clock.monotonic())
    assert stage.client.closed_with == closing.PONG_TIMEOUT.code


async def test_who_reads_whatever_waited_shows_life_though_more_waits_at_the_next_look(stage: Stage) -> None:
    for unsent in range(20):
        await stage.clock.advance(10)
        stage.client.pause_writing()
        stage.client.resume_writing()
        stage.wire.unsent = unsent
        stage.client.keep_alive(stage.clock.monotonic())
    assert stage.client.is_open


@pytest.mark.parametrize("answers", [True, False])
async def test_who_was_not_pinged_is_not_to_blame(stage: Stage, answers: bool) -> None:
    await stage.clock.advance(1000)  # we stood still
    stage.client.keep_alive(stage.clock.monotonic())
    assert stage.client.is_open
    if answers:
        stage.client.data_received(frame(PONG))
    await stage.clock.advance(1)
    stage.client.keep_alive(stage.clock.monotonic())
    assert stage.client.is_open == answers


async def test_what_waits_for_a_slow_client_to_read_goes_on_when_it_does(stage: Stage) -> None:
    stage.client.pause_writing()
    stage.client.listening.begin(Listen(TRADES, MUTE))
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(stage.client.listening.readable())
        await asyncio.sleep(0)
        assert not waiting.done()
        stage.client.resume_writing()


async def test_one_stream_in_several_deliveries_comes_in_each_until_that_one_is_left(stage: Stage) -> None:
    def ask(what: str, **options: object) -> None:
        request = {"type": what, "rawStreams": ["btcusdt@kline_1m"], "options": options, "snapshot": False}
        stage.client.data_received(frame(TEXT, json.dumps(request).encode()))
        said = stage.wire.went() + stage.wire.peer.recv(10_000)
        assert heard([said])[-1]["type"] == f"{what}d"

    def comes(number: int, closed: bytes) -> int:
        (channel,) = stage.house.hub
        payload = b'{"k":{"n":%d,"x":%b}}' % (number, closed)
        channel.receive("", "", encode(Frame(VERSION, channel.stream.name, 1, 1, number, 0, payload, 1)))
        stage.house.hub.flush()
        messages = heard([stage.wire.went() + stage.wire.peer.recv(10_000)])
        assert all(message["data"]["k"]["n"] == number for message in messages)
        return len(messages)

    for options in ({}, {"closedOnly": True}, {"maxRate": 0.01}, {"onSlow": "disconnect"}, {"closedOnly": True}):
        ask("subscribe", **options)
    assert [comes(1, b"false"), comes(2, b"false"), comes(3, b"true")] == [3, 2, 4]
    ask("unsubscribe", closedOnly=True)
    assert comes(4, b"true") == 3
    ask("unsubscribe", onSlow="disconnect")
    assert comes(5, b"true") == 2
    ask("unsubscribe")
    assert len(stage.house.hub) == 0
