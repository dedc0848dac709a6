"""Write the catalogue: the two key-value buckets that `fsnats.catalogue` describes; the one for pins is made here, too.

Over the ordinary bus: a bucket is a JetStream stream `KV_<bucket>` (NATS ADR-8), a put is a publish that JetStream
acknowledges.  Keys go by purging their subject, which leaves no marker that a reader would take for a value.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from fsnats import pins
from fsnats.binance.streams import Market
from fsnats.bus import Bus, jetstream
from fsnats.bus.jetstream import NO_STREAM
from fsnats.catalogue import GROUPS, LISTINGS, group_key, key_subject, read
from fsnats.errors import UNREADABLE
from fsnats.groups import Group
from fsnats.symbols import Listing

_BUCKET_BYTES = 64 * 1024**2  # all listings together are under one megabyte

T = TypeVar("T")


class _State(msgspec.Struct):
    subjects: dict[str, int] | None = None  # by subject, how many messages it has


class _Info(jetstream.Reply):
    state: _State = msgspec.field(default_factory=_State)


class Catalogue:
    """The catalogue, for the one who keeps it.  Every method raises BusUnavailable."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def open(self) -> None:
        """Make the buckets where they are missing; existing ones are left as they are."""
        for bucket in (LISTINGS, GROUPS, pins.BUCKET):
            if (await self._ask(f"STREAM.INFO.KV_{bucket}", {}, fine=NO_STREAM)).error is not None:
                await self._ask(f"STREAM.CREATE.KV_{bucket}", _bucket(bucket))

    async def listing(self, market: Market) -> Listing | None:
        """The stored listing of a market; None for none, or for one that another version wrote."""
        return _decoded(await read(self._bus, LISTINGS, market), Listing)

    async def groups(self, market: Market) -> list[Group]:
        """The stored groups of a market, by number."""
        reply = await self._ask(f"STREAM.INFO.KV_{GROUPS}", {"subjects_filter": key_subject(GROUPS, ">")})
        prefix = key_subject(GROUPS, "")
        keys = [subject.removeprefix(prefix) for subject in (reply.state.subjects or {})]
        groups = [
            _decoded(await read(self._bus, GROUPS, key), Group) for key in keys if key.partition(".")[0] == market
        ]
        return sorted((group for group in groups if group is not None), key=lambda group: group.number)

    async def put_listing(self, listing: Listing) -> None:
        """Store what a market lists."""
        await self._put(LISTINGS, listing.market, msgspec.json.encode(listing))

    async def put_groups(self, groups: list[Group]) -> None:
        """Store groups.  Those that are stored as they are already are not written: every put wakes their readers."""
        for group in groups:
            key, value = group_key(group.market, group.number), msgspec.json.encode(group)
            if await read(self._bus, GROUPS, key) != value:
                await self._put(GROUPS, key, value)

    async def drop_group(self, market: Market, number: int) -> None:
        """Forget a group."""
        subject = key_subject(GROUPS, group_key(market, number))
        await self._ask(f"STREAM.PURGE.KV_{GROUPS}", {"filter": subject})

    async def _put(self, bucket: str, key: str, value: bytes) -> None:
        await jetstream.put(self._bus, key_subject(bucket, key), value)

    async def _ask(self, what: str, request: Mapping[str, object], fine: int = 0) -> _Info:
        return await jetstream.ask(self._bus, what, msgspec.json.encode(request), kind=_Info, fine=fine)


def _bucket(bucket: str) -> dict[str, object]:
    """The stream of a bucket with one value a key, readable by direct-get, as every KV client expects it (ADR-8)."""
    return {
        "name": f"KV_{bucket}",
        "subjects": [key_subject(bucket, ">")],
        "storage": "file",
        "max_msgs_per_subject": 1,
        "max_bytes": _BUCKET_BYTES,
        "discard": "new",
        "allow_direct": True,
        "allow_rollup_hdrs": True,
        "deny_delete": True,
        "num_replicas": 1,
    }


def _decoded(value: bytes | None, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(value, type=kind) if value else None
    except UNREADABLE:
        return None  # it will be written anew
