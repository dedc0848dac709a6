"""Whether a candle is closed.  A closed candle is an event, an open one a state, and they share a stream."""

import msgspec

from fsnats.errors import UNREADABLE


class _Bar(msgspec.Struct):
    x: bool


class _Kline(msgspec.Struct):
    k: _Bar


_decode = msgspec.json.Decoder(_Kline).decode


def is_closed(payload: bytes) -> bool:
    """Whether the payload of a candle stream is of a closed candle.  What cannot be read counts as one: it is kept."""
    # Binance writes no blanks; no other key of the payload is called so, and no value holds quotes.
    if b'"x":false' in payload:
        return False
    if b'"x":true' in payload:
        return True
    try:
        return _decode(payload).k.x
    except UNREADABLE:
        return True
