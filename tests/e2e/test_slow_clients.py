"""Clients that do not read cost the gateway little, cost nobody else a message, and lose by the kind of the stream."""

import asyncio
import base64
import contextlib
import json
import os
import re
import socket
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fsnats import catalogue
from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.frames import VERSION, Frame, encode
from fsnats.subjects import subject_of
from gateway.fanout.turn import ROUND_BYTES
from tests.buckets import list_symbols, make_bucket
from tests.conftest import NatsServer, eventually
from tests.e2e.conftest import StartFleet
from tests.e2e.fleet import get

TRADES, TICKER = "btcusdt@trade", "btcusdt@ticker"
GOOD, DEAF = 200, 100
EVENTS = 20  # of the deaf ones, readers of server-sent events
NUMBER, BATCH = 1000, 25  # messages of a kilobyte on each of the two streams, and how many at a time
OUTBOX = 64 * 1024
_NUMBERS = re.compile(rb'"n":(\d+)')


class Reader(asyncio.Protocol):
    """A client that reads everything: the numbers of the messages of a stream, in order."""

    def __init__(self) -> None:
        self._rest = b""
        self.numbers: list[int] = []
        self.is_open = False
        self.is_lost = False

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        end = data.rfind(b"}")  # of a message, nearly always; what is cut off is looked at again
        self._rest = data[end + 1 :]
        self.is_open = True
        self.numbers += map(int, _NUMBERS.findall(data[: end + 1]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True


def handshake(path: str) -> bytes:
    key = base64.b64encode(os.urandom(16))
    return (
        b"GET %b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n\r\n" % (path.encode(), key)
    )


class Slow:
    """A client that reads when it is told to."""

    def __init__(self, port: int, opening: bytes, welcome: bytes) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        self._socket.settimeout(20)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(opening)
        self._rest = b""
        while welcome not in self._rest:
            self._rest += self._socket.recv(4096)
        self._rest = b""

    def close(self) -> None:
        self._socket.close()

    async def read_some(self, most: int) -> None:
        """Read what fits into so many bytes."""
        self._rest += await asyncio.get_running_loop().sock_recv(self._socket, most)

    async def messages(self) -> AsyncIterator[Any]:
        """Read on, message by message."""
        while True:
            while (taken := self._taken()) is None:
                before = len(self._rest)
                await self.read_some(1 << 20)
                assert len(self._rest) > before, "closed"
            message, self._rest = taken
            if message is not None:
                yield message

    def _taken(self) -> tuple[Any, bytes] | None:
        """The first message (None for what is none) and what follows; None while it is not complete."""
        raise NotImplementedError


class Native(Slow):
    """One of the native protocol."""

    def __init__(self, port: int) -> None:
        super().__init__(port, handshake("/"), b'"clientId"')
        ask = json.dumps({"type": "subscribe", "rawStreams": [TRADES, TICKER]}).encode()
        self._socket.sendall(bytes((0x81, 0x80 | len(ask), 0, 0, 0, 0)) + ask)  # masked with zeros
        self._socket.setblocking(False)

    def _taken(self) -> tuple[Any, bytes] | None:
        return _text(self._rest)


class Events(Slow):
    """One of server-sent events."""

    def __init__(self, port: int) -> None:
        path = f"/api/ws/sse/stream?streams={TRADES}/{TICKER}&format=raw"
        super().__init__(port, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), b"retry: 1000\n\n")
        self._socket.setblocking(False)

    def _taken(self) -> tuple[Any, bytes] | None:
        event, end, rest = self._rest.partition(b"\n\n")
        if not end:
            return None
        data = event.partition(b"data: ")[2]
        return (json.loads(data) if data else None), rest


def _text(data: bytes) -> tuple[Any, bytes] | None:
    """The first frame's message (None if it is not text) and what follows; None while it is not complete."""
    if len(data) < 4:
        return None
    length, start = data[1], 2
    if length == 126:
        length, start = int.from_bytes(data[2:4]), 4
    assert length != 127
    if len(data) < start + length:
        return None
    frame = data[start : start + length]
    return (json.loads(frame) if data[0] == 0x81 else None), data[start + length :]


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def counted(port: int, name: str) -> float:
    text = get(f"http://127.0.0.1:{port}/metrics")[1]
    match = re.search(rf"^fsnats_gateway_{name}{{.*}} (\S+)$", text, re.MULTILINE)
    assert match is not None, name
    return float(match[1])


def publish(bus: NatsBus, number: int) -> None:
    """One message of each stream, as a worker sends them."""
    for name in (TRADES, TICKER):
        payload = b'{"n":%d,"x":"%b"}' % (number, b"x" * 1000)
        bus.publish(subject_of(Market.SPOT, name), encode(Frame(VERSION, name, number, 1, number, 0, payload)))


@contextlib.asynccontextmanager
async def reading(port: int, count: int) -> AsyncIterator[list[Reader]]:
    """Clients of both streams that read everything."""
    connect = asyncio.get_running_loop().create_connection
    connections = [await connect(Reader, "127.0.0.1", port) for _ in range(count)]
    readers = [reader for _, reader in connections]
    try:
        for transport, _ in connections:
            transport.write(handshake(f"/stream?streams={TRADES}/{TICKER}"))
        await eventually(lambda: all(reader.is_open for reader in readers), "all are connected")
        yield readers
    finally:
        for transport, _ in connections:
            transport.abort()
        await eventually(lambda: all(reader.is_lost for reader in readers), "all are gone")


def all_have(readers: list[Reader], number: int) -> bool:
    """Whether all of them have read everything up to here."""
    return all(reader.numbers[-2:] == [number, number] for reader in readers)


@contextlib.contextmanager
def slow_clients(port: int, count: int) -> Iterator[list[Slow]]:
    with contextlib.ExitStack() as stack:
        kinds = [Native] * (count - EVENTS) + [Events] * EVENTS
        yield [stack.enter_context(contextlib.closing(kind(port))) for kind in kinds]


@pytest.fixture
async def listed(nats: NatsServer, bus: NatsBus) -> NatsServer:
    """A bus with a catalogue of one symbol."""
    await make_bucket(bus, catalogue.LISTINGS)
    await make_bucket(bus, catalogue.GROUPS)
    await list_symbols(bus, Market.SPOT, "BTCUSDT")
    return nats


async def test_slow_clients_are_nobody_elses_trouble(listed: NatsServer, bus: NatsBus, start_fleet: StartFleet) -> None:
    fleet = start_fleet(simulator=None, supervisor=None, nats_url=listed.url, markets="spot", gateway_outbox=OUTBOX)
    port = fleet.gateway_port
    gateway = fleet.serve_gateway(port)
    async with reading(port, GOOD) as readers:
        before = resident(gateway.pid)
        with slow_clients(port, DEAF + 1) as (slow, *deaf):
            await eventually(lambda: counted(port, "listeners") == 2 * (GOOD + DEAF + 1), "all have subscribed")
            for start in range(0, NUMBER, BATCH):
                for number in range(start + 1, start + BATCH + 1):
                    publish(bus, number)
                # As fast as the good ones read, so that nobody else is slow.
                await eventually(partial(all_have, readers, start + BATCH))
                await slow.read_some(256)

            everything = [each for n in range(1, NUMBER + 1) for each in (n, n)]
            assert all(reader.numbers == everything for reader in readers)
            assert not any(reader.is_lost for reader in readers)
            assert counted(port, "slow_clients") == DEAF + 1
            assert counted(port, "slow_total") == 0
            assert counted(port, "outbox_bytes") < (DEAF + 1) * (OUTBOX + 2 * ROUND_BYTES)
            # Two megabytes each were for them.  Kept are the outbox, the transport's buffer, and what one turn brings.
            assert resident(gateway.pid) - before < (DEAF + 1) * 512 * 1024
            for client in (slow, deaf[0], deaf[-1]):
                await check(client)


async def check(client: Slow) -> None:
    """It resumes: the newest ticker is there, and of the trades it missed not one is not told."""
    trades, tickers = [0], [0]
    async with asyncio.timeout(20):
        async for message in client.messages():
            if message.get("type") == "gap":
                notice = message["data"]
                assert (notice["stream"], notice["reason"]) == (TRADES, "slow consumer")
                trades += range(trades[-1] + 1, trades[-1] + 1 + notice["missed"])
            elif "stream" in message:
                (trades if message["stream"] == TRADES else tickers).append(message["data"]["n"])
            if trades[-1] == tickers[-1] == NUMBER:
                break

    assert trades == list(range(NUMBER + 1))
    assert tickers == sorted(set(tickers))
    assert len(tickers) < NUMBER / 2
