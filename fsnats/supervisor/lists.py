"""What a market lists: its exchangeInfo, asked of Binance or kept in a capture, and whether it is to be believed."""

from collections.abc import Awaitable, Callable, Mapping

from fsnats.binance.rest import Answer
from fsnats.binance.streams import Market
from fsnats.config import Config
from fsnats.errors import UNREADABLE, ExchangeUnavailable
from fsnats.exits.client import Exits
from fsnats.exits.rest import PooledRest
from fsnats.symbols import Listing, read_exchange_info

Ask = Callable[[Market], Awaitable[Answer]]
"""Brings a market's exchangeInfo; raises ExchangeUnavailable or BadRequest."""


def asking(config: Config, exits: Exits) -> Ask:
    """Ask Binance for exchangeInfo, by the configured exits.  Connections are not kept: minutes lie between two."""

    async def ask(market: Market) -> Answer:
        # Spot's permission sets are most of its several megabytes, and nothing to us.
        parameters = {"showPermissionSets": "false"} if market is Market.SPOT else {}
        async with PooledRest(market, config, exits) as rest:
            return await rest.get("exchangeInfo", parameters)

    return ask


def replaying(bodies: Mapping[Market, bytes]) -> Ask:
    """Ask nobody: a market lists what a capture holds of it."""

    async def ask(market: Market) -> Answer:
        return Answer(bodies[market], simulated=True, used_weight=None, replayed=True)

    return ask


def read_listing(market: Market, answer: Answer, taken_ms: int) -> Listing:
    """What a market lists, from its exchangeInfo reply.  Raises ExchangeUnavailable for one that makes no sense."""
    try:
        symbols = read_exchange_info(market, answer.body)
        listing = Listing(market, taken_ms, answer.simulated, symbols, answer.replayed)
    except UNREADABLE as error:
        raise ExchangeUnavailable("json", f"the exchangeInfo of {market} cannot be read: {error}") from error
    if not listing.trading and not listing.replayed:
        # Maintenance, or a reply cut short by something in between.  Believing it would stop every worker.
        raise ExchangeUnavailable("json", f"the exchangeInfo of {market} lists no trading symbol")
    return listing
