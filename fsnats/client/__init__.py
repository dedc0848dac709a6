"""Read market data from a gateway in Python: `Client`, or `SyncClient` where there is no event loop.

    async with Client("ws://localhost:8080") as client:
        async for value in client.stream("btcusdt@trade", "ethusdt@trade"):
            match value:
                case Message():
                    print(value.stream, value.data)
                case Gap():
                    print("missing:", value)

`BinanceWebSocket` calls back with readable fields, from a gateway or straight from Binance; `ContinuousKlineClient` and
`AggTradeClient` hand candles and trades to a handler of yours.
"""

from fsnats.client.callbacks import BinanceWebSocket
from fsnats.client.client import Client
from fsnats.client.conversation import Forbidden, Rejected, TryLater
from fsnats.client.handlers import (
    AggTradeClient,
    AggTradeConfig,
    ContinuousKlineClient,
    ContinuousKlineConfig,
    MessageHandler,
    WebSocketConnection,
)
from fsnats.client.past import Candles
from fsnats.client.sync import SyncClient
from fsnats.client.values import Gap, Message
from fsnats.errors import StreamNameError, Unavailable, Unusable

__all__ = [
    "AggTradeClient",
    "AggTradeConfig",
    "BinanceWebSocket",
    "Candles",
    "Client",
    "ContinuousKlineClient",
    "ContinuousKlineConfig",
    "Forbidden",
    "Gap",
    "Message",
    "MessageHandler",
    "Rejected",
    "StreamNameError",
    "SyncClient",
    "TryLater",
    "Unavailable",
    "Unusable",
    "WebSocketConnection",
]
