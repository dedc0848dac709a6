"""A SOCKS5 proxy that can die and come back: an exit to take away.  CONNECT without authentication, RFC 1928."""

import asyncio
import contextlib
import socket
from types import TracebackType
from typing import Self

_VERSION = 5
_IP4, _NAME = 1, 3  # kinds of addresses
_CHUNK = 64 * 1024


class Proxy:
    """Serves while the block runs, on a free port of this machine."""

    def __init__(self) -> None:
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    @property
    def url(self) -> str:
        """What the setting `proxy` is told."""
        return f"socks5://127.0.0.1:{self.port}"

    async def die(self, seconds: float) -> None:
        """End everything that runs through it, and be gone for so long."""
        self._end()
        await asyncio.sleep(seconds)
        await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            self._writers.add(writer)
            try:
                await self._forward(reader, writer)
            finally:
                self._writers.discard(writer)
                writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        methods = (await reader.readexactly(2))[1]
        await reader.readexactly(methods)
        writer.write(bytes((_VERSION, 0)))
        kind = (await reader.readexactly(4))[3]
        if kind == _IP4:
            host = socket.inet_ntoa(await reader.readexactly(4))
        elif kind == _NAME:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            return
        port = int.from_bytes(await reader.readexactly(2), "big")
        there, onward = await asyncio.open_connection(host, port)
        self._writers.add(onward)
        try:
            writer.write(bytes((_VERSION, 0, 0, _IP4, 0, 0, 0, 0, 0, 0)))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pump(reader, onward))
                tasks.create_task(_pump(there, writer))
        finally:
            self._writers.discard(onward)
            onward.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on until one side ends, then end the other."""
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()
