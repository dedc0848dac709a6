"""ccxt.pro as its users use it, with other base URLs.  Prints one JSON line per thing received.

Argument: host and port of the gateway, for everything.
"""

import asyncio
import json
import sys

import ccxt.pro

(GATEWAY,) = sys.argv[1:]
WS, REST = f"ws://{GATEWAY}", f"http://{GATEWAY}"
ROUNDS = 2
SYMBOLS = ("BTC/USDT", "BTC/USDT:USDT", "BTC/USD:BTC")


def show(what: str, value: object) -> None:
    sys.stdout.write(json.dumps({"what": what, "value": value}) + "\n")


async def main() -> None:
    exchange = ccxt.pro.binance({"options": {"fetchMarkets": {"types": ["spot", "linear", "inverse"]}}})
    api = exchange.urls["api"]
    api["public"] = f"{REST}/spot/api/v3"
    api["fapiPublic"] = f"{REST}/usdm/fapi/v1"
    api["fapiPublicV2"] = f"{REST}/usdm/fapi/v2"
    api["dapiPublic"] = f"{REST}/coinm/dapi/v1"
    # ccxt takes messages for spot's only where the URL contains "/stream", as in ://stream.binance.com.
    api["ws"]["spot"] = f"{WS}/spot/stream/ws"
    api["ws"]["linear"] = f"{WS}/usdm/ws"
    api["ws"]["inverse"] = f"{WS}/coinm/ws"
    try:
        markets = await exchange.load_markets()
        show("markets", {symbol: market["type"] for symbol, market in markets.items()})
        show("ohlcv", await exchange.fetch_ohlcv("BTC/USDT", "1m", limit=5))
        show("tickers", sorted(await exchange.fetch_tickers(["BTC/USDT", "ETH/USDT"])))
        show("prices", sorted(await exchange.fetch_last_prices(["BTC/USDT:USDT", "ETH/USDT:USDT"])))
        show("all", len(await exchange.fetch_tickers(params={"type": "spot"})))
        show("inverse", await exchange.fetch_ohlcv("BTC/USD:BTC", "1h", limit=3))
        show("books", [len((await exchange.fetch_order_book(symbol, 100))["bids"]) for symbol in SYMBOLS])
        show("funding", len(await exchange.fetch_funding_rate_history("BTC/USDT:USDT", limit=3)))
        for symbol in SYMBOLS:
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
