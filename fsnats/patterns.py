"""Patterns of stream names: `*` stands for any symbol, `*usdt@kline_1m` for every symbol that ends so.

Continuous candles belong to a pair and a type of contract: `*_current_quarter@continuousKline_1m`.  A pattern that
names no type (`*@continuousKline_1m`) asks for perpetual contracts.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from fsnats.binance.streams import Market, Stream, parse
from fsnats.errors import StreamNameError

_PERPETUAL = "_perpetual"


def check(market: Market, pattern: str) -> Stream:
    """A stream that a pattern could name.  Raises StreamNameError where that can be none of the market's."""
    subject, at, rest = pattern.partition("@")
    if "*" in rest or not at:
        return parse(market, pattern)
    # Whatever "*" stands for, the name around it must be one that the market has.
    error: StreamNameError | None = None
    named = subject.replace("*", "x")
    for stand_in in (named, subject.replace("*", "x_perp"), named + _PERPETUAL):
        try:
            return parse(market, f"{stand_in}@{rest}")
        except StreamNameError as failure:
            error = error or failure
    assert error is not None
    raise StreamNameError(pattern, error.reason)


def expand(market: Market, pattern: str, subjects: Iterable[str]) -> list[Stream]:
    """The streams that a pattern names among these symbols and pairs; the one it is, where it holds no `*`.

    Subjects whose name does not fit (a pair's stream asked of a symbol) are passed over.  Raises StreamNameError as
    `check` does.
    """
    check(market, pattern)
    subject, _, rest = pattern.partition("@")
    if "*" not in subject:
        return [parse(market, pattern)]
    # A contract's name is made of a pair and a type: "*_perpetual@continuousKline_1m" asks for pairs.
    streams = []
    wanted = subject.lower()
    if rest.startswith("continuousKline_") and "_" not in wanted:
        wanted += _PERPETUAL
    for name in subjects:
        candidate = name.lower()
        if not fnmatchcase(candidate, wanted):
            pair, underscore, contract = wanted.partition("_")
            if not contract or "*" in contract or not fnmatchcase(candidate, pair):
                continue
            candidate += underscore + contract
        try:
            streams.append(parse(market, f"{candidate}@{rest}"))
        except StreamNameError:
            continue
    return list(dict.fromkeys(streams))
