"""A snapshot of a book must not be older than the changes that its asker was promised.

A client that builds a book subscribes to its changes, is acknowledged, and asks for a snapshot.  Here the changes may
begin to flow a moment after the acknowledgement: a snapshot from before that moment would leave something out.
"""

import asyncio
import contextlib
from typing import Protocol

from fsnats.binance.streams import Market, Stream
from gateway.fanout.joining import Joining
from gateway.meeting import begun

PATIENCE = 1.0  # seconds: the changes of a quiet book may take long to come


class Hub(Protocol):
    """What the gateway listens to."""

    def beginning(self, market: Market, symbol: str) -> list[Stream]: ...

    def hold(self, stream: Stream, joining: Joining) -> None: ...

    def let_go(self, stream: Stream, joining: Joining) -> None: ...


async def flowing(hub: Hub, market: Market, symbol: str, patience: float = PATIENCE) -> None:
    """Return when all changes of a symbol's book that somebody listens to have begun to flow, or after `patience`."""
    waiting = [(stream, Joining()) for stream in hub.beginning(market, symbol)]
    for stream, first in waiting:
        hub.hold(stream, first)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                for _, first in waiting:
                    await begun(first)
    finally:
        for stream, first in waiting:
            hub.let_go(stream, first)
