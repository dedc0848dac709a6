"""Which series the words of a command line mean.  Pure."""

from collections.abc import Iterable, Sequence

from fsnats.binance.streams import CONTRACT_TYPES, Market, intervals_of
from fsnats.errors import Unusable
from fsnats.moments import moment
from fsnats.store import Kind, Series
from fsnats.symbols import NOT_CARRIED, TRADING, Listing

ALL = "ALL"


def split(words: Iterable[str]) -> list[str]:
    """The names in words that may hold several, `BTCUSDT,ETHUSDT`: each once, in order."""
    return list(dict.fromkeys(name.strip() for word in words for name in word.split(",") if name.strip()))


def period(from_: str, to: str, now_ms: int) -> tuple[int, int]:
    """Two moments in milliseconds since 1970.  Raises Unusable, which names what is wrong."""
    first, last = moment(from_, now_ms), moment(to, now_ms)
    if first >= last:
        raise Unusable(f"'{from_}' is not before '{to}'")
    return first, last


def contract_type(text: str) -> str:
    """A type of contract in capitals.  Raises Unusable for one that there is not."""
    if text.lower() not in CONTRACT_TYPES:
        raise Unusable(f"'{text}' is no type of contract; there are {', '.join(CONTRACT_TYPES).upper()}")
    return text.upper()


def intervals(market: Market, contract: str, names: Sequence[str]) -> list[str]:
    """Intervals of candles.  Raises Unusable for those that the market does not have."""
    kind = "continuousKline" if contract else "kline"
    there = intervals_of(market, kind)
    if names and not there:
        raise Unusable(f"{market} has no continuous candles")
    for name in names:
        if name not in there:
            raise Unusable(f"unknown interval '{name}'; {market} has {', '.join(there)}")
    return list(names)


def series(
    listing: Listing, names: Sequence[str], intervals: Sequence[str], *, trades: bool, contract: str
) -> list[Series]:
    """What symbols (or pairs, with a type of contract), ALL of those that trade, mean.

    Raises Unusable for names that the market does not list, and where they mean nothing.
    """
    if ALL in map(str.upper, names):
        # The past of what streams leave out (FSNATS_SYMBOLS) is there as well.
        there = [one for one in listing.symbols if one.status in (TRADING, NOT_CARRIED)]
        trading = [one for one in there if contract in ("", one.contract)]
        chosen = sorted({one.pair if contract else one.name for one in trading})
    else:
        chosen = [_known(listing, name.upper(), contract) for name in names]
    if not chosen:
        raise Unusable(f"nothing on {listing.market} is meant by '{' '.join(names)}{contract and f' {contract}'}'")
    kind: Kind = "continuousKline" if contract else "kline"
    full = [f"{name}_{contract}" if contract else name for name in chosen]
    made = [Series(listing.market, kind, name, each) for name in full for each in intervals]
    return made + [Series(listing.market, "aggTrade", name) for name in chosen if trades]


def _known(listing: Listing, name: str, contract: str) -> str:
    if name in (listing.all_pairs if contract else listing.by_name):
        return name
    if contract and name in listing.by_name:
        pair = listing.by_name[name].pair
        raise Unusable(f"'{name}' is one contract; continuous candles belong to its pair, '{pair}'")
    raise Unusable(f"unknown {'pair' if contract else 'symbol'} '{name}' on {listing.market}")
