"""A reader of events without a network: what becomes of it while it is slow, and when the gateway stops."""

import json
from collections.abc import AsyncIterator

import pytest

from fsnats.binance.streams import Market
from fsnats.frames import VERSION, Frame, encode
from fsnats.symbols import Listing
from fsnats.websocket import handshake
from fsnats.websocket.handshake import Request
from gateway import closing
from gateway.client import Client
from gateway.protocol.native import NativeSession
from gateway.protocol.paths import NativePath
from gateway.sse.client import HEARTBEAT_EVERY, EventClient
from tests.clock import HandClock
from tests.gateway import test_client
from tests.gateway.protocol.worlds import listing

SPOT = Market.SPOT
TARGET = "/api/ws/sse/stream?streams=btcusdt@trade/btcusdt@ticker&format=raw"


class House(test_client.House):
    """The gateway as a reader sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.listings: dict[Market, Listing] = {SPOT: listing(SPOT, "BTCUSDT")}

    def admit(self, client: Client, request: Request, path: NativePath) -> NativeSession:
        return NativeSession("c", SPOT, (SPOT,), self.listings, path.envelope, path.delivery)

    def bring(self, number: int, size: int = 10, name: str = "btcusdt@trade") -> None:
        for channel in self.hub:
            if channel.stream.name == name:
                payload = b'{"n":%d,"x":"%b"}' % (number, b"x" * size)
                channel.receive("", "", encode(Frame(VERSION, name, 1, 1, number, 0, payload, 1)))
        self.hub.flush()


class Stage:
    """A reader of a house."""

    def __init__(self) -> None:
        self.house, self.clock, self.wire = House(), HandClock(), test_client.Wire()
        self.reader = EventClient(self.house, set(), self.clock.monotonic)
        request = handshake.read(f"GET {TARGET} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert request is not None
        self.reader.take(self.wire, request, b"")
        self.begun = self.wire.went()

    def read(self) -> list[tuple[str, object]]:
        """Names of events and their data."""
        events = []
        for event in self.wire.went().decode().split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in event.split("\n"))
            events.append((fields.get("event", ""), json.loads(fields["data"]) if "data" in fields else fields[""]))
        return events


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    yield stage
    if stage.reader in stage.house.clients:
        stage.reader.connection_lost(None)
    stage.wire.gone()


def news(number: int, name: str = "btcusdt@trade", size: int = 10) -> tuple[str, object]:
    return "", {"stream": name, "data": {"n": number, "x": "x" * size}}


async def test_a_slow_reader_hears_the_goodbye_behind_its_data_and_then_the_end(stage: Stage) -> None:
    assert stage.begun.startswith(b"HTTP/1.1 200 OK\r\n")
    stage.house.bring(1)
    assert stage.read() == [news(1)]
    stage.reader.pause_writing()
    stage.house.bring(2)
    stage.reader.say_goodbye(2.5)
    assert stage.read() == []
    stage.reader.resume_writing()
    assert stage.read() == [news(2), ("goodbye", {"type": "goodbye", "reconnect": True, "closesIn": 2.5})]
    stage.reader.pause_writing()
    stage.house.bring(3)
    stage.reader.close(closing.RESTARTING.code, closing.RESTARTING.reason)
    assert stage.read() == [("close", {"code": 1012, "reason": "Service restart"})]
    assert stage.wire.is_closing_now
    assert (len(stage.house.hub), len(stage.house.hub.turn.slow)) == (0, 0)


async def test_one_that_reads_too_slowly_is_told_which_trades_it_missed(stage: Stage) -> None:
    stage.reader.pause_writing()
    for number in range(1, 31):
        stage.house.bring(number, 10_000)
        stage.house.bring(number, name="btcusdt@ticker")
        while stage.house.later:
            stage.house.later.pop()()
    stage.reader.resume_writing()
    while stage.reader.outbox.waiting is not None:
        stage.reader.resume_writing()
    events = stage.read()
    ((_, gap),) = [event for event in events if event[0] == "gap"]
    assert isinstance(gap, dict)
    missed = gap["data"]["missed"]
    assert gap["data"]["reason"] == "slow consumer"
    assert [event for event in events if event[0] != "gap" and event != news(30, "btcusdt@ticker")] == [
        news(number, size=10_000) for number in range(missed + 1, 31)
    ]
    assert events.count(news(30, "btcusdt@ticker")) == 1
    assert stage.house.tally.slow == 0


@pytest.mark.parametrize("ends", ["half", "lost"])
async def test_one_that_ends_while_it_is_behind_leaves_nothing(stage: Stage, ends: str) -> None:
    stage.reader.pause_writing()
    stage.house.bring(1)
    if ends == "half":
        stage.reader.eof_received()
    else:
        stage.reader.connection_lost(ConnectionResetError())
    hub = stage.house.hub
    assert (stage.reader.outbox.held_bytes, len(hub.turn.slow), len(hub)) == (0, 0, 0)
    assert stage.read() == []


async def test_a_reader_hears_a_heartbeat_and_one_that_never_reads_is_cut_off(stage: Stage) -> None:
    await stage.clock.advance(HEARTBEAT_EVERY)
    stage.reader.keep_alive(stage.clock.monotonic())
    stage.house.hub.flush()
    assert stage.wire.went() == b": heartbeat\n\n"
    for _ in range(20):  # it has read all there is
        await stage.clock.advance(10)
        stage.reader.keep_alive(stage.clock.monotonic())
        stage.house.hub.flush()
        stage.wire.went()
    assert not stage.wire.is_aborted
    stage.wire.unsent = 10
    for seconds in (1, 59):
        await stage.clock.advance(seconds)
        stage.reader.keep_alive(stage.clock.monotonic())
        assert not stage.wire.is_aborted
    await stage.clock.advance(2)
    stage.reader.keep_alive(stage.clock.monotonic())
    assert stage.wire.is_aborted
