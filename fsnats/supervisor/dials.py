"""When may I dial?  Binance counts connection attempts by address, so all workers of a machine ask here.

A worker requests `fsnats.subjects.DIALS` with {"exit": "<name>"} and gets {"delay": <seconds>}: it waits so long and
dials.  The place in the window is taken then, whether it dials or not.
"""

import logging

import msgspec

from fsnats.binance.limits import DIALS_PER_MINUTE
from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.subjects import DIALS
from fsnats.window import SlidingWindow

logger = logging.getLogger(__name__)

SPAN = 60.0  # seconds
_EXITS_MOST = 100  # a machine has a handful; the rest would be a program that makes names up


class Request(msgspec.Struct, frozen=True):
    """A worker is about to dial by this exit."""

    exit: str


class Grant(msgspec.Struct, frozen=True):
    """Seconds to wait before dialling."""

    delay: float


class Dials:
    """The windows, one for each exit."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._windows: dict[str, SlidingWindow] = {}
        self._decode = msgspec.json.Decoder(Request).decode

    def serve(self) -> None:
        """Answer requests for as long as the bus lives."""
        self._bus.subscribe(DIALS, self._asked)

    def grant(self, exit_name: str) -> float | None:
        """Book a dial and return the seconds until it may happen; None when there are too many exits already."""
        window = self._windows.get(exit_name)
        if window is None:
            if len(self._windows) >= _EXITS_MOST:
                return None
            window = self._windows[exit_name] = SlidingWindow(DIALS_PER_MINUTE, SPAN)
        return window.reserve(self._clock.monotonic())

    def free(self) -> dict[str, int]:
        """How many dials each exit has left now."""
        now = self._clock.monotonic()
        return {name: window.free(now) for name, window in self._windows.items()}

    def _asked(self, _subject: str, reply: str, payload: bytes) -> None:
        try:
            delay = self.grant(self._decode(payload).exit)
        except msgspec.DecodeError as error:
            logger.warning("a request to dial cannot be read", extra={"error": str(error)})
            return
        if reply and delay is not None:
            self._bus.publish(reply, msgspec.json.encode(Grant(delay)))
