"""How a market's list changed, in words for programs and people.  Pure.

Published by the supervisor on `subjects.symbols(market)` as JSON; gateways tell it to clients that asked.
"""

from functools import cached_property

import msgspec

from fsnats.binance.streams import Market, Scope, Stream
from fsnats.symbols import TRADING, Listing, Symbol

PENDING = "PENDING_TRADING"  # futures' word for a contract that is shown before it trades
# Contracts in these states never trade again under their name, or only as a new listing.
_ENDING = frozenset({"PRE_SETTLE", "SETTLING", "PRE_DELIVERING", "DELIVERING", "DELIVERED", "CLOSE"})


class Change(msgspec.Struct, frozen=True, dict=True):
    """What is different between two lists of a market, as names of symbols; `at_ms` is when the newer one was taken.

    listed    trades now and did not before: not listed, or shown without trading yet
    delisted  not listed any more, or on its way out (futures: settling, delivering, closed)
    halted    listed, and trades no longer (on spot this is also how a delisting begins)
    resumed   trades again after a halt
    """

    market: Market
    listed: list[str]
    delisted: list[str]
    halted: list[str]
    resumed: list[str]
    at_ms: int

    def __bool__(self) -> bool:
        return bool(self.listed or self.delisted or self.halted or self.resumed)

    @cached_property
    def _ended(self) -> dict[str, str]:
        return dict.fromkeys(self.halted, "halted") | dict.fromkeys(self.delisted, "delisted")

    @cached_property
    def _ended_pairs(self) -> dict[str, str]:
        return {name.partition("_")[0]: reason for name, reason in self._ended.items()}

    def why_ended(self, stream: Stream, now: Listing) -> str | None:
        """`delisted` or `halted` for a stream that this change silenced, otherwise None."""
        match stream.scope:
            case Scope.SYMBOL:
                return self._ended.get(stream.subject)
            case Scope.PAIR | Scope.CONTRACT if stream.pair not in now.pairs:
                return self._ended_pairs.get(stream.pair)
        return None


encode = msgspec.json.Encoder().encode


def between(before: Listing | None, now: Listing) -> Change:
    """What changed; nothing where nothing was known before."""
    change = Change(now.market, [], [], [], [], now.taken_ms)
    if before is None or before.symbols == now.symbols:
        return change
    for name in sorted(before.by_name.keys() | now.by_name.keys()):
        was, is_ = _phase(before.by_name.get(name)), _phase(now.by_name.get(name))
        if is_ == TRADING and was != TRADING:
            (change.resumed if was == _HALTED else change.listed).append(name)
        elif is_ == _ENDED and was in (TRADING, _HALTED):
            change.delisted.append(name)
        elif is_ != TRADING and was == TRADING:
            change.halted.append(name)
    return change


def with_pending(listing: Listing, before: Listing | None) -> Listing:
    """The listing with spot symbols that never traded so far marked as PENDING.

    Spot shows a new symbol as BREAK before its first trade, and a halted one so too; futures have a word for each.
    """
    if listing.market is not Market.SPOT or before is None:
        return listing

    def is_pending(symbol: Symbol) -> bool:
        known = before.by_name.get(symbol.name)
        return symbol.status == "BREAK" and (known is None or known.status == PENDING)

    marked = [msgspec.structs.replace(one, status=PENDING) if is_pending(one) else one for one in listing.symbols]
    return msgspec.structs.replace(listing, symbols=marked)


_HALTED, _ENDED = "HALTED", "ENDED"  # beside PENDING and TRADING


def _phase(symbol: Symbol | None) -> str:
    if symbol is None or symbol.status in _ENDING:
        return _ENDED
    return symbol.status if symbol.status in (TRADING, PENDING) else _HALTED
