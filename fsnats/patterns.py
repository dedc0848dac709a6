"""Patterns of stream names: `*` stands for any symbol, `*usdt@kline_1m` for every symbol that ends so."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from fsnats.binance.streams import Market, Stream, parse
from fsnats.errors import StreamNameError


def check(market: Market, pattern: str) -> None:
    """Raise StreamNameError for a pattern that could never become a stream name of the market."""
    subject, at, rest = pattern.partition("@")
    if "*" in rest or not at:
        parse(market, pattern)
        return
    # Whatever "*" stands for, the name around it must be one that the market has.
    error: StreamNameError | None = None
    for stand_in in ("x", "x_perp"):
        try:
            parse(market, f"{subject.replace('*', stand_in)}@{rest}")
        except StreamNameError as failure:
            error = failure
        else:
            return
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
    for name in subjects:
        candidate = name.lower()
        if not fnmatchcase(candidate, wanted):
            stem, star, tail = wanted.rpartition("*")
            if not (star and tail.startswith("_") and fnmatchcase(candidate, stem + star)):
                continue
            candidate += tail
        try:
            streams.append(parse(market, f"{candidate}@{rest}"))
        except StreamNameError:
            continue
    return streams
