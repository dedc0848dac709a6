"""One line for people of what the exchange sent.  Pure; the fields are Binance's, and any of them may be missing."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from fsnats.errors import UNREADABLE

Fields = Mapping[str, Any]

_WIDTH = 160  # characters of what has no form of its own


def summary(payload: bytes) -> str:
    """What a payload says, in a line."""
    try:
        data = msgspec.json.decode(payload)
    except UNREADABLE:
        return _shortened(payload.decode(errors="replace"))
    if isinstance(data, list):
        first = f", first: {_of(data[0])}" if data and isinstance(data[0], dict) else ""
        return f"{len(data)} entries{first}"
    return _of(data) if isinstance(data, dict) else _shortened(str(data))


def clock(milliseconds: float) -> str:
    """A time of day, here."""
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%H:%M:%S.%f")[:-3]


def day_and_time(milliseconds: float) -> str:
    """A day and a minute, here."""
    return datetime.fromtimestamp(milliseconds / 1000).strftime("%Y-%m-%d %H:%M")


def _of(data: Fields) -> str:
    describe = _FORMS.get(str(data.get("e", "")))
    if describe is None:
        describe = _partial_depth if _is_book(data) else _book_ticker if {"b", "a", "s"} <= data.keys() else _anything
    try:
        return describe(data)
    except (KeyError, TypeError, IndexError, AttributeError):
        # A field moved or changed its type: the payload itself is still readable.
        return _anything(data)


def _is_book(data: Fields) -> bool:
    return {"bids", "asks"} <= data.keys()


def _kline(data: Fields) -> str:
    k = data["k"]
    state = "closed" if k["x"] else "open"
    symbol = data.get("s") or data.get("ps", "")
    return f"{symbol} {k['i']} {state}  O {k['o']}  H {k['h']}  L {k['l']}  C {k['c']}  volume {k['v']}"


def _trade(data: Fields) -> str:
    side = "sold" if data["m"] else "bought"
    return f"{data['s']} {side} {data['q']} at {data['p']}"


def _ticker(data: Fields) -> str:
    return f"{data['s']} {data['c']} ({data['P']} %)  H {data['h']}  L {data['l']}  volume {data['v']}"


def _mini_ticker(data: Fields) -> str:
    return f"{data['s']} {data['c']}  O {data['o']}  H {data['h']}  L {data['l']}  volume {data['v']}"


def _book_ticker(data: Fields) -> str:
    return f"{data['s']} bid {data['b']} x {data['B']}  ask {data['a']} x {data['A']}"


def _depth(data: Fields) -> str:
    return f"{data['s']} {len(data['b'])} bids, {len(data['a'])} asks changed, updates {data['U']} to {data['u']}"


def _partial_depth(data: Fields) -> str:
    bid, ask = data["bids"][0], data["asks"][0]
    return f"{len(data['bids'])} levels, best bid {bid[0]} x {bid[1]}, best ask {ask[0]} x {ask[1]}"


def _mark_price(data: Fields) -> str:
    return f"{data['s']} mark {data['p']}  index {data.get('i', '?')}  funding {data.get('r', '?')}"


def _liquidation(data: Fields) -> str:
    order = data["o"]
    return f"{order['s']} liquidation: {order['S']} {order['q']} at {order['p']}"


def _anything(data: Fields) -> str:
    return _shortened(msgspec.json.encode(data).decode())


def _shortened(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


_FORMS: dict[str, Callable[[Fields], str]] = {
    "kline": _kline,
    "continuous_kline": _kline,
    "aggTrade": _trade,
    "trade": _trade,
    "24hrTicker": _ticker,
    "24hrMiniTicker": _mini_ticker,
    "bookTicker": _book_ticker,
    "depthUpdate": _depth,
    "markPriceUpdate": _mark_price,
    "forceOrder": _liquidation,
}
