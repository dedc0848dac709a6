"""What is recorded: entries such as `usdm:*@aggTrade` and `raw:spot:btcusdt@depth`.  Pure.

Candles, continuous candles and aggregated trades become rows; `raw:` keeps the frames of any stream as they came.  `*`
stands for any symbol, or for any pair, and then its perpetual contract is meant.
"""

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

import msgspec

from fsnats import patterns
from fsnats.binance.streams import BEIJING, MARKETS, Market, Scope, Stream
from fsnats.candles.calendar import LENGTHS, MONTH, fills
from fsnats.errors import StreamNameError, Unusable
from fsnats.subjects import PREFIX, subject_of
from fsnats.symbols import Listing

RAW, OF_TRADES = "raw:", "trades:"
KINDS = frozenset({"kline", "continuousKline", "aggTrade"})  # what becomes rows


class Entry(msgspec.Struct, frozen=True):
    """One entry: the streams of a market that fit a pattern, as rows or as raw frames."""

    market: Market
    pattern: str
    raw: bool = False

    def names(self, stream: Stream) -> bool:
        """Whether it is one of those that the entry asks for."""
        subject, _, rest = self.pattern.partition("@")
        if stream.market is not self.market:
            return False
        if "*" not in subject:
            return stream.name == self.pattern
        if stream.name.partition("@")[2] != rest:
            return False
        if stream.scope is Scope.CONTRACT and "_" not in subject:
            return stream.subject.endswith("PERPETUAL") and fnmatchcase(stream.pair.lower(), subject)
        return fnmatchcase(stream.subject.lower(), subject)


class Making(NamedTuple):
    """Candles that are made of what is recorded: of shorter ones, or of aggregated trades."""

    interval: str
    of_trades: bool


class Wish(NamedTuple):
    """What is kept of a stream."""

    rows: bool
    raw: bool


def read(text: str) -> Entry:
    """Read one entry.  Raises Unusable, which says what is wrong with it."""
    raw = text.startswith(RAW)
    prefix, colon, pattern = text.removeprefix(RAW).partition(":")
    if not colon or prefix not in MARKETS:
        raise Unusable("not <market>:<stream or pattern>, or raw:<market>:<stream or pattern>")
    market = Market(prefix)
    try:
        example = patterns.check(market, pattern)
    except StreamNameError as error:
        raise Unusable(error.reason) from error
    if not raw and (example.kind not in KINDS or pattern.endswith(BEIJING)):
        raise Unusable(
            f"only {', '.join(sorted(KINDS))} become rows; {RAW}{prefix}:{pattern} keeps frames as they come"
        )
    subject, at, rest = pattern.partition("@")
    return Entry(market, f"{subject.lower()}{at}{rest}" if "*" in subject else example.name, raw)


def read_making(text: str) -> Making:
    """Read `1h`, candles made of shorter ones, or `trades:1s`, made of trades.  Raises Unusable."""
    of_trades = text.startswith(OF_TRADES)
    interval = text.removeprefix(OF_TRADES)
    if interval != MONTH and interval not in LENGTHS:
        raise Unusable(f"unknown interval '{interval}'; allowed: {', '.join([*LENGTHS, MONTH])}")
    return Making(interval, of_trades)


def has_parts(making: Making, entries: Iterable[Entry]) -> bool:
    """Whether anything of which these candles can be made, or the candles themselves, are among what is recorded."""
    for entry in entries:
        kind, _, interval = entry.pattern.partition("@")[2].partition("@")[0].partition("_")
        if entry.raw:
            continue
        if making.of_trades:
            if kind == "aggTrade" and entry.market is not Market.COINM:
                return True
        elif interval == making.interval or (interval in LENGTHS and fills(interval, making.interval)):
            return True
    return False


def wish(entries: Iterable[Entry], stream: Stream) -> Wish:
    """What these entries want of a stream."""
    found = [entry.raw for entry in entries if entry.names(stream)]
    return Wish(False in found, True in found)


def streams(entry: Entry, listing: Listing, only: Collection[str] = ()) -> list[Stream]:
    """The streams that an entry asks for now: those of symbols that trade, and are among `only`, if that says any."""
    trading = [each for each in listing.symbols if each.name in listing.trading and (not only or each.name in only)]
    contracts = {f"{each.pair}_{each.contract}" for each in trading}
    names = {each.name for each in trading} | {each.pair for each in trading} | contracts
    found = patterns.expand(entry.market, entry.pattern, sorted(names))
    return [
        stream
        for stream in found
        if entry.names(stream)
        and (stream.scope is not Scope.SYMBOL or stream.subject in names)
        and listing.why_not(stream) is None
        and (stream.scope is not Scope.CONTRACT or stream.subject in contracts)
    ]


def filters(entries: Iterable[Entry], market: Market) -> list[str]:
    """The subjects on the bus that hold what is asked of a market, and more where patterns are narrow.

    None covers another one: JetStream wants it so.
    """
    wanted: dict[tuple[str, ...], set[str]] = {}
    for entry in entries:
        if entry.market is market:
            subject, at, rest = entry.pattern.partition("@")
            is_many = "*" in subject
            tokens = subject_of(market, f"x{at}{rest}" if is_many else entry.pattern).split(".")
            wanted.setdefault(tuple(tokens[3:]), set()).add("*" if is_many else tokens[2])
    return sorted(
        ".".join([PREFIX, market, first, *rest])
        for rest, firsts in wanted.items()
        for first in ({"*"} if "*" in firsts else firsts)
    )
