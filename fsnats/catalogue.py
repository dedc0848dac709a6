"""The catalogue on the bus: what each market lists and which worker owns what.

Two JetStream key-value buckets hold it, one value a key, JSON:

    fsnats_catalogue   spot | usdm | coinm          a `Listing`
    fsnats_groups      <market>.<group number>      a `Group`

The supervisor writes them (`fsnats.supervisor.catalogue`); everyone else reads here, over the ordinary bus: a value is
asked for with JetStream's direct-get, and a put is itself a message on `$KV.<bucket>.<key>`, which subscribers hear,
also where the server then refuses to store it: what was heard is a reason to look, and what is stored is believed.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TypeVar

import msgspec

from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.errors import UNREADABLE, BusUnavailable

logger = logging.getLogger(__name__)

LISTINGS = "fsnats_catalogue"
GROUPS = "fsnats_groups"

_TIMEOUT = 2.0  # seconds for one direct-get; the server answers from memory
_RETRY = 0.5  # seconds between two looks for a value that is not there yet
_REFRESH = 15.0  # seconds between two looks at a value that is there
_SETTLE, _LOOKS = 0.1, 50  # seconds between two looks for what was heard, and how many: then it was not stored

T = TypeVar("T")


def key_subject(bucket: str, key: str) -> str:
    """The subject that a put of `key` is published on."""
    return f"$KV.{bucket}.{key}"


def group_key(market: Market, number: int) -> str:
    """The key of a group's value."""
    return f"{market}.{number}"


async def read(bus: Bus, bucket: str, key: str) -> bytes | None:
    """The value of a key now, or None where it was never put.  Raises BusUnavailable, also for a missing bucket."""
    return await bus.request(f"$JS.API.DIRECT.GET.KV_{bucket}.{key_subject(bucket, key)}", b"", _TIMEOUT) or None


async def watch(bus: Bus, bucket: str, key: str, kind: type[T], changed: Callable[[T], None]) -> None:
    """Call `changed` with the value of a key, now and whenever it changes, for ever.

    Values that cannot be read (another version wrote them) are logged and passed over.
    """
    news = asyncio.Event()
    heard: bytes | None = None  # what was put last
    looks = 0  # that are left to find it stored

    def put(_subject: str, _reply: str, payload: bytes) -> None:
        nonlocal heard, looks
        heard, looks = payload, _LOOKS
        news.set()

    decode = msgspec.json.Decoder(kind).decode
    newest: bytes | None = None
    sid = bus.subscribe(key_subject(bucket, key), put)
    forget = bus.on_connect(news.set)  # what was put while the bus was down is looked for as soon as it is back
    try:
        while True:
            # A put is looked for at once.  The look every now and then costs little and needs no reason.
            news.clear()  # before the look: a put during it must be heard
            again = _REFRESH
            try:
                value = await read(bus, bucket, key)
            except BusUnavailable:
                value, again = None, _RETRY
            else:
                looks = 0 if value == heard else max(looks - 1, 0)
                if looks:
                    again = _SETTLE
            if value is not None and value != newest:
                newest = value
                try:
                    changed(decode(value))
                except UNREADABLE as error:
                    logger.error(
                        "a value in the catalogue cannot be read",
                        extra={"event": "catalogue.unreadable", "key": key, "error": str(error)},
                    )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY if newest is None else again):
                    await news.wait()
    finally:
        forget()
        bus.unsubscribe(sid)
