"""One question for all who ask the same at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Flights(Generic[K, V]):
    """What is being asked now, by key."""

    def __init__(self) -> None:
        self._flying: dict[K, asyncio.Future[V]] = {}
        self.joined = 0  # who asked for what was on its way

    async def join(self, key: K, start: Callable[[], Awaitable[V]]) -> V:
        """The outcome of `start`, or of the one that runs for this key already.

        When that one is cancelled or fails, those who joined it are cancelled.
        """
        flying = self._flying.get(key)
        if flying is not None:
            self.joined += 1
            return await asyncio.shield(flying)  # who gives up must not take it from the others
        landed = self._flying[key] = asyncio.get_running_loop().create_future()
        try:
            outcome = await start()
            landed.set_result(outcome)
            return outcome
        finally:
            del self._flying[key]
            landed.cancel()  # means nothing where there is an outcome
