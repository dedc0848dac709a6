"""How often a stream speaks: what Binance's documentation and measurements say of its type, and what was seen of it.

Three habits (sources: `streams`' tables; measured pauses: 10 minutes of 2026-09-27, quiet and busy symbols):

steady   speaks at least once in so many seconds, whatever happens: mark and index prices every 1 or 3 s, all-market
         arrays every second (USD-M's `!bookTicker` every 5 s), a spot candle every 20 to 30 s without any trade
driven   speaks when something happened: trades, books, tickers, candles of futures.  Hours of silence are normal on a
         quiet symbol, a minute's is not on a busy one.  Two things tell: its own past, and its witnesses: streams of
         the same symbol that cannot speak without it, such as a candle that moves although no trade came
at will  liquidations, listings, block trades, reference prices: silence is always normal

Two kinds of stream are driven although they look steady, since a name may be valid and mean nothing: `compositeIndex`
of a symbol that is no index, and `assetIndex` of an asset without one.

Pure: a pace is told of looks, a second apart, and whether the stream spoke since the one before.
"""

from collections.abc import Mapping

import msgspec

from fsnats.binance.streams import Market, Scope, Stream

LOOKS_KEPT = 60  # looks that a pace remembers one by one
KNOWN = 60  # looks with an event after which a pace is known by its past
_WINDOW = 1800.0  # seconds: the longest pause of this and of the window before count

_AT_WILL = frozenset({"forceOrder", "forceOrders", "contractInfo", "blockTrade", "referencePrice"})
_STEADY = {
    # Seconds; 0 stands for the stream's own cadence.
    "markPrice": 0.0,
    "pairMarkPrice": 0.0,
    "markPrices": 0.0,
    "indexPrice": 0.0,
    "miniTickers": 0.0,
    "tickers": 0.0,
    "windowTickers": 0.0,
    "assetIndexes": 0.0,
    "tradingSession": 0.0,
    "bookTickers": 5.0,  # on COIN-M it is in real time, but of few symbols
    "indexPriceKline": 3.0,  # 250 ms when the index moves, and an index moves with any of its markets
    "markPriceKline": 3.0,
}
_SPOT_CANDLE = 30.0  # seconds between two events of a candle without trades: "about twice a minute"

# Seconds of the last minute in which a witness must have spoken while the stream said nothing.
_SURE = 5
# A trade at a hidden (RPI) price leaves the book as it is, and futures' `trade` shows fills that are no market trades.
_LIKELY = 8
_TRADES = {"aggTrade": _SURE, "trade": _SURE, "kline": _SURE, "continuousKline": _SURE}
_FUTURES_TRADES = {**_TRADES, "trade": _LIKELY}
# Spot's candles speak three times a minute without a trade.
_SPOT_TRADES = {"aggTrade": _SURE, "trade": _SURE, "kline": _LIKELY}
_BEST = {"aggTrade": _LIKELY, "trade": _LIKELY}
_BOOK = {"bookTicker": _SURE, **_BEST}
_WITNESSES = frozenset({*_TRADES, *_BOOK})
_DRIVEN_BY_TRADES = frozenset(
    {"aggTrade", "trade", "kline", "continuousKline", "miniTicker", "ticker", "windowTicker", "avgPrice"}
)


def rests_at_will(stream: Stream) -> bool:
    """Whether silence of any length is normal."""
    return stream.kind in _AT_WILL


def steady_pause(stream: Stream) -> float | None:
    """Seconds that lie between two events at most, whatever happens; None for a stream that is driven or at will."""
    if stream.kind == "kline":
        return _SPOT_CANDLE if stream.market is Market.SPOT else None
    pause = _STEADY.get(stream.kind)
    return pause if pause is None else pause or stream.cadence


def witnesses(stream: Stream) -> Mapping[str, int]:
    """The kinds of streams, of the same symbol, that show that this one should have spoken.

    Each with the number of seconds of a minute in which it must have spoken before it is believed.
    """
    if stream.kind in _DRIVEN_BY_TRADES:
        return _SPOT_TRADES if stream.market is Market.SPOT else _FUTURES_TRADES
    if stream.kind == "bookTicker":
        return _BEST
    return _BOOK if stream.kind in ("depth", "partialDepth") else {}


def symbol_of(stream: Stream) -> str:
    """The symbol whose other streams can be witnesses, a perpetual's for a continuous contract; else empty."""
    if stream.scope is Scope.SYMBOL:
        return stream.subject
    if stream.scope is Scope.CONTRACT and stream.subject.endswith("_PERPETUAL"):
        return f"{stream.pair}_PERP" if stream.market is Market.COINM else stream.pair
    return ""


def is_witness(stream: Stream) -> bool:
    """Whether its events prove something: whether candles of one second wait for a trade is not documented."""
    return stream.kind in _WITNESSES and stream.interval != "1s"


class Pace(msgspec.Struct, eq=False):
    """What was seen of one stream.  Times are monotonic seconds."""

    history: int = 0  # of the last LOOKS_KEPT looks, a bit each, the newest lowest: whether it spoke
    heard: int = 0  # looks in which it spoke
    longest: float = 0.0  # the longest pause of this window
    longest_before: float = 0.0  # and of the one before
    window_ends: float = 0.0

    def looked(self, spoke: bool) -> None:
        """One more look."""
        self.history = (self.history << 1 | spoke) & _KEPT
        self.heard += spoke

    def paused(self, pause: float, now: float) -> None:
        """It spoke after so many seconds."""
        if now >= self.window_ends:
            # After two windows without an event the past says nothing about now.
            stale = now >= self.window_ends + _WINDOW
            self.longest_before = 0.0 if stale else self.longest
            self.longest, self.window_ends = 0.0, now + _WINDOW
        self.longest = max(self.longest, pause)

    def spoke_in(self, looks: int) -> int:
        """In how many of the newest looks it spoke."""
        return (self.history & ((1 << looks) - 1)).bit_count()

    @property
    def usual(self) -> float | None:
        """The longest pause that is usual; None while too little was seen."""
        return max(self.longest, self.longest_before) if self.heard >= KNOWN else None


_KEPT = (1 << LOOKS_KEPT) - 1
