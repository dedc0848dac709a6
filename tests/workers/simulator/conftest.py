"""Fixtures for a simulator served on a free port of this test's own event loop."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from fsnats.binance.streams import Market
from tests.clock import HandClock
from tests.workers.simulator.worlds import SECONDS
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings


@pytest.fixture
def clock() -> HandClock:
    """A clock at a moment of November 2026 that stands until it is moved."""
    return HandClock(SECONDS)


class Start(Protocol):
    async def __call__(self, clock: HandClock | None = None, **settings: Any) -> Simulator: ...


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start a simulator with some settings; it ends with the test."""
    async with contextlib.AsyncExitStack() as stack:

        async def begin(clock: HandClock | None = None, **settings: Any) -> Simulator:
            return await stack.enter_async_context(Simulator(Settings(**settings), clock))

        yield begin


Dial = Callable[[Simulator, Market, str], contextlib.AbstractAsyncContextManager["Client"]]


class Client:
    """A WebSocket client that speaks JSON."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def ask(self, method: str, *params: object, id: object = 1) -> Any:
        """Send a request and return its reply, skipping events."""
        await self.socket.send(json.dumps({"method": method, "params": list(params), "id": id}))
        return await self.reply()

    async def reply(self) -> Any:
        while True:
            message = await self.next()
            if isinstance(message, dict) and ("result" in message or "error" in message):
                return message

    async def event(self) -> Any:
        """The next message that is not a reply."""
        while True:
            message = await self.next()
            if not (isinstance(message, dict) and ("result" in message or "error" in message)):
                return message

    async def next(self) -> Any:
        return json.loads(await self.socket.recv())

    async def next_within(self, seconds: float) -> Any:
        """The next message, or None when none comes in time."""
        try:
            async with asyncio.timeout(seconds):
                return await self.next()
        except TimeoutError:
            return None

    async def ended(self) -> tuple[int | None, str | None]:
        """Read to the end; the close code and reason."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self.socket.recv()
        return self.socket.close_code, self.socket.close_reason


@pytest.fixture
def dial() -> Dial:
    @contextlib.asynccontextmanager
    async def dialled(simulator: Simulator, market: Market, path: str) -> AsyncIterator[Client]:
        async with connect(simulator.ws_url(market) + path, ping_interval=None, max_queue=None) as socket:
            yield Client(socket)

    return dialled
