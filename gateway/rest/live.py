"""Which questions the newest message of a stream answers as the exchange would, and how.  Pure.

A message answers where it has every field of the answer and the exchange sends one whenever, or as often as, what it
tells changes: then it is what REST said a moment ago.  What has no rule here is asked.

price of futures   the reply's `time` is in no stream for sure
spot's candles     come every two seconds
USD-M's day        comes every two seconds
whole books        only the best twenty levels are in one message
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from fsnats.binance.methods import DEPTH_LIMITS
from fsnats.binance.streams import DEPTH_LEVELS, Market, Stream, parse
from fsnats.errors import UNREADABLE, StreamNameError

AT_ONCE = 1.0  # seconds: how old the newest message may be of a stream that tells every change
EACH_SECOND = 1.5  # of one that speaks once a second
KNOWN = 60.0  # seconds for which terms that no stream tells are believed

Message = Mapping[str, msgspec.Raw]
Build = Callable[[Message, Message, Mapping[str, str]], bytes]


class Rule(NamedTuple):
    """`stream` is what follows the symbol in its name; `takes` are the parameters besides it that it can answer."""

    stream: str
    age: float
    build: Build
    takes: frozenset[str] = frozenset()


class Live(NamedTuple):
    """A question that a stream answers while its newest message is no older than `age` seconds."""

    stream: Stream
    age: float
    build: Build
    parameters: Mapping[str, str]

    def body(self, message: Message, terms: Message) -> bytes | None:
        """The answer that a message gives, with terms of an earlier answer; None where something is missing."""
        try:
            return self.build(message, terms, self.parameters)
        except (KeyError, *UNREADABLE):
            return None


read = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_levels = msgspec.json.Decoder(list[msgspec.Raw]).decode


def _object(pattern: str, *, array: bool = False) -> Build:
    """Builds an object from `REST's key:the message's`; `=` before a value that is always so, `?` before a term."""
    pairs = [pair.split(":") for pair in pattern.split()]

    def build(message: Message, terms: Message, _parameters: Mapping[str, str]) -> bytes:
        parts = [b'"%b":%b' % (key.encode(), _value(name, key, message, terms)) for key, name in pairs]
        body = b"{%b}" % b",".join(parts)
        return b"[%b]" % body if array else body

    return build


def _value(name: str, key: str, message: Message, terms: Message) -> bytes:
    if name.startswith("="):
        return name[1:].encode()
    return bytes(terms[key] if name == "?" else message[name])


def _book(pattern: str, bids: str, asks: str) -> Build:
    head = _object(pattern)

    def build(message: Message, terms: Message, parameters: Mapping[str, str]) -> bytes:
        wanted = int(parameters["limit"])
        sides = (b",".join(_levels(message[side])[:wanted]) for side in (bids, asks))
        return b'%b,"bids":[%b],"asks":[%b]}' % (head(message, terms, parameters)[:-1], *sides)

    return build


def _candle(message: Message, _terms: Message, _parameters: Mapping[str, str]) -> bytes:
    candle = read(message["k"])
    if bytes(candle["x"]) != b"false":
        raise KeyError("x")  # the newest one is the next
    return b"[[%b]]" % b",".join(bytes(candle[key]) for key in _ROW)


_ROW = ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")
_LIMIT = frozenset({"limit"})
_BEST = "bidPrice:b bidQty:B askPrice:a askQty:A"
_CHANGE = "priceChange:p priceChangePercent:P weightedAvgPrice:w"
_REACH = "openPrice:o highPrice:h lowPrice:l volume:v"
_WINDOW = "openTime:O closeTime:C firstId:F lastId:L count:n"
_MARK = "markPrice:p indexPrice:i estimatedSettlePrice:P lastFundingRate:r interestRate:? nextFundingTime:T time:E"
_KLINE = Rule("kline_{interval}", AT_ONCE, _candle, frozenset({"interval", "limit"}))

RULES: dict[tuple[Market, str], Rule] = {
    (Market.SPOT, "ticker/bookTicker"): Rule("bookTicker", AT_ONCE, _object(f"symbol:s {_BEST}")),
    (Market.SPOT, "ticker/price"): Rule("trade", AT_ONCE, _object("symbol:s price:p")),
    (Market.SPOT, "ticker/24hr"): Rule(
        "ticker",
        EACH_SECOND,
        _object(f"symbol:s {_CHANGE} prevClosePrice:x lastPrice:c lastQty:Q {_BEST} {_REACH} quoteVolume:q {_WINDOW}"),
    ),
    (Market.SPOT, "avgPrice"): Rule("avgPrice", EACH_SECOND, _object("mins:=5 price:w closeTime:T")),
    (Market.SPOT, "depth"): Rule(
        "depth{levels}@100ms", AT_ONCE, _book("lastUpdateId:lastUpdateId", "bids", "asks"), _LIMIT
    ),
    (Market.USDM, "ticker/bookTicker"): Rule("bookTicker", AT_ONCE, _object(f"symbol:s {_BEST} time:T lastUpdateId:u")),
    (Market.USDM, "premiumIndex"): Rule("markPrice@1s", EACH_SECOND, _object(f"symbol:s {_MARK}")),
    (Market.USDM, "depth"): Rule("depth{levels}@100ms", AT_ONCE, _book("lastUpdateId:u E:E T:T", "b", "a"), _LIMIT),
    (Market.USDM, "klines"): _KLINE,
    (Market.COINM, "ticker/bookTicker"): Rule(
        "bookTicker", AT_ONCE, _object(f"symbol:s pair:ps {_BEST} time:T lastUpdateId:u", array=True)
    ),
    (Market.COINM, "ticker/24hr"): Rule(
        "ticker",
        AT_ONCE,
        _object(f"symbol:s pair:ps {_CHANGE} lastPrice:c lastQty:Q {_REACH} baseVolume:q {_WINDOW}", array=True),
    ),
    (Market.COINM, "premiumIndex"): Rule("markPrice@1s", EACH_SECOND, _object(f"symbol:s pair:? {_MARK}", array=True)),
    (Market.COINM, "depth"): Rule(
        "depth{levels}@100ms", AT_ONCE, _book("lastUpdateId:u E:E T:T symbol:s pair:ps", "b", "a"), _LIMIT
    ),
    (Market.COINM, "klines"): _KLINE,
}


def live(market: Market, method: str, parameters: Mapping[str, str]) -> Live | None:
    """How a stream answers a question, whose parameters were checked; None where only the exchange can."""
    rule = RULES.get((market, method))
    if rule is None or parameters.keys() != {"symbol", *rule.takes}:
        return None
    wanted: dict[str, object] = dict(parameters)
    if method == "klines" and parameters["limit"] != "1":
        return None
    if method == "depth":
        levels = _levels_for(market, int(parameters["limit"]))
        if levels is None:
            return None
        wanted["levels"] = levels
    try:
        stream = parse(market, f"{parameters['symbol'].lower()}@{rule.stream.format_map(wanted)}")
    except StreamNameError:  # a symbol is listed that is like no other
        return None
    return Live(stream, rule.age, rule.build, parameters)


def _levels_for(market: Market, limit: int) -> int | None:
    """The shortest partial book that holds so many levels; spot takes any number, futures those of their list."""
    if limit < 1 or (market is not Market.SPOT and limit not in DEPTH_LIMITS):
        return None
    return next((levels for levels in DEPTH_LEVELS if limit <= levels), None)


def terms_of(body: bytes) -> Message:
    """The fields of an answer of the exchange: an object, or an array of one."""
    try:
        return read(body.removeprefix(b"[").removesuffix(b"]"))
    except UNREADABLE:
        return {}
