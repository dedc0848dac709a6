"""The native dialect's requests: text in, checked fields out.  What a request does is the session's business.

Every field is read on its own, so that an error names the field that is wrong; fields that no request has are ignored.
"""

from collections.abc import Collection
from typing import Literal, get_args

import msgspec

from fsnats.binance.streams import MARKETS, Market
from fsnats.history import MOST
from gateway.protocol import delivery, topics
from gateway.protocol.fields import (
    INTEGER,
    NAMES,
    OBJECT,
    OPTION,
    SWITCH,
    TEXT,
    TRUTH,
    Field,
    is_given,
    optional,
    required,
)
from gateway.protocol.problems import Problem, bad, unknown
from gateway.protocol.topics import ALL, STREAM_TYPES, SYMBOLS, Option, interval_of
from gateway.protocol.wire import BadId, NotAnObject, NotJson, id_of, read

_UNSET = msgspec.UNSET

RequestType = Literal["subscribe", "unsubscribe", "getHistoricalKlines", "listSubscriptions", "ping"]
TYPES: tuple[RequestType, ...] = get_args(RequestType)


class Request(msgspec.Struct, rename="camel"):
    """One request as it came: every field of every type of request, undecoded."""

    type: Field = _UNSET
    id: Field = _UNSET
    stream_type: Field = _UNSET
    symbols: Field = _UNSET
    options: Field = _UNSET
    raw_streams: Field = _UNSET
    market: Field = _UNSET
    is_futures: Field = _UNSET
    symbol: Field = _UNSET
    interval: Field = _UNSET
    limit: Field = _UNSET
    start_time: Field = _UNSET
    end_time: Field = _UNSET
    continuous: Field = _UNSET
    snapshot: Field = _UNSET
    history: Field = _UNSET
    resume: Field = _UNSET

    @property
    def is_raw(self) -> bool:
        """Whether it names streams as Binance does."""
        return is_given(self.raw_streams)

    @property
    def is_typed(self) -> bool:
        """Whether it names streams by type and symbols."""
        return is_given(self.stream_type) or is_given(self.symbols)

    @property
    def names_market(self) -> bool:
        """Whether it says which market it means."""
        return is_given(self.market)

    def echo(self, *fields: str) -> dict[str, object]:
        """These fields as the client sent them, without those it did not send."""
        names = {name: _camel(name) for name in fields}
        return {names[name]: value for name in fields if (value := getattr(self, name)) is not _UNSET}


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(map(str.title, tail))


_decoder = msgspec.json.Decoder(Request)


def request_of(text: str) -> Request:
    """Read one message.  Raises BadCommand."""
    try:
        return read(text, _decoder)
    except NotJson as error:
        raise bad(Problem.INVALID_JSON, "the message is not JSON") from error
    except NotAnObject as error:
        raise bad(Problem.INVALID_REQUEST, "the message must be a JSON object") from error


def request_id_of(request: Request) -> bytes | None:
    """The id to echo.  Raises BadCommand."""
    try:
        return id_of(request.id)
    except BadId as error:
        raise bad(Problem.INVALID_ID, "'id' must be an integer of 64 bits, a string or null") from error


def type_of(request: Request) -> RequestType:
    """The `type`.  Raises BadCommand."""
    name = required(request.type, "type", TEXT)
    for known in TYPES:
        if name == known:
            return known
    raise unknown(Problem.UNKNOWN_TYPE, "type", name, TYPES)


def market_of(request: Request, default: Market, carried: Collection[Market], stream_type: str = "") -> Market:
    """The market a request means: the one it names, or futures, or the only kind that has its stream type, or the
    session's own.  Raises BadCommand."""
    name = optional(request.market, "market", TEXT)
    is_futures = optional(request.is_futures, "isFutures", TRUTH)
    if name is not None:
        if name not in MARKETS:
            raise unknown(Problem.UNKNOWN_MARKET, "market", name, carried)
        market = Market(name)
        if is_futures is not None and is_futures == (market is Market.SPOT):
            raise bad(Problem.INVALID_FIELD, f"'market' and 'isFutures' contradict each other on {name}", is_futures)
    else:
        market = _implied_market(default, is_futures, stream_type)
    if market not in carried:
        raise unknown(Problem.UNKNOWN_MARKET, "market", market, carried)
    return market


def _implied_market(default: Market, is_futures: bool | None, stream_type: str) -> Market:
    if is_futures:
        return Market.USDM
    kind = STREAM_TYPES.get(stream_type)
    if kind is not None and Market.SPOT not in kind.markets:
        return Market.USDM if default is Market.SPOT else default
    return Market.SPOT if is_futures is False else default


def options_of(request: Request) -> dict[str, Option]:
    """The options of a subscription that name streams.  Raises BadCommand."""
    return {
        name: value
        for name, raw in _options(request).items()
        if name in topics.OPTIONS and (value := optional(raw, name, OPTION)) is not None
    }


def delivery_of(request: Request) -> delivery.Given:
    """The options of a subscription that say how it is delivered.  Raises BadCommand."""
    return delivery.given_in(_options(request))


_OPTIONS = (*topics.OPTIONS, *delivery.OPTIONS)


def _options(request: Request) -> dict[str, msgspec.Raw]:
    given = optional(request.options, "options", OBJECT) or {}
    for name in given:
        if name not in _OPTIONS:
            raise unknown(Problem.UNKNOWN_OPTION, "option", name, _OPTIONS)
    return given


def names_of(raw: Field, field: str) -> list[str]:
    """A field that is a list of names, and not an empty one.  Raises BadCommand."""
    names = required(raw, field, NAMES)
    if not names:
        raise bad(Problem.INVALID_FIELD, f"'{field}' is empty", names)
    return names


def require_no_symbols(request: Request) -> None:
    """Of a request that means a whole market: no symbols, or all of them.  Raises BadCommand."""
    options_of(request)
    names = optional(request.symbols, "symbols", NAMES) or []
    if any(name.upper() != ALL for name in names):
        raise bad(Problem.INVALID_FIELD, f"'{SYMBOLS}' means a whole market: leave 'symbols' out", names)


class Candles(msgspec.Struct, frozen=True):
    """What a request for history asks, besides its symbol; `contract` is empty where that is no pair."""

    interval: str
    limit: int | None
    start_ms: int | None
    end_ms: int | None
    contract: str


def contract_of(request: Request) -> str:
    """The type of contract whose candles are meant, empty where a symbol's are.  Raises BadCommand."""
    named = optional(request.continuous, "continuous", SWITCH)
    if named is None or named is False:
        return ""
    return topics.contract_of(named if isinstance(named, str) else topics.CONTRACT_TYPE_DEFAULT)


def candles_of(request: Request, market: Market, contract: str = "") -> Candles:
    """Read a request for history.  Raises BadCommand."""
    kind = "continuousKline" if contract else "kline"
    topics.stream_type_of(market, kind)
    interval = interval_of(market, kind, required(request.interval, "interval", TEXT))
    limit = optional(request.limit, "limit", INTEGER)
    if limit is not None and not 1 <= limit <= MOST:
        raise bad(Problem.INVALID_FIELD, f"'limit' must be 1 to {MOST}", limit)
    start = _time(request.start_time, "startTime")
    end = _time(request.end_time, "endTime")
    if start is not None and end is not None and start > end:
        raise bad(Problem.INVALID_FIELD, "'startTime' is after 'endTime'", start)
    return Candles(interval, limit, start, end, contract)


def _time(raw: Field, field: str) -> int | None:
    value = optional(raw, field, INTEGER)
    if value is not None and not 0 <= value < 2**63:
        raise bad(Problem.INVALID_FIELD, f"'{field}' must be milliseconds since 1970", value)
    return value
