"""What is asked of the Komas interface, read into streams.  Pure."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta

from fsnats.binance.streams import MARKETS, Market, Stream, intervals_of, parse
from fsnats.errors import StreamNameError, Unusable
from fsnats.normalised import TYPES, type_of
from fsnats.symbols import Listing, did_you_mean
from gateway.komas.answers import Told

SYMBOLS_DEFAULT = ("BTCUSDT", "ETHUSDT", "BNBUSDT")  # of the quick start, as in the seed
INTERVAL_DEFAULT = "1m"

INTERVALS = tuple(dict.fromkeys(each for market in Market for each in intervals_of(market)))
_FUTURES_ONLY = frozenset({"mark_price", "liquidation", "continuous_kline"})
_NAMES = {
    "ticker": "{}@ticker",
    "mini_ticker": "{}@miniTicker",
    "kline": "{}@kline_{interval}",
    "trade": "{}@trade",
    "agg_trade": "{}@aggTrade",
    "book_ticker": "{}@bookTicker",
    "continuous_kline": "{}_perpetual@continuousKline_{interval}",
    "mark_price": "{}@markPrice@1s",
    "liquidation": "{}@forceOrder",
    "depth": "{}@depth@100ms",
    "partial_depth": "{}@depth20@100ms",
}


# What they allow is checked here, with words that say it; the schemas say the same to readers of the document.
Symbols = Annotated[list[str], Meta(extra_json_schema={"minItems": 1})]
StreamType = Annotated[str, Meta(extra_json_schema={"enum": list(TYPES)})]
Interval = Annotated[str, Meta(extra_json_schema={"enum": list(INTERVALS)})]
MarketName = Annotated[str, Meta(description="By default the first market carried.")]


class Subscribe(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `subscribe`."""

    symbols: Symbols
    stream_type: StreamType = "ticker"
    interval: Interval = INTERVAL_DEFAULT
    market: MarketName = ""


class Unsubscribe(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `unsubscribe`: symbols and a type, or the ids that `streams` tells."""

    symbols: list[str] = []
    stream_type: StreamType = "ticker"
    interval: Interval = INTERVAL_DEFAULT
    market: MarketName = ""
    stream_ids: list[str] = []


def streams_of(
    asked: Subscribe | Unsubscribe, markets: Sequence[Market], listings: Mapping[Market, Listing]
) -> list[Stream]:
    """The streams that symbols and a type mean.  Raises Unusable, which names what is wrong and what is allowed."""
    if asked.stream_type not in TYPES:
        raise Unusable(f"unknown stream_type '{asked.stream_type[:40]}'; allowed: {', '.join(TYPES)}")
    if not asked.symbols:
        raise Unusable("'symbols' is empty")
    market = Market.USDM if asked.stream_type in _FUTURES_ONLY and markets[0] is Market.SPOT else markets[0]
    market = market_of(asked.market or market, markets)
    if asked.interval not in INTERVALS:  # also of a type that has none: whoever sent it meant something
        raise Unusable(f"unknown interval '{asked.interval[:40]}'; allowed: {', '.join(INTERVALS)}")
    listing = listings[market]
    found: dict[str, Stream] = {}
    for symbol in asked.symbols:
        name = _NAMES[asked.stream_type].format(symbol.strip().lower(), interval=asked.interval)
        try:
            stream = parse(market, name)
        except StreamNameError as error:
            raise Unusable(f"'{name[:100]}': {error.reason}") from error
        why = listing.why_not(stream)
        if why is not None:
            is_listed = stream.subject in listing.by_name
            raise Unusable(why if is_listed else why + did_you_mean(symbol, listing.trading))
        found[stream.name] = stream
    return list(found.values())


def market_of(name: str, markets: Sequence[Market]) -> Market:
    """A market by its name.  Raises Unusable for one that is not carried here."""
    if name not in markets:
        raise Unusable(f"market '{name[:40]}' is not carried here; allowed: {', '.join(markets)}")
    return Market(name)


def stream_id(market: Market, name: str) -> str:
    """What a stream is called here: Binance's name, behind its market."""
    return f"{market}:{name}"


def stream_of_id(text: str) -> Stream:
    """The stream of an id.  Raises Unusable."""
    market, _, name = text.partition(":")
    if market not in MARKETS:
        raise Unusable(f"stream_id '{text[:100]}': it is <market>:<stream>, as /api/ws/streams tells it")
    try:
        return parse(Market(market), name)
    except StreamNameError as error:
        raise Unusable(f"stream_id '{text[:100]}': {error.reason}") from error


def described(stream: Stream, since_ms: int) -> Told:
    """A stream as `/api/ws/streams` tells it."""
    return Told(
        stream_id(stream.market, stream.name),
        stream.pair,
        type_of(stream),
        str(stream.market),
        since_ms,
        stream.interval or UNSET,
    )
