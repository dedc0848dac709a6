"""`BinanceWebSocket`: calls back with readable fields; the interface of the Komas module."""

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from fsnats.binance.streams import Market, parse
from fsnats.client.address import headers_of
from fsnats.client.combined import Combined
from fsnats.client.conversation import market_of
from fsnats.clock import SystemClock
from fsnats.errors import Unusable
from fsnats.normalised import type_of, values

logger = logging.getLogger(__name__)

Callback = Callable[[dict[str, Any]], Awaitable[None] | None]
Event = Callable[[], Awaitable[None] | None]
OnError = Callable[[Exception], Awaitable[None] | None]

_PATHS = {Market.SPOT: "", Market.USDM: "/usdm", Market.COINM: "/coinm"}  # of a gateway


class BinanceWebSocket:
    """Streams of one market, each with a callback; plain functions and coroutines alike.

    Callbacks get normalised data (`{"type": "ticker", "symbol": "BTCUSDT", "price": 42500.5, …}`, `fsnats.normalised`),
    one after the other; an exception in one goes to `on_error` and disturbs nothing else.  It connects again by itself:
    after 1 s, then up to 60 s.
    """

    def __init__(
        self,
        url: str = "ws://127.0.0.1:8080",
        *,
        token: str = "",
        market: str = "spot",
        number: Callable[[str], Any] = float,
        max_reconnects: int | None = None,
    ) -> None:
        """`url` is a gateway's, where the market's path is added, or the base of streams anywhere: Binance's
        `wss://stream.binance.com:9443`, or `wss://fstream.binance.com/market`.  `token`: where a gateway asks for one.

        `number` makes numbers of Binance's digits: float, decimal.Decimal or str.  `max_reconnects` tries without
        success end `run_forever`; None: never.  Raises Unusable for another market, a URL with a query, or no token.
        """
        self._market = market_of(market)
        self._number = number
        base = url.rstrip("/")
        parts = urlsplit(base)
        if not parts.path and not (parts.hostname or "").endswith(".binance.com"):
            base += _PATHS[self._market]
        self._combined = Combined(
            base, self._received, self._changed, self._fail, headers=headers_of(token), tries=max_reconnects
        )
        self._callbacks: dict[str, list[Callback]] = {}
        self._connects: list[Event] = []
        self._disconnects: list[Event] = []
        self._errors: list[OnError] = []
        self._messages: list[Callback] = []
        self._running: asyncio.Task[None] | None = None
        self._up = asyncio.Event()
        self._clock = SystemClock()

    # What is called back.

    def on_connect(self, callback: Event) -> None:
        """After each connection."""
        self._connects.append(callback)

    def on_disconnect(self, callback: Event) -> None:
        """After each lost connection, and each try that failed."""
        self._disconnects.append(callback)

    def on_error(self, callback: OnError) -> None:
        """With what went wrong: a lost connection, what the server refuses, a message that is not understood, an
        exception in a callback."""
        self._errors.append(callback)

    def on_message(self, callback: Callback) -> None:
        """With every message, before its own callback."""
        self._messages.append(callback)

    # What is subscribed.

    async def subscribe_ticker(self, symbol: str, callback: Callback | None = None, mini: bool = False) -> str:
        """The last 24 hours of a symbol; returns the stream's name, as all of these do."""
        return self._subscribe(f"{symbol}@{'miniTicker' if mini else 'ticker'}", callback)

    async def subscribe_kline(self, symbol: str, interval: str = "1m", callback: Callback | None = None) -> str:
        """Candles."""
        return self._subscribe(f"{symbol}@kline_{interval}", callback)

    async def subscribe_trade(self, symbol: str, callback: Callback | None = None, aggregate: bool = False) -> str:
        """Trades, or aggregated ones."""
        return self._subscribe(f"{symbol}@{'aggTrade' if aggregate else 'trade'}", callback)

    async def subscribe_book_ticker(self, symbol: str, callback: Callback | None = None) -> str:
        """Best bid and ask."""
        return self._subscribe(f"{symbol}@bookTicker", callback)

    async def subscribe_stream(self, name: str, callback: Callback | None = None) -> str:
        """Any stream by Binance's name.  Raises Unusable for one that has no normalised form."""
        return self._subscribe(name, callback)

    async def unsubscribe(self, name: str) -> None:
        """Leave a stream, by what `subscribe_…` returned."""
        self._callbacks.pop(name, None)
        self._combined.leave(name)

    def _subscribe(self, name: str, callback: Callback | None) -> str:
        wanted = parse(self._market, name)
        type_of(wanted)  # who hears normalised data only would hear nothing
        stream = wanted.name
        callbacks = self._callbacks.setdefault(stream, [])
        if callback is not None:
            callbacks.append(callback)
        self._combined.want(stream)
        return stream

    # Life.

    @property
    def is_connected(self) -> bool:
        return self._combined.is_connected

    @property
    def subscriptions(self) -> list[str]:
        """The streams that are wanted."""
        return list(self._combined.wanted)

    async def connect(self) -> None:
        """Connect, and return when it is connected, or `disconnect` was called meanwhile.

        Raises Unavailable after `max_reconnects` tries, Forbidden without a valid token, Unusable for what is no URL;
        it may be called again then.
        """
        await self._connected()

    async def _connected(self) -> asyncio.Task[None]:
        if self._running is None:
            self._running = asyncio.create_task(self._combined.run(), name="fsnats BinanceWebSocket")
        running = self._running
        up = asyncio.create_task(self._up.wait())
        try:
            await asyncio.wait({up, running}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
        if running.done():
            self._ended(running)
        return running

    async def run_forever(self) -> None:
        """Return when `disconnect` was called.  Raises as `connect` does."""
        running = await self._connected()
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError:
            running.cancel()
            self._running = None
            self._up.clear()
            raise
        self._ended(running)

    def _ended(self, running: asyncio.Task[None]) -> None:
        if self._running is running:
            self._running = None
        if not running.cancelled():
            running.result()

    async def disconnect(self) -> None:
        """End it; called by a callback, as soon as that has returned."""
        running, self._running = self._running, None
        if running is None:
            return
        if running is not asyncio.current_task():
            running.cancel()
            await asyncio.wait({running})
        self._up.clear()
        await self._call_all(self._disconnects)

    def _heed_disconnect(self) -> None:
        if self._running is not asyncio.current_task():  # a callback called `disconnect`
            raise asyncio.CancelledError

    async def _changed(self, reason: Exception | None) -> None:
        if reason is None:
            self._up.set()
            await self._call_all(self._connects)
            self._heed_disconnect()
            return
        self._up.clear()
        await self._fail(reason)
        await self._call_all(self._disconnects)
        self._heed_disconnect()

    async def _received(self, name: str, payload: bytes) -> None:
        try:
            stream = parse(self._market, name)
            found = values(stream, payload, self._clock.time_ns() // 1_000_000, self._number)
        except Unusable as wrong:
            await self._fail(wrong)
            return
        for data in found:
            for callback in [*self._messages, *self._callbacks.get(stream.name, ())]:
                await self._call(callback, data)
                self._heed_disconnect()

    async def _call_all(self, callbacks: list[Event]) -> None:
        for callback in list(callbacks):
            await self._call(callback)

    async def _call(self, callback: Callable[..., Awaitable[None] | None], *arguments: object) -> None:
        try:
            outcome = callback(*arguments)
            if inspect.isawaitable(outcome):
                await outcome
        except Exception as error:  # noqa: BLE001 # the user's code: it must not end ours
            await self._fail(error)

    async def _fail(self, error: Exception) -> None:
        if not self._errors:
            logger.error("an error that nobody listens for", exc_info=error, extra={"event": "client.error"})
        for callback in list(self._errors):
            outcome = callback(error)
            if inspect.isawaitable(outcome):
                await outcome
