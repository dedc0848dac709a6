"""Seed 002's clients: candles of continuous contracts, and aggregated trades, handed to a handler."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec

from fsnats.binance.streams import Market, parse
from fsnats.client.address import headers_of
from fsnats.client.combined import Combined
from fsnats.errors import UNREADABLE, FsnatsError, Unusable
from fsnats.store import KlineData, RawAggTrade

logger = logging.getLogger(__name__)

T = TypeVar("T")

STREAMS_MOST = (
    200  # of one connection; with one each, as the seed has it, Binance's 300 dials in 5 minutes are soon spent
)
BUFFER = 1000  # messages that may wait for the handler, as the seed has it; then sockets are not read
BINANCE = "wss://fstream.binance.com/market"  # where USD-M serves both kinds of streams


class ContinuousKlineConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What a `ContinuousKlineClient` reads; `symbols` are pairs, of perpetual contracts."""

    symbols: Sequence[str]
    intervals: Sequence[str] = ("1m",)
    use_proxy: bool = False
    proxy_addr: str = "127.0.0.1"
    proxy_port: int = 1080


class AggTradeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What an `AggTradeClient` reads."""

    symbols: Sequence[str]
    use_proxy: bool = False
    proxy_addr: str = "127.0.0.1"
    proxy_port: int = 1080


class WebSocketConnection(msgspec.Struct, frozen=True):
    """How one connection is; `status` is "connecting", "connected" or "disconnected"."""

    id: int
    streams: list[str]
    status: str
    message_count: int


class MessageHandler(Protocol):
    """Takes messages one after the other: `{"stream":…,"data":…}`, as text."""

    async def handle_message(self, connection_id: int, message: str) -> None: ...


class _Connection:
    """One connection, and what is told of it."""

    def __init__(
        self,
        number: int,
        streams: list[str],
        url: str,
        headers: Mapping[str, str],
        proxy: str,
        queue: "asyncio.Queue[tuple[int, str]]",
    ) -> None:
        self._number = number
        self._queue = queue
        self._status = "connecting"
        self.combined = Combined(url, self._received, self._changed, self._complain, headers=headers, proxy=proxy)
        self.combined.want(*streams)

    async def _received(self, name: str, payload: bytes) -> None:
        await self._queue.put((self._number, f'{{"stream":"{name}","data":{payload.decode()}}}'))

    async def _changed(self, reason: Exception | None) -> None:
        self._status = "connected" if reason is None else "disconnected"

    async def _complain(self, error: Exception) -> None:
        logger.error("connection %d: %s", self._number, error, extra={"event": "client.refused"})

    def told(self) -> WebSocketConnection:
        return WebSocketConnection(self._number, list(self.combined.wanted), self._status, self.combined.messages)


class _Handed:
    """Streams over as many connections as they need, and a handler for what they bring."""

    def __init__(self, streams: list[str], url: str, token: str, proxy: str, handler: MessageHandler) -> None:
        if not streams:
            raise Unusable("no symbol is named")
        self._handler = handler
        self._queue: asyncio.Queue[tuple[int, str]] = asyncio.Queue(BUFFER)
        pages = [streams[start : start + STREAMS_MOST] for start in range(0, len(streams), STREAMS_MOST)]
        headers = headers_of(token)
        self._connections = [
            _Connection(number, page, url, headers, proxy, self._queue) for number, page in enumerate(pages)
        ]

    async def start(self) -> None:
        """Read and hand over until cancelled; lost connections come again.

        Raises Forbidden without a valid token, Unusable for a URL that is none.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                for connection in self._connections:
                    tasks.create_task(connection.combined.run())
                tasks.create_task(self._hand_over())
        except* FsnatsError as group:
            raise group.exceptions[0] from None

    async def get_connections(self) -> list[WebSocketConnection]:
        """How each connection is."""
        return [connection.told() for connection in self._connections]

    async def _hand_over(self) -> None:
        while True:
            number, message = await self._queue.get()
            try:
                await self._handler.handle_message(number, message)
            except Exception:  # the user's code: it must not end ours
                logger.exception("a handler failed", extra={"event": "client.handler_failed"})


class ContinuousKlineClient(_Handed):
    """Candles of perpetual contracts, of Binance or of a gateway (`url="ws://localhost:8080/usdm"`)."""

    def __init__(
        self, config: ContinuousKlineConfig, handler: MessageHandler, *, url: str = BINANCE, token: str = ""
    ) -> None:
        """Raises StreamNameError for an interval or a pair that is none, Unusable for what is no token."""
        names = [
            parse(Market.USDM, f"{symbol}_perpetual@continuousKline_{interval}").name
            for symbol in config.symbols
            for interval in config.intervals
        ]
        super().__init__(names, url, token, _proxy(config), handler)

    @staticmethod
    def parse_message(text: str) -> tuple[str, str, KlineData] | None:
        """The pair, the interval and the candle of a message; None for another kind of message.

        Raises Unusable for what is no message.
        """
        message = _decoded(text)
        bar = message.data.get("k")
        if not isinstance(bar, dict) or "ps" not in message.data:
            return None
        candle = _row(bar, _CANDLE, KlineData)
        return str(message.data["ps"]), candle.interval, candle


class AggTradeClient(_Handed):
    """Aggregated trades of USD-M symbols, of Binance or of a gateway (`url="ws://localhost:8080/usdm"`)."""

    def __init__(self, config: AggTradeConfig, handler: MessageHandler, *, url: str = BINANCE, token: str = "") -> None:
        """Raises StreamNameError for a symbol that is none, Unusable for what is no token."""
        names = [parse(Market.USDM, f"{symbol}@aggTrade").name for symbol in config.symbols]
        super().__init__(names, url, token, _proxy(config), handler)

    @staticmethod
    def parse_message(text: str) -> RawAggTrade | None:
        """The trade of a message; None for another kind of message.  Raises Unusable for what is no message."""
        message = _decoded(text)
        if message.data.get("e") != "aggTrade":
            return None
        return _row(message.data, _TRADE, RawAggTrade)


class _Message(msgspec.Struct):
    stream: str
    data: dict[str, object]


# Binance's keys, in the order of the fields.
_CANDLE = ("t", "T", "i", "f", "L", "o", "c", "h", "l", "v", "n", "x", "q", "V", "Q", "B")
_TRADE = ("s", "p", "q", "T", "a", "f", "l", "m")
_decode = msgspec.json.Decoder(_Message).decode


def _decoded(text: str) -> _Message:
    try:
        return _decode(text)
    except UNREADABLE as error:
        raise Unusable(f"no message: {error}") from error


def _row(fields: Mapping[str, object], keys: tuple[str, ...], row: type[T]) -> T:
    try:
        return msgspec.convert([fields[key] for key in keys], row)
    except KeyError as missing:
        raise Unusable(f"a message without {missing}") from None
    except msgspec.ValidationError as error:
        raise Unusable(f"no message: {error}") from error


def _proxy(config: ContinuousKlineConfig | AggTradeConfig) -> str:
    # Names are resolved by the proxy: where one is needed, a local answer for Binance's name is often a wrong one.
    return f"socks5h://{config.proxy_addr}:{config.proxy_port}" if config.use_proxy else ""
