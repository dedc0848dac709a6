"""Which worker owns which symbols.  Pure: the supervisor keeps the result in the catalogue, workers read their own.

A symbol stays in its group for as long as it is listed.  New symbols fill the places of delisted ones first, then open
new groups; nobody moves because somebody else was listed.
"""

from collections.abc import Sequence

import msgspec

from fsnats.binance.streams import Market, Scope, Stream
from fsnats.symbols import Listing, Symbol


class Group(msgspec.Struct, frozen=True, dict=True):
    """What one worker owns: `symbols`, the `pairs` whose streams it carries, and for the `lead` all-market streams."""

    market: Market
    number: int
    symbols: list[str]
    pairs: list[str]
    lead: bool

    def __post_init__(self) -> None:
        # For `owns`, which is asked for every stream of every gateway's announcement.
        self.__dict__["_subjects"] = frozenset(self.symbols) | frozenset(self.pairs)

    def owns(self, stream: Stream) -> bool:
        """Whether this group's worker carries a stream.  Every stream of a market has exactly one owner."""
        if stream.scope in (Scope.ALL, Scope.ASSET):
            return self.lead
        if stream.scope in (Scope.PAIR, Scope.CONTRACT):
            return stream.pair in self.pairs
        return stream.subject in self.__dict__["_subjects"]


def assign(groups: list[list[str]], symbols: list[str], size: int) -> list[list[str]]:
    """Give every one of `symbols` a group of at most `size`, moving as few as possible.

    `groups` is the assignment so far, by group number; symbols that are not listed any more leave it.  Groups in the
    middle may become empty, so that numbers stay what they were.
    """
    free = dict.fromkeys(symbols)  # whatever says a name twice, it has one place
    kept: list[list[str]] = []
    for group in groups:
        kept.append([name for name in dict.fromkeys(group) if name in free][:size])
        for name in kept[-1]:
            del free[name]
    waiting = list(free)
    for group in kept:
        room = size - len(group)
        group += waiting[:room]
        waiting = waiting[room:]
    kept += [waiting[start : start + size] for start in range(0, len(waiting), size)]
    while kept and not kept[-1]:
        kept.pop()
    return kept


def describe(market: Market, groups: list[list[str]], symbols: list[Symbol]) -> list[Group]:
    """The non-empty groups as their workers read them.

    A pair goes to the group of its first symbol: the one that is named like the pair or its perpetual where there is
    one.  The first non-empty group leads.
    """
    place = {name: number for number, group in enumerate(groups) for name in group}
    owner: dict[str, tuple[bool, str]] = {}
    for symbol in symbols:
        if symbol.name in place:
            rank = (symbol.name not in (symbol.pair, f"{symbol.pair}_PERP"), symbol.name)
            owner[symbol.pair] = min(owner.get(symbol.pair, rank), rank)
    pairs: dict[int, list[str]] = {}
    if market is not Market.SPOT:
        for pair, (_, name) in owner.items():
            pairs.setdefault(place[name], []).append(pair)
    numbers = [number for number, group in enumerate(groups) if group]
    return [
        Group(market, number, groups[number], pairs.get(number, []), lead=number == numbers[0]) for number in numbers
    ]


def regroup(listing: Listing, stored: Sequence[Group], size: int) -> list[Group]:
    """The groups of a market now, of at most `size` symbols, where nobody moves who need not."""
    names = [symbol.name for symbol in listing.symbols if symbol.name in listing.trading]
    so_far: list[list[str]] = [[] for _ in range(max((group.number for group in stored), default=-1) + 1)]
    for group in stored:
        so_far[group.number] = list(group.symbols)
    return describe(listing.market, assign(so_far, names, size), listing.symbols)
