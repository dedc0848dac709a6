"""What is waited for so that past and live meet: the first live frame, and what the replay window has before it."""

import asyncio
import contextlib
import logging
import time

from fsnats import replay
from fsnats.binance.streams import Stream
from fsnats.bus import Bus
from fsnats.errors import BusUnavailable
from fsnats.frames import Frame, Key
from fsnats.replay import Replay
from gateway.fanout.joining import Joining, Met

logger = logging.getLogger(__name__)

PATIENCE = 2.0  # seconds in which the window, which lags behind what is live by a moment, must have caught up
_PAUSE = 0.05  # seconds between two looks
_LOOKS_AT_NOTHING = 4  # before it is believed that nothing came after a frame


async def begun(joining: Joining) -> None:
    """Return when the first frame is held, or the stream is left."""
    came = asyncio.Event()
    joining.wake = came.set
    if not joining.held and not joining.is_left:
        await came.wait()


class Missed:
    """The frames of a stream after a key, up to those that are held."""

    def __init__(self, bus: Bus, stream: Stream, key: Key, joining: Joining) -> None:
        self._bus = bus
        self._stream = stream
        self._key = key
        self._joining = joining
        self._replay = Replay([], False)
        self.last: Frame | None = None  # where nothing is live yet: the newest frame of all, which that has to follow

    async def read(self) -> None:
        """Read until they meet what is held, for PATIENCE at most.  What was read stays if this is cancelled."""
        begun, looks = time.monotonic(), 0
        while not self._joining.is_left:
            try:
                self._replay = await replay.after(self._bus, self._stream.market, self._stream.name, *self._key)
            except BusUnavailable as error:
                logger.debug(
                    "the past cannot be read",
                    extra={"event": "window.unreadable", "stream": self._stream.name, "error": str(error)},
                )
                return
            looks += 1
            # What has left the window does not come back; an empty one may only be behind.
            is_settled = self._replay.complete or self._replay.frames or looks >= _LOOKS_AT_NOTHING
            if (is_settled and self.met.is_whole) or time.monotonic() - begun > PATIENCE:
                self.last = await self._newest()
                return
            await asyncio.sleep(_PAUSE)

    async def _newest(self) -> Frame | None:
        if self._replay.frames or not self._replay.complete:
            return self._replay.frames[-1] if self._replay.frames else None
        with contextlib.suppress(BusUnavailable):
            return await replay.last(self._bus, self._stream.market, self._stream.name)
        return None

    @property
    def frames(self) -> list[Frame]:
        """What was read."""
        return self._replay.frames

    @property
    def met(self) -> Met:
        """The same before what is held now."""
        return self._joining.meet(self._key, self._replay.frames)

    @property
    def is_certain(self) -> bool:
        """Whether nothing is missing from the key on."""
        met = self.met
        followed = not met.before and bool(met.live)  # live frames alone prove it
        return met.is_whole and (self._replay.complete or followed)
