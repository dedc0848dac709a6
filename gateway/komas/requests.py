"""What is asked of the Komas interface, read into streams.  Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from fsnats.binance.streams import MARKETS, Market, Stream, parse
from fsnats.errors import StreamNameError, Unusable
from fsnats.normalised import TYPES, type_of
from fsnats.symbols import Listing, did_you_mean

SYMBOLS_DEFAULT = ("BTCUSDT", "ETHUSDT", "BNBUSDT")  # of the quick start, as in the seed
INTERVAL_DEFAULT = "1m"

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


class Subscribe(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `subscribe`."""

    symbols: list[str]
    stream_type: str = "ticker"
    interval: str = INTERVAL_DEFAULT
    market: str = ""


class Unsubscribe(msgspec.Struct, forbid_unknown_fields=True):
    """The body of `unsubscribe`: symbols and a type, or the ids that `streams` tells."""

    symbols: list[str] = []
    stream_type: str = "ticker"
    interval: str = INTERVAL_DEFAULT
    market: str = ""
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
    listing = listings[market]
    found: dict[str, Stream] = {}
    for symbol in asked.symbols:
        name = _NAMES[asked.stream_type].format(symbol.strip().lower(), interval=asked.interval)
        try:
            stream = parse(market, name)
        except StreamNameError as error:
            raise Unusable(f"'{name[:100]}': {error.reason}") from error
        if listing.why_not(stream) is not None:
            hint = did_you_mean(symbol, listing.trading)
            raise Unusable(f"unknown symbol '{symbol[:40]}' on {market}{hint}")
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


def described(stream: Stream, since_ms: int) -> dict[str, object]:
    """A stream as `/api/ws/streams` tells it."""
    told: dict[str, object] = {
        "stream_id": stream_id(stream.market, stream.name),
        "symbol": stream.pair,
        "stream_type": type_of(stream),
        "market": str(stream.market),
        "since": since_ms,
    }
    return told | ({"interval": stream.interval} if stream.interval else {})
