"""What an exchange lists: its exchangeInfo reply, reduced to what fsnats needs of it."""

import difflib
from collections.abc import Iterable
from functools import cached_property

import msgspec

from fsnats.binance.streams import Market, Scope, Stream

TRADING = "TRADING"
NOT_CARRIED = "NOT_CARRIED"  # ours: it trades, but FSNATS_SYMBOLS leaves it out


class Symbol(msgspec.Struct, frozen=True, array_like=True):
    """One listed symbol.  `pair` is the symbol itself on spot; `contract` (PERPETUAL, …) is empty there."""

    name: str
    pair: str
    contract: str
    status: str


class _Row(msgspec.Struct):
    symbol: str
    status: str = ""
    contractStatus: str = ""  # COIN-M's name for it
    pair: str = ""
    contractType: str = ""
    isSpotTradingAllowed: bool = True


class _ExchangeInfo(msgspec.Struct):
    symbols: list[_Row]


_decode = msgspec.json.Decoder(_ExchangeInfo).decode


def read_exchange_info(market: Market, body: bytes) -> list[Symbol]:
    """The symbols of an exchangeInfo reply, in its order.  Raises msgspec.DecodeError for anything else."""
    symbols = []
    for row in _decode(body).symbols:
        status = row.contractStatus if market is Market.COINM else row.status
        if market is Market.SPOT and status == TRADING and not row.isSpotTradingAllowed:
            status = "NO_SPOT"  # ours: listed for margin only
        symbols.append(Symbol(row.symbol, row.pair or row.symbol, row.contractType, status))
    return symbols


class Listing(msgspec.Struct, frozen=True, dict=True):
    """What one market listed at `taken_ms`.

    `simulated` is what the exchange said of itself; `replayed` where a capture is played in its place, which is
    simulated too.
    """

    market: Market
    taken_ms: int
    simulated: bool
    symbols: list[Symbol]
    replayed: bool = False

    @cached_property
    def by_name(self) -> dict[str, Symbol]:
        """Every listed symbol, tradable or not."""
        return {symbol.name: symbol for symbol in self.symbols}

    @cached_property
    def trading(self) -> frozenset[str]:
        """The symbols that trade now: those whose streams deliver."""
        return frozenset(symbol.name for symbol in self.symbols if symbol.status == TRADING)

    @cached_property
    def all_pairs(self) -> frozenset[str]:
        """The pairs of every listed symbol, tradable or not."""
        return frozenset(symbol.pair for symbol in self.symbols)

    @cached_property
    def pairs(self) -> frozenset[str]:
        """The pairs of the symbols that trade now."""
        return frozenset(symbol.pair for symbol in self.symbols if symbol.status == TRADING)

    def why_not(self, stream: Stream) -> str | None:
        """Why a stream with a valid name delivers nothing on this market, or None when it does deliver."""
        match stream.scope:
            case Scope.ALL | Scope.ASSET:
                # Which assets have an index is not in exchangeInfo; a capture may hold streams of all symbols alone.
                carried = self.trading or self.replayed
                return None if carried else f"nothing of {self.market} is carried here (FSNATS_SYMBOLS)"
            case Scope.PAIR | Scope.CONTRACT:
                if stream.pair in self.pairs:
                    return None
                if any(symbol.pair == stream.pair and symbol.status == NOT_CARRIED for symbol in self.symbols):
                    return f"'{stream.pair}' of {self.market} is not carried here (FSNATS_SYMBOLS)"
                return f"unknown pair '{stream.pair}' on {self.market}"
        if stream.subject in self.trading:
            return None
        known = self.by_name.get(stream.subject)
        if known is None:
            return f"unknown symbol '{stream.subject}' on {self.market}"
        if known.status == NOT_CARRIED:
            return f"'{stream.subject}' of {self.market} is not carried here (FSNATS_SYMBOLS)"
        return f"'{stream.subject}' is not trading on {self.market} (status {known.status})"


def carrying(listing: Listing, only: Iterable[str]) -> Listing:
    """The listing with what trades and is not among `only`, in any case, marked as NOT_CARRIED; empty: all is carried.

    Whoever asks for one of them is refused, instead of waiting for ever for what no worker carries.  Marks of before,
    when others were wanted, go.
    """
    wanted = {name.upper() for name in only}
    if listing.replayed:
        return listing

    def marked(symbol: Symbol) -> Symbol:
        if symbol.status not in (TRADING, NOT_CARRIED):
            return symbol
        status = TRADING if not wanted or symbol.name in wanted else NOT_CARRIED
        return symbol if symbol.status == status else msgspec.structs.replace(symbol, status=status)

    symbols = [marked(symbol) for symbol in listing.symbols]
    return listing if symbols == listing.symbols else msgspec.structs.replace(listing, symbols=symbols)


def not_traded(names: Iterable[str], listings: Iterable[Listing]) -> dict[str, str]:
    """Which of these symbols no market trades, and why."""
    listings = list(listings)
    missing = {}
    for name in (name.upper() for name in names):
        known = [(one.market, one.by_name[name]) for one in listings if name in one.by_name]
        if not any(symbol.status == TRADING for _, symbol in known):
            reasons = [f"status {symbol.status} on {market}" for market, symbol in known]
            missing[name] = ", ".join(reasons) or f"not listed on {', '.join(one.market for one in listings)}"
    return missing


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The end of a refusal of a name: "; did you mean BTCUSDT?", or nothing where no name is near."""
    guess = nearest(name, names)
    return f"; did you mean {guess}?" if guess else ""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of these names that somebody may have meant (`BTC_USDT`, `btc/usdt`, `BTCUSTD`: BTCUSDT)."""
    bare = "".join(letter for letter in name.upper() if letter.isalnum())
    known = sorted(names)
    if bare in known:
        return bare
    close = difflib.get_close_matches(bare[:40], known, 1)
    return close[0] if close else None
