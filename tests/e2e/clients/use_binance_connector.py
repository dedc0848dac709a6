"""binance-connector as its users use it, with other base URLs.  Prints one JSON line per thing received.

Argument: host and port of the gateway, for everything.
"""

import json
import queue
import sys
from typing import Any

from binance.error import ClientError
from binance.spot import Spot
from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient

(GATEWAY,) = sys.argv[1:]
WS, REST = f"ws://{GATEWAY}", f"http://{GATEWAY}"
PATIENCE = 20.0


def show(what: str, value: object) -> None:
    sys.stdout.write(json.dumps({"what": what, "value": value}) + "\n")


class Listener:
    """One connection; its messages are collected by the client's own thread."""

    def __init__(self, base: str, *, is_combined: bool = False) -> None:
        self._messages: queue.Queue[Any] = queue.Queue()
        self.client = SpotWebsocketStreamClient(
            stream_url=base,
            on_message=lambda _, message: self._messages.put(json.loads(message)),
            is_combined=is_combined,
        )

    def show(self, what: str, wanted: set[str]) -> None:
        """Show messages until every wanted kind was seen: the stream's name, the event's, or "reply"."""
        while wanted:
            message = self._messages.get(timeout=PATIENCE)
            kind = message.get("stream") or message.get("e") or ("reply" if "result" in message else "unnamed")
            if kind in wanted:
                wanted.discard(kind)
                show(what, message)


rest = Spot(base_url=f"{REST}/spot")
show("ping", rest.ping())
show("klines", rest.klines("BTCUSDT", "1m", limit=5))
show("depth", rest.depth("BTCUSDT", limit=5))
show("tickers", [each["symbol"] for each in rest.ticker_price(symbols=["ETHUSDT", "BTCUSDT"])])
try:
    Spot("key", "secret", base_url=f"{REST}/spot").account()
except ClientError as error:
    show("account", [error.status_code, error.error_code, error.error_message])
show("symbols", len(rest.exchange_info()["symbols"]))

raw = Listener(f"{WS}/spot")
raw.client.kline(symbol="btcusdt", interval="1m", id=11)
raw.client.agg_trade(symbol="btcusdt")
raw.client.diff_book_depth(symbol="btcusdt", speed=100)
raw.client.partial_book_depth(symbol="ethusdt", level=5, speed=100)
raw.show("raw", {"reply", "kline", "aggTrade", "depthUpdate", "unnamed"})
raw.client.stop()

combined = Listener(f"{WS}/spot", is_combined=True)
combined.client.subscribe(["btcusdt@kline_1m", "ethusdt@trade"])
combined.show("combined", {"btcusdt@kline_1m", "ethusdt@trade"})
combined.client.stop()

futures = Listener(f"{WS}/usdm", is_combined=True)
futures.client.subscribe(["btcusdt@kline_1m", "btcusdt@aggTrade", "btcusdt@depth@100ms"])
futures.show("futures", {"btcusdt@kline_1m", "btcusdt@aggTrade", "btcusdt@depth@100ms"})
futures.client.stop()
