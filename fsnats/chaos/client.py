"""A client of the gateway, so that there is something to do for it: reads and throws away."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from fsnats.binance.streams import Market

_AGAIN = 1.0  # seconds after which a client that was closed comes back


class Client:
    """Listens in Binance's dialect, over one connection a market."""

    def __init__(self, gateway: str, streams: Iterable[tuple[Market, str]]) -> None:
        """`gateway` is its base URL."""
        wanted: dict[Market, list[str]] = {}
        for market, name in streams:
            wanted.setdefault(market, []).append(name)
        self._urls = [f"{gateway}/{market}/stream?streams={'/'.join(names)}" for market, names in wanted.items()]
        self.messages = 0

    async def run(self) -> None:
        """Listen until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for url in self._urls:
                tasks.create_task(self._listen(url))

    async def _listen(self, url: str) -> None:
        while True:
            with suppress(OSError, WebSocketException, TimeoutError):  # it is not there yet, or closed us
                async with connect(url, compression=None, proxy=None) as connection:
                    async for _ in connection:
                        self.messages += 1
            await asyncio.sleep(_AGAIN)
