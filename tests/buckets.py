"""The catalogue's buckets on a real server, made and filled by a test."""

import msgspec

from fsnats import catalogue
from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.groups import Group, assign, describe
from fsnats.symbols import TRADING, Listing, Symbol


async def make_bucket(bus: Bus, bucket: str) -> None:
    """Create a key-value bucket as the supervisor does."""
    wish = {"name": f"KV_{bucket}", "subjects": [f"$KV.{bucket}.>"], "allow_direct": True, "max_msgs_per_subject": 1}
    assert b'"error"' not in await bus.request(f"$JS.API.STREAM.CREATE.KV_{bucket}", msgspec.json.encode(wish), 5)


async def put(bus: Bus, bucket: str, key: str, value: object) -> None:
    """Put a value, as JSON."""
    answer = await bus.request(catalogue.key_subject(bucket, key), msgspec.json.encode(value), 5)
    assert b'"error"' not in answer


async def list_symbols(bus: Bus, market: Market, *names: str, simulated: bool = False, size: int = 100) -> list[Group]:
    """Put a listing and the groups that follow from it, in buckets that exist."""
    symbols = [Symbol(name, name, "", TRADING) for name in names]
    groups = describe(market, assign([], list(names), size), symbols)
    await put(bus, catalogue.LISTINGS, str(market), Listing(market, 0, simulated, symbols))
    for group in groups:
        await put(bus, catalogue.GROUPS, catalogue.group_key(market, group.number), group)
    return groups
