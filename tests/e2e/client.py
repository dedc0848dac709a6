"""A WebSocket client that keeps everything it is sent, and waiting for states in an event loop."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

_T = TypeVar("_T")

_LOOK = 0.03  # seconds between two looks; decides nothing


async def until(condition: Callable[[], _T], what: str, within: float = 20.0) -> _T:
    """Return what `condition()` gives as soon as that is true."""
    try:
        async with asyncio.timeout(within):
            while not (value := condition()):  # noqa: ASYNC110  # other processes set no events here
                await asyncio.sleep(_LOOK)
            return value
    except TimeoutError:
        raise AssertionError(f"never came true: {what}") from None


class Client:
    """One connection to a gateway.  Use as an asynchronous context manager."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._socket: ClientConnection
        self._reading: asyncio.Task[None]
        self.messages: list[Any] = []

    async def __aenter__(self) -> Self:
        self._socket = await connect(
            self._url, proxy=None, compression=None, max_size=None, max_queue=None, close_timeout=2
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading
        await self._socket.close()

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in self._socket:
                self.messages.append(json.loads(text))

    async def send(self, message: object) -> None:
        """Send an object as JSON, or text and bytes as they are."""
        await self._socket.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def reply(self, wanted: Callable[[Any], bool], what: str, within: float = 20.0) -> Any:
        """The first message, of all that ever came, that is `wanted`."""
        return await until(lambda: next(filter(wanted, self.messages), None), what, within)

    async def ask(self, message: object, kind: str) -> Any:
        """Send a native request and return the next message of that type."""
        before = len(self.messages)
        await self.send(message)

        def answered() -> Any:
            return next((each for each in self.messages[before:] if each.get("type") == kind), None)

        return await until(answered, f"a reply of type {kind}; got {self.messages[before:][:3]}")

    async def command(self, method: str, params: list[str], number: int) -> Any:
        """Send a control message of Binance's dialect and return its reply."""
        await self.send({"method": method, "params": params, "id": number})
        return await self.reply(lambda each: each.get("id") == number, f"a reply to {method}")

    def payloads(self, stream: str) -> list[Any]:
        """What came of a stream, in the forms that name it."""
        return [each["data"] for each in self.messages if each.get("stream") == stream and "data" in each]

    async def delivered(self, stream: str, more: int = 1, within: float = 20.0) -> None:
        """Return when a stream has delivered some more."""
        before = len(self.payloads(stream))
        await until(lambda: len(self.payloads(stream)) >= before + more, f"{stream} delivers", within)

    async def closed(self, within: float = 20.0) -> tuple[int | None, str | None]:
        """Wait for the gateway to close; returns code and reason."""
        async with asyncio.timeout(within):
            await self._reading
            await self._socket.wait_closed()
        return self._socket.close_code, self._socket.close_reason

    @property
    def is_open(self) -> bool:
        """Whether the gateway still talks."""
        return not self._reading.done()
