"""What a `streamType` with its options means: Binance's stream names, per market."""

from collections.abc import Mapping
from typing import NamedTuple

from fsnats.binance.streams import CONTRACT_TYPES, DEPTH_LEVELS, Market, Stream, intervals_of
from fsnats.errors import StreamNameError
from fsnats.symbols import TRADING, Listing
from gateway.effects import PLAIN, Delivery
from gateway.protocol.names import known
from gateway.protocol.problems import Problem, unknown

ALL = "ALL"
GLOBAL = "_GLOBAL_"  # symbols are compared in upper case; clients write `_global_`

SYMBOLS = "symbols"  # ours, not a stream of Binance's: what a market lists and delists

OPTIONS = ("interval", "level", "updateSpeed", "contractType")

Option = str | int

_FUTURES = (Market.USDM, Market.COINM)
_EVERYWHERE = (Market.SPOT, *_FUTURES)

_DEPTH_SPEEDS = {
    Market.SPOT: {"1000ms": "", "100ms": "@100ms"},
    Market.USDM: {"250ms": "", "500ms": "@500ms", "100ms": "@100ms"},
    Market.COINM: {"250ms": "", "500ms": "@500ms", "100ms": "@100ms"},
}
_MARK_PRICE_SPEEDS = {"3s": "", "1s": "@1s"}
_INTERVAL_DEFAULT = "1m"
CONTRACT_TYPE_DEFAULT = "perpetual"


class StreamType(NamedTuple):
    """One `streamType`: Binance's word for it, the markets that have it, the options that choose a variant of it."""

    word: str
    markets: tuple[Market, ...] = _EVERYWHERE
    options: tuple[str, ...] = ()


STREAM_TYPES = {
    "kline": StreamType("kline", options=("interval",)),
    "depth": StreamType("depth", options=("level", "updateSpeed")),
    "ticker": StreamType("ticker"),
    "miniTicker": StreamType("miniTicker"),
    "bookTicker": StreamType("bookTicker"),
    "aggTrade": StreamType("aggTrade"),
    "trade": StreamType("trade"),
    "markPrice": StreamType("markPrice", _FUTURES, ("updateSpeed",)),
    "liquidation": StreamType("forceOrder", _FUTURES),
    "continuousKline": StreamType("continuousKline", _FUTURES, ("contractType", "interval")),
}


class Topic(NamedTuple):
    """A stream type and variant of one market, in one kind of delivery: with a symbol, it names one stream."""

    market: Market
    stream_type: str
    rest: str  # what follows "@"
    contract: str = ""  # continuousKline's contract type
    delivery: Delivery = PLAIN

    def stream(self, subject: str) -> Stream:
        """The stream of a symbol (or pair, or GLOBAL).  Raises StreamNameError."""
        if subject == GLOBAL:
            head, at, speed = self.rest.partition("@")
            return known(self.market, f"!{head}@arr{at}{speed}")
        return known(self.market, self.name(subject.lower()))

    def name(self, subject: str) -> str:
        """How the stream of a subject is called."""
        return f"{subject}{'_' + self.contract if self.contract else ''}@{self.rest}"

    def everything(self, listing: Listing) -> frozenset[str]:
        """What ALL means now: each symbol (or pair) that trades."""
        if not self.contract:
            return listing.trading
        contract = self.contract.upper()
        return frozenset(row.pair for row in listing.symbols if row.status == TRADING and row.contract == contract)

    def streams(self, subjects: frozenset[str]) -> dict[str, Stream]:
        """The streams of listed subjects, without those that the stream type cannot name."""
        found = {}
        for subject in sorted(subjects):  # so that effects come in one order
            try:
                found[subject] = self.stream(subject)
            except StreamNameError:
                continue
        return found


def stream_type_of(market: Market, name: str) -> StreamType:
    """The stream type of this name, if the market has it.  Raises BadCommand."""
    stream_type = STREAM_TYPES.get(name)
    if stream_type is None or market not in stream_type.markets:
        allowed = [*(name for name, each in STREAM_TYPES.items() if market in each.markets), SYMBOLS]
        raise unknown(Problem.UNKNOWN_STREAM_TYPE, "stream type", name, allowed, market)
    return stream_type


def topic_of(market: Market, name: str, options: Mapping[str, Option]) -> Topic:
    """The topic that a stream type and its options mean.  Options of other stream types are ignored.

    Raises BadCommand, which names what is allowed.
    """
    word = stream_type_of(market, name).word
    match name:
        case "kline":
            return Topic(market, name, f"{word}_{_interval(market, word, options)}")
        case "continuousKline":
            contract = contract_of(options.get("contractType", CONTRACT_TYPE_DEFAULT))
            return Topic(market, name, f"{word}_{_interval(market, word, options)}", contract)
        case "depth":
            return Topic(market, name, f"{word}{_level(options)}{_speed(market, name, options)}")
        case "markPrice":
            return Topic(market, name, f"{word}{_speed(market, name, options)}")
    return Topic(market, name, word)


def contract_of(value: Option) -> str:
    """A type of contract.  Raises BadCommand."""
    contract = str(value).lower()
    if contract not in CONTRACT_TYPES:
        raise unknown(Problem.UNKNOWN_CONTRACT_TYPE, "contract type", value, CONTRACT_TYPES)
    return contract


def interval_of(market: Market, kind: str, value: Option) -> str:
    """A candle interval of the market.  Raises BadCommand."""
    allowed = intervals_of(market, kind)
    if value not in allowed:
        raise unknown(Problem.UNKNOWN_INTERVAL, "interval", value, allowed, market)
    return str(value)


def _interval(market: Market, kind: str, options: Mapping[str, Option]) -> str:
    return interval_of(market, kind, options.get("interval", _INTERVAL_DEFAULT))


def _level(options: Mapping[str, Option]) -> str:
    """Empty without a level: that is diff depth."""
    level = options.get("level")
    if level is None:
        return ""
    if str(level) not in map(str, DEPTH_LEVELS):
        raise unknown(Problem.UNKNOWN_LEVEL, "depth level", level, DEPTH_LEVELS)
    return str(level)


def _speed(market: Market, name: str, options: Mapping[str, Option]) -> str:
    """The name's ending for a speed; the market's own speed has none."""
    speed = options.get("updateSpeed")
    if speed is None:
        return ""
    allowed = _DEPTH_SPEEDS[market] if name == "depth" else _MARK_PRICE_SPEEDS
    if speed not in allowed:
        raise unknown(Problem.UNKNOWN_UPDATE_SPEED, f"update speed of {name}", speed, allowed, market)
    return allowed[str(speed)]
