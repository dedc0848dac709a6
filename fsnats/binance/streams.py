"""Binance's stream names: which exist on which market, what they belong to, and how their data behaves.

A name is `<subject>@<rest>`, where the subject is a symbol (`btcusdt`), a pair (`btcusd`), a pair with a contract type
(`btcusdt_perpetual`) or an asset, or it is the name of an all-market stream (`!miniTicker@arr`, `tradingSession`).
The subject is case-folded; everything after the first "@" is case-sensitive (`1M` is a month, `1m` a minute).

The tables restate Binance's public documentation as of November 2026.
"""

import re
from enum import StrEnum

import msgspec

from fsnats.errors import StreamNameError


class Market(StrEnum):
    """The three markets whose public data fsnats carries."""

    SPOT = "spot"
    USDM = "usdm"
    COINM = "coinm"


MARKETS = frozenset(market.value for market in Market)


class Route(StrEnum):
    """The path of a host that delivers a stream.  Only USD-M has routes, mandatory since 2026-04-23."""

    NONE = ""
    PUBLIC = "public"
    MARKET = "market"


class Loss(StrEnum):
    """What it means to miss a message: the newest of a STATE replaces all before it, EVENTS each count."""

    STATE = "state"
    EVENTS = "events"


class Scope(StrEnum):
    """What a stream's subject names."""

    SYMBOL = "symbol"
    PAIR = "pair"
    CONTRACT = "contract"  # <pair>_<contract type>
    ASSET = "asset"
    ALL = "all"  # an all-market stream: the name has no subject


INTERVALS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
SPOT_INTERVALS = ("1s", *INTERVALS)
CONTINUOUS_INTERVALS = {Market.USDM: ("1s", *INTERVALS), Market.COINM: INTERVALS}
CONTRACT_TYPES = ("perpetual", "current_quarter", "next_quarter", "tradifi_perpetual")
DEPTH_LEVELS = (5, 10, 20)
BOOK_SPEEDS = ("", "@100ms", "@500ms", "@0ms")  # of all changes of a book, on one market or another
TICKER_WINDOWS = ("1h", "4h", "1d")
CONTRACT_INFO = "!contractInfo"  # futures only: contracts that are listed, delisted or change their state
BEIJING = "@+08:00"  # spot only: candles whose days begin at midnight in UTC+8


class Stream(msgspec.Struct, frozen=True):
    """A valid stream name, taken apart.

    `name` is canonical (the subject in lower case), `subject` is in upper case as payloads spell it and empty for
    all-market streams, `kind` is the stream type without its parameters (`kline`, `depth`, `partialDepth`, …),
    `interval` is set for candles.  `cadence` is the seconds between two messages of a busy symbol, or 0 for real time.
    """

    market: Market
    name: str
    kind: str
    scope: Scope
    subject: str
    route: Route
    loss: Loss
    cadence: float
    interval: str = ""

    @property
    def pair(self) -> str:
        """The pair of a CONTRACT stream (`BTCUSDT` of `btcusdt_perpetual`), otherwise the subject."""
        if self.scope is Scope.CONTRACT:
            for contract_type in sorted(CONTRACT_TYPES, key=len, reverse=True):
                if self.subject.endswith("_" + contract_type.upper()):
                    return self.subject[: -len(contract_type) - 1]
        return self.subject


class _Rule(msgspec.Struct, frozen=True):
    """One stream type of one market: the pattern of what follows the first "@" (or of the whole all-market name)."""

    kind: str
    pattern: re.Pattern[str]
    scope: Scope
    route: Route
    loss: Loss
    cadence: float


def _any(values: tuple[object, ...]) -> str:
    return "|".join(map(str, values))


def _rules(market: Market) -> tuple[_Rule, ...]:
    spot, usdm, coinm = (market is which for which in Market)
    futures = not spot
    public = Route.PUBLIC if usdm else Route.NONE
    routed = Route.MARKET if usdm else Route.NONE
    state, events = Loss.STATE, Loss.EVENTS
    intervals = _any(SPOT_INTERVALS if spot else INTERVALS)
    rules: list[_Rule] = []

    def add(
        kind: str, pattern: str, loss: Loss, cadence: float, *, scope: Scope = Scope.SYMBOL, route: Route = routed
    ) -> None:
        rules.append(_Rule(kind, re.compile(pattern), scope, route, loss, cadence))

    add("aggTrade", "aggTrade", events, 0.1 if futures else 0)
    # Undocumented on futures; on USD-M it is served on /public (ccxt and tardis use it there).
    add("trade", "trade", events, 0, route=public)
    # A closed candle is an event, an open one a state: the payload decides (`k.x`), see `gateway.fanout.candles`.
    kline_cadence = 0.25 if futures else 2
    add("kline", rf"kline_({intervals})" + (r"(@\+08:00)?" if spot else ""), state, kline_cadence)
    add("miniTicker", "miniTicker", state, {Market.SPOT: 1, Market.USDM: 2, Market.COINM: 0.5}[market])
    add("ticker", "ticker", state, {Market.SPOT: 1, Market.USDM: 2, Market.COINM: 0.5}[market])
    add("bookTicker", "bookTicker", state, 0, route=public)
    levels = _any(DEPTH_LEVELS)
    # "@depth@0ms" is not documented; futures hosts served it in 2024 (recordings of that year hold it).
    partial, diff = (
        (rf"depth({levels})(@100ms)?", "depth(@100ms)?")
        if spot
        else (rf"depth({levels})(@500ms|@100ms)?", "depth(@500ms|@100ms|@0ms)?")
    )
    depth_cadence = 1 if spot else 0.25
    add("partialDepth", partial, state, depth_cadence, route=public)
    add("depth", diff, events, depth_cadence, route=public)
    add("miniTickers", "!miniTicker@arr", state, 1, scope=Scope.ALL)
    if spot:
        add("blockTrade", "blockTrade", events, 0)
        add("windowTicker", f"ticker_({_any(TICKER_WINDOWS)})", state, 1)
        add("avgPrice", "avgPrice", state, 1)
        add("referencePrice", "referencePrice", state, 1)
        add("windowTickers", f"!ticker_({_any(TICKER_WINDOWS)})@arr", state, 1, scope=Scope.ALL)
        return tuple(rules)
    continuous = _any(CONTINUOUS_INTERVALS[market])
    add("continuousKline", f"continuousKline_({continuous})", state, 0.25, scope=Scope.CONTRACT)
    add("markPrice", "markPrice(@1s)?", state, 3)
    add("forceOrder", "forceOrder", events, 1)
    add("tickers", "!ticker@arr", state, 1, scope=Scope.ALL)
    add("bookTickers", "!bookTicker", state, 5 if usdm else 0, scope=Scope.ALL, route=public)
    add("forceOrders", "!forceOrder@arr", events, 1, scope=Scope.ALL)
    add("contractInfo", CONTRACT_INFO, events, 0, scope=Scope.ALL)
    if usdm:
        add("rpiDepth", "rpiDepth@500ms", events, 0.5, route=public)
        add("compositeIndex", "compositeIndex", state, 1)
        add("assetIndex", "assetIndex", state, 1, scope=Scope.ASSET)
        add("markPrices", "!markPrice@arr(@1s)?", state, 3, scope=Scope.ALL)
        add("assetIndexes", "!assetIndex@arr", state, 1, scope=Scope.ALL)
        add("tradingSession", "tradingSession", state, 1, scope=Scope.ALL)
    if coinm:
        add("pairMarkPrice", "markPrice(@1s)?", state, 3, scope=Scope.PAIR)
        add("indexPrice", "indexPrice(@1s)?", state, 3, scope=Scope.PAIR)
        add("indexPriceKline", f"indexPriceKline_({intervals})", state, 0.25, scope=Scope.PAIR)
        add("markPriceKline", f"markPriceKline_({intervals})", state, 0.25)
    return tuple(rules)


_RULES = {market: _rules(market) for market in Market}
KINDS = frozenset(rule.kind for rules in _RULES.values() for rule in rules)
_CONTRACT = re.compile(rf".+_({_any(CONTRACT_TYPES)})")
# COIN-M symbols carry their contract after "_"; pairs do not.  `btcusd@markPrice` is the pair's array of contracts.
_COINM_SYMBOL = re.compile(r".+_(perp|\d{6})", re.IGNORECASE)
_SPEED = re.compile(r"@(\d+)(ms|s)$")
_FORBIDDEN = re.compile(r"[\s\x00-\x1f*>]")


def _cadence(rule: _Rule, name: str) -> float:
    speed = _SPEED.search(name)
    if speed is None:
        return rule.cadence
    return int(speed[1]) / (1000 if speed[2] == "ms" else 1)


def parse(market: Market, name: str) -> Stream:
    """Take a stream name apart.

    Says nothing about whether the symbol is listed: the catalogue knows that.  Raises StreamNameError, whose reason
    names the part that is wrong, for a name that the market does not have.
    """
    if not name or len(name) > 200 or _FORBIDDEN.search(name):
        raise StreamNameError(name[:200], "not a stream name")
    if name[0] == "!" or "@" not in name:
        for rule in _RULES[market]:
            if rule.scope is Scope.ALL and rule.pattern.fullmatch(name):
                return Stream(market, name, rule.kind, Scope.ALL, "", rule.route, rule.loss, _cadence(rule, name))
        raise StreamNameError(name, f"no such all-market stream on {market}")
    subject, _, rest = name.partition("@")
    if not subject:
        raise StreamNameError(name, "no symbol before '@'")
    for rule in _RULES[market]:
        if rule.scope is Scope.ALL:
            continue
        match = rule.pattern.fullmatch(rest)
        if match is None or not _scope_fits(market, rule, subject):
            continue
        interval = match[1] if rule.kind.lower().endswith("kline") else ""
        canonical = f"{subject.lower()}@{rest}"
        return Stream(
            market,
            canonical,
            rule.kind,
            rule.scope,
            subject.upper(),
            rule.route,
            rule.loss,
            _cadence(rule, rest),
            interval,
        )
    raise StreamNameError(name, _reason(market, subject, rest))


def _scope_fits(market: Market, rule: _Rule, subject: str) -> bool:
    if rule.scope is Scope.CONTRACT:
        return _CONTRACT.fullmatch(subject.lower()) is not None
    if market is Market.COINM:
        return (rule.scope is Scope.PAIR) == (_COINM_SYMBOL.fullmatch(subject) is None)
    return True


def _reason(market: Market, subject: str, rest: str) -> str:
    """Name the part of an unknown name that is wrong."""
    kind, _, parameter = rest.partition("@")[0].partition("_")
    if kind in ("kline", "continuousKline", "indexPriceKline", "markPriceKline"):
        wanted = intervals_of(market, kind)
        if not wanted:
            return f"{market} has no stream type '{kind}'"
        if parameter not in wanted:
            return f"unknown interval '{parameter}'"
        if kind == "continuousKline":
            return f"'{subject}' is not <pair>_<contract type>; contract types are {', '.join(CONTRACT_TYPES)}"
    if kind.startswith("depth") and rest.startswith("depth"):
        level = kind.removeprefix("depth")
        if level and level not in map(str, DEPTH_LEVELS):
            return f"unknown depth level '{level}'"
        return f"unknown update speed '{rest.partition('@')[2]}'" if "@" in rest else f"unknown stream type '{rest}'"
    if market is Market.COINM and any(rule.pattern.fullmatch(rest) for rule in _RULES[market]):
        return f"'{subject}' is not what '{rest}' needs (a symbol like BTCUSD_PERP, or a pair like BTCUSD)"
    return f"unknown stream type '{rest}' on {market}"


def intervals_of(market: Market, kind: str = "kline") -> tuple[str, ...]:
    """The candle intervals that a market's `kind` of stream has; empty where it has no such kind."""
    if kind == "kline":
        return SPOT_INTERVALS if market is Market.SPOT else INTERVALS
    if kind == "continuousKline":
        return CONTINUOUS_INTERVALS.get(market, ())
    return INTERVALS if market is Market.COINM else ()
