"""Permission to dial.  Binance counts connections per address, so one desk (the supervisor's) serves all processes."""

import logging

import msgspec

from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.errors import BusUnavailable
from fsnats.subjects import DIALS
from fsnats.window import SlidingWindow

logger = logging.getLogger(__name__)

_TIMEOUT = 1.0  # seconds to wait for the desk
# Without a desk (a worker started by hand, NATS down) a process keeps to a tenth of what the exit may do.
_ALONE = 6  # dials a minute


class _Permission(msgspec.Struct):
    delay: float


class Dials:
    """Asks the desk before each dial; keeps to a small budget of its own when nobody answers."""

    def __init__(self, bus: Bus, exit_name: str, clock: Clock) -> None:
        self._bus = bus
        self._request = msgspec.json.encode({"exit": exit_name})
        self._clock = clock
        self._alone = SlidingWindow(_ALONE, 60.0)

    async def admitted(self) -> None:
        """Return when one more dial is allowed."""
        try:
            answer = await self._bus.request(DIALS, self._request, _TIMEOUT)
            delay = msgspec.json.decode(answer, type=_Permission).delay
        except (BusUnavailable, msgspec.DecodeError):
            delay = self._alone.reserve(self._clock.monotonic())
        if delay > 0:
            logger.info("waiting for the exit's budget of dials", extra={"seconds": round(delay, 1)})
            await self._clock.sleep(delay)
