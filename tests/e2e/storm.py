"""Crowds that come and go: thousands of connections that end in every way that a connection can end."""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import random
import socket
import struct
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence

MASK = b"\x00\x00\x00\x00"  # allowed, and nothing has to be computed
CLOSE = bytes((0x88, 0x82)) + MASK + (1000).to_bytes(2)

_WITHIN = 30.0  # seconds that any visit may take on a busy machine
_BIND_ADDRESS_NO_PORT = 24  # linux/in.h: a port is chosen at connect, so that each address has all of them
_homes = itertools.cycle(f"127.0.0.{number}" for number in range(2, 18))


DEFLATE = b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"


def handshake(path: str = "/", more: bytes = b"") -> bytes:
    """A request for a WebSocket, with more lines."""
    key = base64.b64encode(os.urandom(16))
    return (
        b"GET %b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n%b\r\n" % (path.encode(), key, more)
    )


def deflated(payload: bytes) -> bytes:
    """One compressed text of a client."""
    packer = zlib.compressobj(wbits=-15)
    data = packer.compress(payload) + packer.flush(zlib.Z_SYNC_FLUSH)
    return frame(data[:-4], 0x41)


def frame(payload: bytes, opcode: int = 1) -> bytes:
    """One frame of a client."""
    size = len(payload)
    if size < 126:
        return bytes((0x80 | opcode, 0x80 | size)) + MASK + payload
    if size < 65536:
        return bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2) + MASK + payload
    return bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8) + MASK + payload


class Guest:
    """One bare connection."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._loop = asyncio.get_running_loop()

    async def dial(self, port: int) -> None:
        """Connect, from one of several addresses: one alone runs out of ports."""
        self._socket.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        self._socket.bind((next(_homes), 0))
        self._socket.setblocking(False)
        await self._loop.sock_connect(self._socket, ("127.0.0.1", port))

    async def say(self, data: bytes) -> None:
        """Send bytes."""
        await self._loop.sock_sendall(self._socket, data)

    async def until(self, end: bytes) -> bytes:
        """Read until what was read holds these bytes, or until the other side ends it."""
        read = b""
        while end not in read and (some := await self._loop.sock_recv(self._socket, 65536)):
            read += some
        return read

    async def rest(self) -> bytes:
        """Everything until the other side ends it, in whatever way."""
        read = b""
        with contextlib.suppress(ConnectionError):
            while some := await self._loop.sock_recv(self._socket, 65536):
                read += some
        return read

    async def enter(self, path: str = "/", more: bytes = b"") -> None:
        """Shake hands."""
        await self.say(handshake(path, more))
        answer = await self.until(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101"), answer

    async def end(self) -> None:
        """Read until the other side has ended it in good order."""
        while await self._loop.sock_recv(self._socket, 65536):
            pass

    def half_close(self) -> None:
        """Say that nothing more will be sent."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """End it with RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """End it, if it is not yet."""
        self._socket.close()


@contextlib.asynccontextmanager
async def guest(port: int) -> AsyncIterator[Guest]:
    """Somebody who has connected, and not said a word yet."""
    somebody = Guest()
    try:
        await somebody.dial(port)
        yield somebody
    finally:
        somebody.close()


class Crowd:
    """Visitors of the gateway at `port`, who may ask for one of `paths`.  The same seed makes the same visits."""

    def __init__(self, port: int, paths: Sequence[str], seed: int) -> None:
        self._port = port
        self._paths = paths
        self._random = random.Random(seed)
        self.kinds: tuple[Callable[[Guest, str], Awaitable[None]], ...] = (
            self._polite,
            self._gone,
            self._reset,
            self._torn,
            self._half_closed,
            self._hasty,
            self._unfinished,
            self._mute,
            self._asks,
            self._asks_and_leaves,
        )

    async def visit(self, count: int, at_once: int) -> Counter[str]:
        """So many visits, so many of them at once; returns how many of each kind there were."""
        visits = iter(self._random.choices(self.kinds, k=count))
        paths = iter(self._random.choices(self._paths, k=count))
        made: Counter[str] = Counter()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(at_once):
                tasks.create_task(self._come_and_go(visits, paths, made))
        return made

    async def _come_and_go(
        self, visits: Iterator[Callable[[Guest, str], Awaitable[None]]], paths: Iterator[str], made: Counter[str]
    ) -> None:
        for visit in visits:
            async with asyncio.timeout(_WITHIN), guest(self._port) as somebody:
                await visit(somebody, next(paths))
            made[visit.__name__] += 1

    async def _polite(self, guest: Guest, path: str) -> None:
        await guest.enter(path)
        await guest.say(CLOSE)
        await guest.end()

    async def _gone(self, guest: Guest, path: str) -> None:
        await guest.enter(path)

    async def _reset(self, guest: Guest, path: str) -> None:
        await guest.enter(path)
        guest.reset()

    async def _torn(self, guest: Guest, path: str) -> None:
        await guest.enter(path)
        await guest.say(frame(b'{"type":"ping"}')[: self._random.randrange(1, 20)])
        guest.reset()

    async def _half_closed(self, guest: Guest, path: str) -> None:
        await guest.enter(path)
        guest.half_close()
        await guest.end()

    async def _hasty(self, guest: Guest, path: str) -> None:
        await guest.say(handshake(path))

    async def _unfinished(self, guest: Guest, path: str) -> None:
        whole = handshake(path)
        await guest.say(whole[: self._random.randrange(1, len(whole))])

    async def _mute(self, guest: Guest, path: str) -> None:
        guest.half_close()
        await guest.end()

    async def _asks(self, guest: Guest, path: str) -> None:
        await guest.say(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await guest.until(b"ok\n")).startswith(b"HTTP/1.1 200")

    async def _asks_and_leaves(self, guest: Guest, path: str) -> None:
        await guest.say(b"GET /api/v3/klines?symbol=BTCUSDT&interval=1m&limit=2 HTTP/1.1\r\nHost: x\r\n\r\n")


async def ask_native(guest: Guest, number: int, names: Sequence[str], *, join: bool, **more: object) -> None:
    """Subscribe or unsubscribe by name, in the native dialect; returns when that was acknowledged."""
    kind = "subscribe" if join else "unsubscribe"
    await guest.say(frame(json.dumps({"type": kind, "rawStreams": names, "id": number, **more}).encode()))
    answer = await guest.until(b'"id":%d}' % number)
    assert b'"type":"error"' not in answer, answer


async def ask_binance(guest: Guest, number: int, names: Sequence[str], *, join: bool) -> None:
    """The same in Binance's."""
    kind = "SUBSCRIBE" if join else "UNSUBSCRIBE"
    await guest.say(frame(json.dumps({"method": kind, "params": names, "id": number}).encode()))
    await guest.until(b'{"result":null,"id":%d}' % number)
