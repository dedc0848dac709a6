"""unicorn-binance-websocket-api as its users use it, with other base URLs.  Prints one JSON line per thing received.

Argument: host and port of the gateway, for everything.
"""

import json
import sys
import time

from unicorn_binance_websocket_api import BinanceWebSocketApiManager

(GATEWAY,) = sys.argv[1:]
PATIENCE = 30.0


def show(what: str, value: object) -> None:
    sys.stdout.write(json.dumps({"what": what, "value": value}) + "\n")


def read(what: str, exchange: str, base: str, streams: list[tuple[list[str], list[str]]], wanted: set[str]) -> None:
    """Show one message of each wanted stream, which `streams` open: channels and markets of each connection."""
    manager = BinanceWebSocketApiManager(
        exchange=exchange, websocket_base_uri=f"ws://{GATEWAY}/{base}/", warn_on_update=False, disable_colorama=True
    )
    try:
        for channels, markets in streams:
            manager.create_stream(channels, markets, output="dict")
        deadline = time.monotonic() + PATIENCE
        while wanted and time.monotonic() < deadline:
            message = manager.pop_stream_data_from_stream_buffer()
            if not message:
                time.sleep(0.01)
            elif isinstance(message, list):  # all-market streams come on connections of their own, without a name
                wanted.discard(message[0]["e"])
            elif message.get("stream") in wanted:
                wanted.remove(message["stream"])
                show(what, message)
        show("missing", sorted(wanted))
    finally:
        manager.stop_manager()


read(
    "spot",
    "binance.com",
    "spot",
    [(["trade", "kline_1m", "depth5"], ["btcusdt", "ethusdt"]), (["arr"], ["!miniTicker"])],
    {
        "24hrMiniTicker",
        *(f"{symbol}@{channel}" for symbol in ("btcusdt", "ethusdt") for channel in ("trade", "kline_1m", "depth5")),
    },
)
read(
    "usdm",
    "binance.com-futures",
    "usdm",
    [(["aggTrade", "markPrice"], ["btcusdt"]), (["bookTicker", "depth20"], ["btcusdt"])],
    {f"btcusdt@{channel}" for channel in ("aggTrade", "markPrice", "bookTicker", "depth20")},
)
read(
    "coinm",
    "binance.com-coin_futures",
    "coinm",
    [(["kline_1m", "bookTicker"], ["btcusd_perp"])],
    {"btcusd_perp@kline_1m", "btcusd_perp@bookTicker"},
)
