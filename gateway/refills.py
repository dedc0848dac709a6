"""Reads from the replay window what was lost between worker and gateway, while what came behind it waits."""

import asyncio

from fsnats import replay
from fsnats.bus import Bus
from fsnats.errors import BusUnavailable
from fsnats.frames import Frame, Key
from gateway.channel import Channel

PATIENCE = 2.0  # seconds that a hole may delay what comes behind it
_PAUSE = 0.05  # seconds between two looks: the window lags behind what is live by a moment
_AT_ONCE = 32  # holes; a lost connection leaves one in every stream


class Refills:
    """Serves every stream of a gateway."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def refill(self, channel: Channel, key: Key) -> None:
        """Refill one hole, as far as that is possible in time."""
        behind, frames = channel.behind, list[Frame]()
        if behind is None:
            return  # more came behind it than can be held: it was given up
        try:
            async with asyncio.timeout(PATIENCE), self._slots:
                while True:
                    stream = channel.stream
                    read = await replay.after(self._bus, stream.market, stream.name, *key)
                    frames = read.frames
                    if (frames and not read.complete) or behind.meet(key, frames).is_whole:
                        break
                    await asyncio.sleep(_PAUSE)
        except (TimeoutError, BusUnavailable):
            pass  # what could not be read is told as a gap
        channel.refilled(behind, frames)
