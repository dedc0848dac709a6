"""What a client may read, and how much of it."""

import msgspec

from fsnats.binance.streams import KINDS, Market, Stream

# Kinds of streams that differ in form alone are one type: who may read a symbol's ticker may read all of them at once.
_TYPE_OF_KIND = {
    "partialDepth": "depth",
    "rpiDepth": "depth",
    "tickers": "ticker",
    "miniTickers": "miniTicker",
    "bookTickers": "bookTicker",
    "windowTickers": "windowTicker",
    "markPrices": "markPrice",
    "pairMarkPrice": "markPrice",
    "forceOrder": "liquidation",
    "forceOrders": "liquidation",
    "assetIndexes": "assetIndex",
}
TYPES = frozenset(_TYPE_OF_KIND.get(kind, kind) for kind in KINDS)


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What one token allows; None is no limit of its own.

    `name` is for people; it is empty where nobody asks for tokens.
    """

    name: str
    markets: frozenset[Market] | None = None
    types: frozenset[str] | None = None
    connections: int | None = None
    streams: int | None = None  # of one connection
    requests: float | None = None  # a second, of one connection
    logs: bool = False  # what the programs of this machine log

    def why_not(self, market: Market, stream_type: str | None = None) -> str | None:
        """Why a market, or a type of stream on it, may not be read; None where it may."""
        if self.markets is not None and market not in self.markets:
            return f"this token may not read {market}; allowed: {', '.join(sorted(self.markets))}"
        if stream_type is not None and self.types is not None and stream_type not in self.types:
            return f"this token may not read {stream_type}; allowed: {', '.join(sorted(self.types))}"
        return None

    def why_not_stream(self, stream: Stream) -> str | None:
        """Why a stream may not be read; None where it may."""
        return self.why_not(stream.market, _TYPE_OF_KIND.get(stream.kind, stream.kind))


EVERYTHING = Grant(name="")
