"""A client of the gateway, so that there is something to do for it.

It throws away what it reads, unread: whoever judges beside it has no time to lose.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress

from fsnats.binance.streams import Market

_AGAIN = 1.0  # seconds after which a client that was closed comes back
_ALIVE = 5.0  # seconds between two signs of life: pings are thrown away, too
_READ = 1024 * 1024  # bytes at a time
_HANDSHAKE = (
    "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"  # the key of RFC 6455's example
)
_PONG = bytes((0x8A, 0x80, 0, 0, 0, 0))  # empty, masked with zeros; RFC 6455 section 5.5.3 allows one unasked


class Client:
    """Listens in Binance's dialect, over one connection a market."""

    def __init__(self, port: int, streams: Iterable[tuple[Market, str]]) -> None:
        """`port` is the gateway's, on 127.0.0.1."""
        wanted: dict[Market, list[str]] = {}
        for market, name in streams:
            wanted.setdefault(market, []).append(name)
        self._port = port
        self._paths = [f"/{market}/stream?streams={'/'.join(names)}" for market, names in wanted.items()]
        self.bytes = 0  # that came

    async def run(self) -> None:
        """Listen until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for path in self._paths:
                tasks.create_task(self._stay(path))

    async def _stay(self, path: str) -> None:
        while True:
            with suppress(OSError, EOFError):  # it is not there yet, or closed us
                await self._listen(path)
            await asyncio.sleep(_AGAIN)

    async def _listen(self, path: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=_READ)
        try:
            writer.write(_HANDSHAKE.format(path).encode())
            if b" 101 " not in await reader.readuntil(b"\r\n"):
                return
            alive = time.monotonic()
            while data := await reader.read(_READ):
                self.bytes += len(data)
                if time.monotonic() - alive > _ALIVE:
                    alive = time.monotonic()
                    writer.write(_PONG)
        finally:
            writer.close()
