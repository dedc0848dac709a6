"""The same for programs without an event loop."""

import asyncio
import atexit
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from fsnats.client.client import Client
from fsnats.client.past import Candles, Moment
from fsnats.client.values import Gap, Message
from fsnats.errors import Unavailable

T = TypeVar("T")


class _Closed(Unavailable):
    """The thread has ended."""

    def __init__(self) -> None:
        super().__init__("this client is closed")


class SyncClient:
    """As `Client`, for plain `for` loops.  A thread of its own keeps connections alive while the program computes."""

    def __init__(self, url: str = "ws://127.0.0.1:8080", *, token: str = "", compression: bool = False) -> None:
        """Raises Unusable as `Client` does."""
        self._client = Client(url, token=token, compression=compression)
        # Reentrant: a loop that was left alone may be ended by the garbage collector, anywhere.
        self._closing = threading.RLock()
        self._closed = False
        self._asked: set[asyncio.Task[Any]] = set()  # what somebody waits for
        self._streams: dict[AsyncGenerator[Message | Gap, None], None] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fsnats client", daemon=True)
        self._thread.start()
        # A program may end while it reads; whoever waited for the thread after Python has stopped it, would for ever.
        atexit.register(self.close)

    @property
    def simulated(self) -> bool | None:
        """As `Client.simulated`."""
        return self._client.simulated

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all streams, and the thread: loops end, in whichever thread.  Doing so twice changes nothing."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        atexit.unregister(self.close)
        if not self._thread.is_alive():  # it stayed behind when the program forked
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        await self._client.close()
        if self._asked:
            for task in self._asked:
                task.cancel()
            await asyncio.wait(self._asked)
        for stream in list(self._streams):
            await stream.aclose()

    def _run(self, asking: Coroutine[Any, Any, T]) -> "Future[T]":
        """Begin something on the thread.  Raises _Closed."""
        with self._closing:  # what is begun before `close` is ended by it
            if self._closed:
                asking.close()
                raise _Closed
            return asyncio.run_coroutine_threadsafe(self._known(asking), self._loop)

    async def _known(self, asking: Coroutine[Any, Any, T]) -> T:
        task = asyncio.current_task()
        assert task is not None
        self._asked.add(task)
        try:
            return await asking
        finally:
            self._asked.discard(task)

    def klines(
        self,
        symbol: str,
        interval: str,
        *,
        market: str = "spot",
        start: Moment | None = None,
        end: Moment | None = None,
        limit: int | None = None,
        continuous: str | None = None,
        source: Literal["rest", "store"] | None = None,
    ) -> Candles:
        """As `Client.klines`."""
        asking = self._client.klines(
            symbol,
            interval,
            market=market,
            start=start,
            end=end,
            limit=limit,
            continuous=continuous,
            source=source,
        )
        try:
            return self._run(asking).result()
        except CancelledError:
            raise _Closed from None

    def stream(
        self,
        *names: str,
        market: str = "spot",
        snapshot: bool = True,
        history: int | None = None,
        resume: Mapping[str, tuple[int, int]] | None = None,
        max_rate: float | None = None,
        closed_only: bool = False,
    ) -> Iterator[Message | Gap]:
        """As `Client.stream`; leaving the loop ends the connection."""
        values = self._client.stream(
            *names,
            market=market,
            snapshot=snapshot,
            history=history,
            resume=resume,
            max_rate=max_rate,
            closed_only=closed_only,
        )
        self._streams[values] = None
        try:
            while not self._closed:
                waiting = self._run(_next(values))
                try:
                    value = waiting.result()
                except BaseException:
                    waiting.cancel()
                    raise
                if value is None:
                    return
                yield value
        except (_Closed, CancelledError):
            return
        finally:
            del self._streams[values]
            with suppress(_Closed, CancelledError):
                ending = self._run(_close(values))
                if threading.current_thread() is not self._thread:  # as the garbage collector may be
                    ending.result()


async def _next(values: AsyncGenerator[Message | Gap, None]) -> Message | Gap | None:
    return await anext(values, None)


async def _close(values: AsyncGenerator[Message | Gap, None]) -> None:
    with suppress(RuntimeError):  # somebody was interrupted while waiting: it ends by being cancelled
        await values.aclose()
