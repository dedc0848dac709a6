"""Which exit may I take, and when?  Binance counts and bans by address, so all programs of a machine ask here.

A program requests `fsnats.subjects.DIALS` with {"exits": ["<name>", …], "host": "<host>"} and gets {"delay": <seconds>,
"exit": "<name>"}: it waits so long and dials by that exit; the place in the exit's window is taken then, whether it
dials or not.  Without an exit in the answer it asks again after the delay.  What became of it is published on
`fsnats.subjects.EXIT_REPORTS`, from where all learn which exits are out of use.
"""

import logging

import msgspec

from fsnats.binance.limits import DIALS_PER_MINUTE
from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.exits.client import log_report
from fsnats.exits.messages import Grant, Report, Request
from fsnats.exits.pool import Pool, Standing
from fsnats.subjects import DIALS, EXIT_REPORTS

logger = logging.getLogger(__name__)

_WEIGHT_SHARE = 0.9  # somebody may look at the exchange by hand


class Dials:
    """The desk."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._pool = Pool(DIALS_PER_MINUTE, _WEIGHT_SHARE)
        self._request = msgspec.json.Decoder(Request).decode
        self._report = msgspec.json.Decoder(Report).decode

    def serve(self) -> None:
        """Answer requests for as long as the bus lives."""
        self._bus.subscribe(DIALS, self._asked)
        self._bus.subscribe(EXIT_REPORTS, self._told)

    def grant(self, request: Request) -> Grant | None:
        """Choose an exit and book a place there; None for a request that names too many."""
        return self._pool.choose(request, self._clock.monotonic())

    def told(self, report: Report) -> None:
        """Take note of what became of a dial or a request, and say so when it is news."""
        if self._pool.told(report, self._clock.monotonic()):
            log_report(report)

    def standings(self) -> list[Standing]:
        """How every exit is."""
        return self._pool.standings(self._clock.monotonic())

    def _asked(self, _subject: str, reply: str, payload: bytes) -> None:
        try:
            grant = self.grant(self._request(payload))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            logger.warning("a request to dial cannot be read", extra={"error": str(error)})
            return
        if reply and grant is not None:
            self._bus.publish(reply, msgspec.json.encode(grant))

    def _told(self, _subject: str, _reply: str, payload: bytes) -> None:
        try:
            self.told(self._report(payload))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            logger.warning("a report on an exit cannot be read", extra={"error": str(error)})
