"""The same for programs without an event loop."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

from fsnats.client.client import Client
from fsnats.client.past import Candles, Moment
from fsnats.client.values import Gap, Message


class SyncClient:
    """As `Client`, for plain `for` loops.  A thread of its own keeps connections alive while the program computes."""

    def __init__(self, url: str = "ws://127.0.0.1:8080", *, token: str = "", compression: bool = False) -> None:
        self._client = Client(url, token=token, compression=compression)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fsnats client", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all streams, and the thread.  Doing so twice changes nothing."""
        if self._loop.is_closed():
            return
        for ending in (self._client.close(), self._loop.shutdown_asyncgens()):
            asyncio.run_coroutine_threadsafe(ending, self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

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
        return asyncio.run_coroutine_threadsafe(asking, self._loop).result()

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
        try:
            while True:
                waiting = asyncio.run_coroutine_threadsafe(anext(values), self._loop)
                try:
                    yield waiting.result()
                except BaseException:
                    waiting.cancel()
                    raise
        finally:
            with suppress(RuntimeError):  # the loop is closed: so is the stream
                asyncio.run_coroutine_threadsafe(values.aclose(), self._loop).result()
