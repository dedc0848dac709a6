"""Which exit may I take, and when?  Binance counts and bans by address, so all programs of a machine ask here.

A program requests `fsnats.subjects.DIALS` with {"exits": ["<name>", …], "host": "<host>"} and gets {"delay": <seconds>,
"exit": "<name>"}: it waits so long and dials by that exit; the place in the exit's window is taken then, whether it
dials or not.  Without an exit in the answer it asks again after the delay.  What became of it is published on
`fsnats.subjects.EXIT_REPORTS`, from where all learn which exits are out of use; also the programs, for the time when
the desk is gone.
"""

import logging
from collections import Counter
from collections.abc import Callable

import msgspec

from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.errors import UNREADABLE
from fsnats.exits.client import log_report
from fsnats.exits.messages import Grant, Report, Request
from fsnats.exits.pool import Pool, Standing
from fsnats.subjects import DIALS, EXIT_REPORTS

logger = logging.getLogger(__name__)

_SHARE = 0.9  # somebody may look at the exchange by hand
# The largest shares that one program takes when the desk is gone.  Of weight it is more: the exchange's answers tell
# each program how much all of them have used.
_DIALS_ALONE, _WEIGHT_ALONE = 0.1, 0.45
_ASKERS_MOST = 100
_FAILURES_MOST = 1000  # exits and verdicts: a machine has a handful


class Dials:
    """The desk."""

    def __init__(self, bus: Bus, clock: Clock, programs: Callable[[], int] = lambda: 1) -> None:
        """`programs` says how many there are to share the dials of an exit."""
        self._bus = bus
        self._clock = clock
        self._programs = programs
        self._askers: set[str] = set()  # programs that use REST
        self._pool = Pool(_SHARE, _SHARE)
        self._request = msgspec.json.Decoder(Request).decode
        self.failures: Counter[tuple[str, str]] = Counter()  # by exit and verdict
        self._report = msgspec.json.Decoder(Report).decode

    def serve(self) -> None:
        """Answer requests for as long as the bus lives."""
        self._bus.subscribe(DIALS, self._asked)
        self._bus.subscribe(EXIT_REPORTS, self._told)

    def grant(self, request: Request) -> Grant | None:
        """Choose an exit and book a place there; None for a request that names too many."""
        grant = self._pool.choose(request, self._clock.monotonic())
        return msgspec.structs.replace(grant, share=self._share(request)) if grant is not None else None

    def _share(self, request: Request) -> float:
        """What the program may use when we do not answer any more, so that all together stay within the limits."""
        if not request.scope:
            return min(_DIALS_ALONE, _SHARE / max(1, self._programs()))
        if len(self._askers) < _ASKERS_MOST:
            self._askers.add(request.program)
        return min(_WEIGHT_ALONE, _SHARE / len(self._askers))

    def told(self, report: Report) -> None:
        """Take note of what became of a dial or a request, and say so when it is news."""
        if report.verdict is not None and len(self.failures) < _FAILURES_MOST:
            self.failures[report.exit, report.verdict] += 1
        if self._pool.told(report, self._clock.monotonic()):
            log_report(report)

    def standings(self) -> list[Standing]:
        """How every exit is."""
        return self._pool.standings(self._clock.monotonic())

    def _asked(self, _subject: str, reply: str, payload: bytes) -> None:
        try:
            grant = self.grant(self._request(payload))
        except UNREADABLE as error:
            logger.warning("a request to dial cannot be read", extra={"event": "bus.unreadable", "error": str(error)})
            return
        if reply and grant is not None:
            self._bus.publish(reply, msgspec.json.encode(grant))

    def _told(self, _subject: str, _reply: str, payload: bytes) -> None:
        try:
            self.told(self._report(payload))
        except UNREADABLE as error:
            logger.warning("a report on an exit cannot be read", extra={"event": "bus.unreadable", "error": str(error)})
