"""A gateway that says what a test wants it to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import CloseCode
from websockets.http11 import Request, Response

WELCOME = '{"type":"connection","clientId":"x"}'
SIMULATED = '{"type":"connection","simulated":true,"clientId":"x"}'
SUBSCRIBED = '{"type":"subscribed","rawStreams":["a@trade"],"id":1}'
TRADE = '{"stream":"a@trade","epoch":1,"seq":1,"data":{"e":"trade","E":7,"t":1,"p":"1","q":"2","T":7,"m":true}}'


class Gateway:
    """Says `lines` to every connection, then nothing; `refusing` is the HTTP status that it answers instead, if any."""

    def __init__(self, lines: Sequence[str] = (), *, refusing: HTTPStatus | None = None) -> None:
        self.lines = lines
        self.refusing = refusing
        self.retry_after = ""
        self.asked: list[str] = []  # the Authorization of each handshake
        self.connections: set[ServerConnection] = set()
        self.told = 0  # connections to which all was said
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.url = ""

    async def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        self.asked.append(request.headers.get("Authorization", ""))
        await self.may_answer.wait()
        if self.refusing is None:
            return None
        refusal = connection.respond(self.refusing, "because\n")
        if self.retry_after:
            refusal.headers["Retry-After"] = self.retry_after
        return refusal

    async def talk(self, connection: ServerConnection) -> None:
        self.connections.add(connection)
        try:
            for line in self.lines:
                await connection.send(line)
            self.told += 1
            await connection.wait_closed()
        finally:
            self.connections.discard(connection)

    async def leave(self) -> None:
        """End all connections, as a gateway that is stopped; what was said before is read before."""
        for connection in list(self.connections):
            await connection.close(CloseCode.SERVICE_RESTART)


@contextlib.asynccontextmanager
async def running(gateway: Gateway) -> AsyncIterator[Gateway]:
    async with serve(gateway.talk, "127.0.0.1", 0, process_request=gateway.answer) as server:
        gateway.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        yield gateway


def said(records: Sequence[object], words: str) -> Callable[[], bool]:
    """Whether these words were logged."""
    return lambda: any(words in getattr(record, "getMessage", str)() for record in records)
