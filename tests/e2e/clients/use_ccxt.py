"""ccxt.pro as its users use it, with other base URLs.  Prints one JSON line per thing received.

Arguments: WebSocket base, REST base; markets are appended to both.
"""

import asyncio
import json
import sys

import ccxt.pro

WS, REST = sys.argv[1:]
ROUNDS = 2


def show(what: str, value: object) -> None:
    sys.stdout.write(json.dumps({"what": what, "value": value}) + "\n")


async def main() -> None:
    exchange = ccxt.pro.binance({"options": {"fetchMarkets": {"types": ["spot", "linear", "inverse"]}}})
    api = exchange.urls["api"]
    api["public"] = f"{REST}/spot/api/v3"
    api["fapiPublic"] = f"{REST}/usdm/fapi/v1"
    api["dapiPublic"] = f"{REST}/coinm/dapi/v1"
    # ccxt takes messages for spot's only where the URL contains "/stream", as in ://stream.binance.com.
    api["ws"]["spot"] = f"{WS}/spot/stream/ws"
    api["ws"]["linear"] = f"{WS}/usdm/ws"
    try:
        markets = await exchange.load_markets()
        show("markets", {symbol: market["type"] for symbol, market in markets.items()})
        show("ohlcv", await exchange.fetch_ohlcv("BTC/USDT", "1m", limit=5))
        for symbol in ("BTC/USDT", "BTC/USDT:USDT"):
            for _ in range(ROUNDS):
                candles, trades, book, ticker = await asyncio.gather(
                    exchange.watch_ohlcv(symbol, "1m"),
                    exchange.watch_trades(symbol),
                    exchange.watch_order_book(symbol),
                    exchange.watch_ticker(symbol),
                )
                show(
                    symbol,
                    {
                        "candle": candles[-1],
                        "trade": trades[-1]["price"],
                        "bid": book["bids"][0][0],
                        "ask": book["asks"][0][0],
                        "last": ticker["last"],
                    },
                )
        several = await exchange.watch_trades_for_symbols(["BTC/USDT", "ETH/USDT"])
        show("several", several[-1]["symbol"])
    finally:
        await exchange.close()


asyncio.run(main())
