"""Two candles, field by field.  Pure."""

from collections.abc import Iterator

import msgspec

from fsnats.candles.candle import Candle

# Our names, and what people know them by.  Ids are not among them: REST does not tell any.
FIELDS = {
    "close_ms": "close time", "open": "open", "high": "high", "low": "low", "close": "close", "volume": "volume",
    "quote_volume": "quote volume", "trades": "trades", "taker_volume": "taker buy volume",
    "taker_quote_volume": "taker buy quote volume",
}  # fmt: skip


class Difference(msgspec.Struct, frozen=True):
    """What the store says about a field of the candle that opens at `open_ms`, and what the exchange says."""

    open_ms: int
    field: str
    ours: str
    theirs: str


def differences(open_ms: int, ours: Candle | None, theirs: Candle | None) -> Iterator[Difference]:
    """Where two candles differ; numbers are compared, not how they are written.  None is no candle at all."""
    if ours is None and theirs is None:
        return
    if ours is None or theirs is None:
        yield Difference(open_ms, "candle", *("none" if one is None else "there" for one in (ours, theirs)))
        return
    for name, words in FIELDS.items():
        mine, other = getattr(ours, name), getattr(theirs, name)
        if mine != other:
            yield Difference(open_ms, words, _text(mine), _text(other))


def _text(value: object) -> str:
    return str(value) if isinstance(value, int) else format(value, "f")
