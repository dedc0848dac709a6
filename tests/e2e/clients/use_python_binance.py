"""python-binance as its users use it, with other base URLs.  Prints one JSON line per thing received.

Argument: host and port of the gateway, for everything.
"""

import asyncio
import json
import sys
from typing import Any

# By module: binance-connector's package has the same name, and whichever was installed last owns `binance` itself.
from binance.async_client import AsyncClient
from binance.enums import FuturesType
from binance.exceptions import BinanceAPIException
from binance.ws.streams import BinanceSocketManager

(GATEWAY,) = sys.argv[1:]
WS, REST = f"ws://{GATEWAY}", f"http://{GATEWAY}"
SPOT = ("btcusdt@kline_1m", "ethusdt@depth5@100ms")
FUTURES = ("btcusdt@kline_1m", "ethusdt@aggTrade")
COIN_FUTURES = ("btcusd_perp@bookTicker", "btcusd_perp@aggTrade")


def show(what: str, value: object) -> None:
    sys.stdout.write(json.dumps({"what": what, "value": value}) + "\n")


async def read(what: str, socket: Any, count: int = 2) -> None:
    async with socket as stream:
        for _ in range(count):
            show(what, await stream.recv())


async def read_each(what: str, socket: Any, names: set[str]) -> None:
    """Read until every stream was heard: how often each speaks is the exchange's business."""
    async with socket as stream:
        while names:
            message = await stream.recv()
            names.discard(message["stream"])
            show(what, message)


async def main() -> None:
    AsyncClient.API_URL = f"{REST}/spot/api"
    AsyncClient.FUTURES_URL = f"{REST}/usdm/fapi"
    AsyncClient.FUTURES_COIN_URL = f"{REST}/coinm/dapi"
    BinanceSocketManager.STREAM_URL = f"{WS}/spot/"
    BinanceSocketManager.FSTREAM_URL = f"{WS}/usdm/"
    BinanceSocketManager.DSTREAM_URL = f"{WS}/coinm/"
    client = await AsyncClient.create()
    try:
        show("klines", await client.get_klines(symbol="BTCUSDT", interval="1m", limit=5))
        show("futures_klines", await client.futures_klines(symbol="BTCUSDT", interval="1m", limit=5))
        show("coin_klines", await client.futures_coin_klines(symbol="BTCUSD_PERP", interval="1m", limit=5))
        show("depth_rest", await client.get_order_book(symbol="BTCUSDT", limit=5))
        show("ticker_rest", await client.get_ticker(symbol="BTCUSDT"))
        show("futures_mark", await client.futures_mark_price(symbol="BTCUSDT"))
        try:
            await client.get_symbol_ticker(symbol="NOPE")
        except BinanceAPIException as error:
            show("unknown", [error.status_code, error.code, error.message])
        sockets = BinanceSocketManager(client)
        await asyncio.gather(
            read("kline", sockets.kline_socket("BTCUSDT")),
            read("trade", sockets.trade_socket("BTCUSDT")),
            read("aggtrade", sockets.aggtrade_socket("BTCUSDT")),
            read("ticker", sockets.symbol_ticker_socket("BTCUSDT")),
            read("book_ticker", sockets.symbol_book_ticker_socket("BTCUSDT")),
            read("depth", sockets.depth_socket("BTCUSDT", interval=100)),
            read("depth5", sockets.depth_socket("BTCUSDT", depth=BinanceSocketManager.WEBSOCKET_DEPTH_5)),
            read_each("multiplex", sockets.multiplex_socket(list(SPOT)), set(SPOT)),
            read("futures_kline", sockets.kline_futures_socket("BTCUSDT")),
            read("futures_aggtrade", sockets.aggtrade_futures_socket("BTCUSDT")),
            read("futures_depth", sockets.futures_depth_socket("BTCUSDT", depth=5)),
            read_each(
                "coin_multiplex",
                sockets.futures_multiplex_socket(list(COIN_FUTURES), futures_type=FuturesType.COIN_M),
                set(COIN_FUTURES),
            ),
            read_each("futures_multiplex", sockets.futures_multiplex_socket(list(FUTURES)), set(FUTURES)),
        )
    finally:
        await client.close_connection()


asyncio.run(main())
