"""Fills holes over REST, and says what could not be had.

While a hole is young it keeps what comes after it waiting, for HOLD seconds at most, so that everything goes out in
order.  Then the stream goes on, and what is still missing comes late, marked so, until PATIENCE ends.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from fsnats.binance.streams import Market
from fsnats.clock import Clock
from fsnats.errors import UNREADABLE, BusUnavailable
from fsnats.fleet.events import Journal, Kind
from fsnats.frames import GAP, LATE, RECOVERED
from fsnats.history import RowsReply
from workers.ingest import candles, gaps
from workers.ingest.hole import LOST, ON_ITS_WAY, Hole, Piece, Told
from workers.ingest.line import Line
from workers.ingest.pages import Answer, Fill
from workers.ingest.router import Router
from workers.ingest.track import Missing

logger = logging.getLogger(__name__)

HOLD = 2.0  # seconds by which a recovery may delay what comes after it
PATIENCE = 300.0  # seconds until what REST did not give is lost: several minutes' worth of its weight
HOLES_MOST = 1000  # of one worker; a further one is told as lost at once
AT_ONCE = 8  # requests in flight
_LOOK = 0.1  # seconds between two looks at how old holes are
_AGAIN = 1.0  # seconds of rest after a request that nobody answered
_STEP = 1000  # messages of one line that go out in one turn of the loop

Ask = Callable[[Fill], Awaitable[RowsReply]]
"""Asks the exchange's REST for rows; raises BusUnavailable."""


class Recovery:
    """One worker's holes.  `run` must be running; the router tells `missing`, `resumed` and `crowded` to it."""

    def __init__(self, ask: Ask, clock: Clock, journal: Journal | None = None) -> None:
        self._ask = ask
        self._clock = clock
        self._journal = journal or Journal(clock.time_ns)
        self._open: dict[Hole, Line] = {}  # the oldest first
        self._passed: dict[Line, list[Hole]] = {}  # open ones that keep nothing waiting any more
        self._changed_lines: dict[Line, None] = {}
        self._begun = asyncio.Event()  # there is an open hole
        self._work = asyncio.Event()  # there may be something to ask for
        self._changed = asyncio.Event()  # there may be something to publish
        self._ask_from = 0.0  # monotonic seconds: the exchange or the bus wants a rest until then
        self.router: Router  # set by whoever composes the two
        self.recovered = 0  # messages
        self.late = 0  # of those, after newer ones
        self.gaps = 0  # notices of what is lost

    @property
    def filling(self) -> int:
        """How many holes are open."""
        return len(self._open)

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(self._fetch())
            tasks.create_task(self._publish())
            while True:
                await self._begun.wait()
                await self._clock.sleep(_LOOK)
                self._look(self._clock.monotonic())

    # What the router tells.

    def missing(self, line: Line, missing: Missing) -> None:
        """A hole before what comes next: hold that if the hole can be filled, else publish a notice."""
        pages = gaps.pages(line.stream, missing)
        if not pages or len(self._open) >= HOLES_MOST:
            self.tell(line, missing, LOST)
            return
        wait = missing.wait if isinstance(missing, candles.MissingBars) else 0.0
        hole = Hole(missing, pages, self._clock.monotonic(), wait)
        self._open[hole] = line
        if line.held is None:
            line.held = deque()
        line.held.append(hole)
        self._begun.set()
        self._work.set()

    def resumed(self, line: Line, payload: bytes) -> None:
        """The first payload after a connection was lost: what is missing before it is a hole, too."""
        stream = line.stream
        missing: Missing | None = None
        try:
            if stream.interval and (latest := line.latest):
                missing = candles.bars_between(latest, payload)
            elif stream.kind == "trade" and stream.market is not Market.SPOT:
                # Their ids only grow, so the tracker saw no hole; after a lost connection there is nearly always one.
                missing = line.follow().between(payload)
            elif stream.kind in _TOLD and line.newest:
                told = line.follow().between(payload)
                if told is not None:
                    self.tell(line, told, "the connection was lost or silent")
        except UNREADABLE:
            return  # the router counts it
        if missing is not None:
            self.missing(line, missing)

    def crowded(self, line: Line) -> None:
        """Too much is held on a line: let it go."""
        for entry in line.held or ():
            if isinstance(entry, Hole):
                entry.let_go()
        self._change(line)

    def begun_anew(self, line: Line, since: int, until: int) -> None:
        """Ids began anew, and some messages were taken for old ones."""
        logger.warning(
            "the exchange counts a stream anew", extra={"event": "stream.counted_anew", "stream": line.stream.name}
        )
        self.tell(line, Missing(since, until, "ms"), "the exchange counts anew")

    # Asking.

    async def _fetch(self) -> None:
        while True:
            found = self._next()
            if found is None:
                self._work.clear()
                await self._work.wait()
                continue
            await self._fetch_page(*found)  # apart: who waits for work keeps no rows meanwhile

    async def _fetch_page(self, hole: Hole, line: Line, page: Missing) -> None:
        try:
            reply = await self._ask(gaps.request(line.stream, page))
        except BusUnavailable as error:
            self._not_now(hole, page, str(error), _AGAIN)
        else:
            self._answered(hole, line, page, reply)

    def _next(self) -> tuple[Hole, Line, Missing] | None:
        """The page to ask for now: holes that keep a stream waiting come first, and all get their turn."""
        now = self._clock.monotonic()
        if now < self._ask_from:
            return None
        for hole in sorted(self._open, key=lambda hole: (hole.was_let_go, hole.in_flight)):
            page = hole.next_page(now)
            if page is not None:
                return hole, self._open[hole], page
        return None

    def _answered(self, hole: Hole, line: Line, page: Missing, reply: RowsReply) -> None:
        if reply.error and reply.again is not None:
            self._not_now(hole, page, reply.error, reply.again)
            return
        if reply.error:
            logger.warning(
                "a hole cannot be filled",
                extra={"event": "hole.unfilled", "stream": line.stream.name, "error": reply.error},
            )
            hole.refused(page)
        else:
            try:
                answer = gaps.read(line.stream, page, reply.rows)
            except UNREADABLE as error:
                logger.warning(
                    "rows cannot be read",
                    extra={"event": "hole.unreadable", "stream": line.stream.name, "error": str(error)},
                )
                answer = Answer([], [], page)
            hole.answered(page, answer, self._clock.monotonic())
        self._change(line)

    def _not_now(self, hole: Hole, page: Missing, reason: str, rest: float) -> None:
        hole.failed(page)
        now = self._clock.monotonic()
        if now >= self._ask_from:
            logger.info(
                "holes wait",
                extra={"event": "hole.waiting", "holes": len(self._open), "seconds": round(rest, 1), "error": reason},
            )
        self._ask_from = max(self._ask_from, now + rest)

    def _look(self, now: float) -> None:
        for hole, line in list(self._open.items()):
            if self.router.line(line.stream.name) is not line:
                self._forget(hole)  # nobody wants the stream any more
            elif now - hole.since >= PATIENCE and not hole.is_settled:
                logger.warning(
                    "a hole was not filled in time", extra={"event": "hole.late", "stream": line.stream.name}
                )
                hole.give_up()
                self._change(line)
            elif now - hole.since >= HOLD and not hole.was_let_go:
                hole.let_go()
                self._change(line)
        if now >= self._ask_from:
            self._work.set()

    # Publishing.

    def _change(self, line: Line) -> None:
        self._changed_lines[line] = None
        self._changed.set()

    async def _publish(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            lines, self._changed_lines = self._changed_lines, {}
            for line in lines:
                # Of a line that is carried no more nothing goes out: another one may be counting its sequence.
                if self.router.line(line.stream.name) is line and self._advance(line):
                    self._change(line)
                await asyncio.sleep(0)

    def _advance(self, line: Line) -> bool:
        """Publish what may go out now, up to a measure; True when there is more."""
        left = _STEP
        while line.held and left > 0:
            head = line.held[0]
            if not isinstance(head, Hole):
                self.router.publish(line, *head)
                line.held.popleft()
                left -= 1
            elif pieces := head.in_order():
                self._send(line, pieces, RECOVERED)
                left -= len(pieces)
            elif head.blocks:
                break
            else:
                line.held.popleft()
                self._passed.setdefault(line, []).append(head)
        if not line.held:
            line.held = None
        for hole in list(self._passed.get(line, ())):
            while left > 0 and (pieces := hole.late()):
                self._send(line, pieces, RECOVERED | LATE)
                left -= len(pieces)
            if hole.is_done:
                self._forget(hole)
        return left <= 0

    def _send(self, line: Line, pieces: list[Piece], flags: int) -> None:
        now_ns = self._clock.time_ns()
        before = line.recovered
        for piece in pieces:
            if isinstance(piece, Told):
                self._notice(line, piece.missing, piece.reason, now_ns)
            else:
                self.recovered += 1
                line.recovered += 1
                self.late += bool(flags & LATE)
                self.router.publish(line, piece, now_ns, flags)
        if line.recovered > before:
            reason = "late" if flags & LATE else ""
            messages = line.recovered - before
            self._journal.note(Kind.RECOVERED, stream=line.stream.name, reason=reason, messages=messages)

    def tell(self, line: Line, missing: Missing, reason: str) -> None:
        """Publish a notice of what is lost, in its place: behind what is held."""
        now_ns = self._clock.time_ns()
        if line.held is None:
            self._notice(line, missing, reason, now_ns)
        else:
            self._count(line, reason)
            line.held.append((gaps.notice(line.stream, missing, reason), now_ns, GAP))

    def _notice(self, line: Line, missing: Missing, reason: str, now_ns: int) -> None:
        if reason != ON_ITS_WAY:
            self._count(line, reason)
        self.router.publish(line, gaps.notice(line.stream, missing, reason), now_ns, GAP)

    def _count(self, line: Line, reason: str) -> None:
        self.gaps += 1
        line.gaps += 1
        self._journal.note(Kind.GAP, stream=line.stream.name, reason=reason)

    def _forget(self, hole: Hole) -> None:
        line = self._open.pop(hole)
        if not self._open:
            self._begun.clear()
        passed = self._passed.get(line, [])
        if hole in passed:
            passed.remove(hole)
        if not passed:
            self._passed.pop(line, None)


# Streams whose every message counts, or that people trade on message by message, and whose loss REST cannot mend.
# (Diff depth and trades show a hole by themselves.)
_TOLD = frozenset({"bookTicker", "forceOrder", "forceOrders", "bookTickers", "blockTrade", "contractInfo"})
