"""Which streams are to be captured: `usdm:*@aggTrade`, `btcusdt@trade`.  Pure."""

from collections.abc import Iterable

from fsnats import patterns
from fsnats.binance.streams import MARKETS, Market, Stream
from fsnats.errors import ConfigError, StreamNameError
from fsnats.symbols import Listing


def read(texts: Iterable[str], default: Market) -> dict[Market, list[str]]:
    """The patterns by market; one that names none is of the default one.  Raises ConfigError."""
    found: dict[Market, list[str]] = {}
    for text in texts:
        prefix, colon, rest = text.partition(":")
        if colon and prefix not in MARKETS:
            raise ConfigError(f"'{text}'", f"no market '{prefix}'; there are {', '.join(Market)}")
        market, pattern = (Market(prefix), rest) if colon else (default, text)
        try:
            patterns.check(market, pattern)
        except StreamNameError as error:
            raise ConfigError(f"'{text}'", f"no stream of {market}: {error.reason}") from error
        found.setdefault(market, []).append(pattern)
    return found


def expand(wishes: Iterable[str], listing: Listing) -> dict[str, Stream]:
    """The streams that patterns name in a market, by name."""
    subjects = sorted(listing.trading | listing.pairs)
    streams = (stream for pattern in wishes for stream in patterns.expand(listing.market, pattern, subjects))
    return {stream.name: stream for stream in streams}


def fits(pattern: str, listing: Listing) -> bool:
    """Whether anything that trades fits a pattern; one without `*` means its stream, whether or not that exists."""
    return any(listing.why_not(stream) is None for stream in expand((pattern,), listing).values())
