"""Reads from the replay window what was lost between worker and gateway, while what came behind it waits."""

import asyncio
import contextlib

from fsnats.bus import Bus
from fsnats.frames import Key
from gateway.fanout.channel import Channel
from gateway.meeting import PATIENCE, Missed

_AT_ONCE = 32  # holes; a lost connection leaves one in every stream
_TURN = 5.0  # seconds that a hole waits for its turn: some thousands are read in that time


class Refills:
    """Serves every stream of a gateway."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def refill(self, channel: Channel, key: Key) -> None:
        """Refill one hole, as far as that is possible in time."""
        behind = channel.behind
        if behind is None:
            return  # more came behind it than can be held: it was given up
        missed = Missed(self._bus, channel.stream, key, behind)
        with contextlib.suppress(TimeoutError):  # no longer may a hole delay what comes behind it
            async with asyncio.timeout(_TURN) as patience, self._slots:
                patience.reschedule(asyncio.get_running_loop().time() + PATIENCE)
                await missed.read()
        channel.refilled(behind, missed.frames)  # what could not be read is told as a gap
