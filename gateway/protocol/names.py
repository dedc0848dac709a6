"""Stream names taken apart once, for all sessions of the process."""

from functools import lru_cache

from fsnats.binance.streams import Market, Stream, parse


@lru_cache(maxsize=100_000)  # a few times all the streams of the three markets
def known(market: Market, name: str) -> Stream:
    """Like `parse`, remembered: one ALL is two thousand names, and all sessions then share the same streams.

    Names that do not exist raise StreamNameError and are not remembered, so clients cannot fill the cache with rubbish
    (only with names of unlisted symbols, and those push each other out).
    """
    return parse(market, name)
