"""python-binance's order book, kept from a REST snapshot and a depth stream.  Prints it once, as JSON.

Arguments: WebSocket base, REST base; markets are appended to both.
"""

import asyncio
import json
import sys

from binance.async_client import AsyncClient
from binance.ws.depthcache import DepthCacheManager
from binance.ws.streams import BinanceSocketManager

WS, REST = sys.argv[1:]
UPDATES = 5


async def main() -> None:
    AsyncClient.API_URL = f"{REST}/spot/api"
    BinanceSocketManager.STREAM_URL = f"{WS}/spot/"
    client = await AsyncClient.create()
    try:
        async with DepthCacheManager(client, "ETHUSDT", refresh_interval=None, ws_interval=100) as cache:
            for _ in range(UPDATES):
                await cache.recv()
            book = cache.get_depth_cache()
            shown = {"bids": book.get_bids()[:2], "asks": book.get_asks()[:2]}
            sys.stdout.write(json.dumps({"what": "book", "value": shown}) + "\n")
    finally:
        await client.close_connection()


asyncio.run(main())
