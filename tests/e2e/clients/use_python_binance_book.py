"""python-binance's order book, kept from a REST snapshot and a depth stream.  Prints it once, as JSON.

Argument: host and port of the gateway, for everything.
"""

import asyncio
import json
import sys

from binance.async_client import AsyncClient
from binance.ws.depthcache import DepthCacheManager
from binance.ws.streams import BinanceSocketManager

(GATEWAY,) = sys.argv[1:]
WS, REST = f"ws://{GATEWAY}", f"http://{GATEWAY}"
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
