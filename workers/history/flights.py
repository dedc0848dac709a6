"""One question for all who ask the same at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Flights(Generic[K, V]):
    """What is being asked now, by key."""

    def __init__(self) -> None:
        self._flying: dict[K, asyncio.Future[V]] = {}
        self.joined = 0  # who asked for what was on its way

    async def join(self, key: K, start: Callable[[], Awaitable[V]]) -> V:
        """The outcome of `start`, or of the one that runs for this key already.

        Raises what that one raised; when it is cancelled, so are those who joined it.
        """
        flying = self._flying.get(key)
        if flying is not None:
            self.joined += 1
            return await asyncio.shield(flying)  # who gives up must not take it from the others
        landed = self._flying[key] = asyncio.get_running_loop().create_future()
        try:
            return await _flown(start, landed)
        finally:
            del self._flying[key]


class _Stretch(NamedTuple, Generic[V]):
    first: int
    last: int
    landed: asyncio.Future[V]


class Stretches(Generic[K, V]):
    """What is being asked now of lines of which somebody asks for a part, such as the candles of a symbol."""

    def __init__(self) -> None:
        self._flying: dict[K, list[_Stretch[V]]] = {}
        self.joined = 0  # who asked from a place that was on its way

    async def join(self, key: K, first: int, last: int, start: Callable[[], Awaitable[V]]) -> V:
        """The outcome of `start`, which brings `first` to `last`; or of one that brings `first` already, and perhaps
        something else around it.  Raises what that raised."""
        flying = self._flying.setdefault(key, [])
        for one in flying:
            if one.first <= first <= one.last:
                self.joined += 1
                return await asyncio.shield(one.landed)
        own = _Stretch[V](first, last, asyncio.get_running_loop().create_future())
        flying.append(own)
        try:
            return await _flown(start, own.landed)
        finally:
            flying.remove(own)
            if not flying:
                del self._flying[key]


async def _flown(start: Callable[[], Awaitable[V]], landed: asyncio.Future[V]) -> V:
    """The outcome of `start`, also for those who wait for `landed`."""
    try:
        outcome = await start()
    except Exception as error:
        landed.set_exception(error)
        landed.exception()  # perhaps nobody else waits for it
        raise
    else:
        landed.set_result(outcome)
        return outcome
    finally:
        landed.cancel()  # means nothing where there is an outcome
