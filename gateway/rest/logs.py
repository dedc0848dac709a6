"""Answers `/api/logs/today`: the newest of what the programs of this machine log (docs/logs.md)."""

import asyncio
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus
from typing import NamedTuple, Protocol

import msgspec

from fsnats.clock import Clock
from fsnats.errors import Unusable
from fsnats.logs import cursor
from fsnats.logs.entries import LEVELS, stamp
from fsnats.logs.names import FileName
from fsnats.logs.reading import Logs, Wanted
from fsnats.logs.start import directory
from fsnats.moments import moment
from fsnats.websocket.handshake import Headers
from gateway.admission.addresses import Proxies
from gateway.admission.operators import why_not
from gateway.admission.pace import Paces
from gateway.rest import visits
from gateway.rest.fresh import Fresh
from gateway.rest.problem import AGAIN, Problem
from gateway.rest.single import whole
from gateway.rest.visits import Receive, Scope, Send, Visits, asked_of, require_reading

PATH = "/api/logs/today"
NAMES = frozenset({"program", "level", "limit", "after", "token"})
LIMIT, LIMIT_MOST = 200, 1000  # entries of an answer
BYTES_MOST = 1024 * 1024  # of an answer's entries
SCAN_MOST = 16 * 1024 * 1024  # bytes of the files that are looked through for one answer
_WITHIN = 5.0  # seconds for an answer, the questions of others before it included
# Seconds in which the loop gets the interpreter's lock for sure, after each block: to wait until Python takes it away
# from the thread that reads costs 5 ms, as often as the loop wakes up.
_PAUSE = 0.0002


class House(visits.House, Protocol):
    """The gateway."""

    name: str


class Told(msgspec.Struct):
    """An answer.

    `date` is today's (UTC); `programs` are those whose files there are; `complete` says that no older entries were left
    out, `broken` how many lines were none, and `next` is what to send as `after` for what is logged from here on.
    """

    date: str
    gateway: str
    programs: list[str]
    count: int
    complete: bool
    broken: int
    next: str
    entries: list[msgspec.Raw]


class Asked(NamedTuple):
    """What is asked for; from the `first` day on, and behind these ends of files."""

    programs: tuple[str, ...]
    level: str
    limit: int
    since: str
    first: str
    ends: tuple[tuple[FileName, int], ...]


class TodaysLogs:
    """An ASGI application."""

    def __init__(self, house: House, clock: Clock, paces: Paces) -> None:
        """`paces` are those of the other REST requests."""
        self._house = house
        self._clock = clock
        self._visits = Visits(house, paces, clock.monotonic)
        self._proxies = Proxies(house.config.gateway_trusted_proxies)
        self._told = Fresh[Asked, bytes](clock.monotonic)
        # Its own: on a disk that stands still threads stay for good, and others need those of the loop.
        self._thread = ThreadPoolExecutor(1, "logs")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def tell(headers: Headers) -> bytes:
            return await self._tell(scope, headers)

        await self._visits.respond(scope, send, tell)

    async def _tell(self, scope: Scope, headers: Headers) -> bytes:
        require_reading(scope)
        grant = self._visits.guest(scope, headers).pass_.grant
        peer: str = scope["client"][0] if scope.get("client") else ""
        config = self._house.config
        forbidden = why_not(config.gateway_logs, grant, peer, headers, self._proxies)
        if forbidden is not None:
            raise Problem(HTTPStatus.FORBIDDEN, forbidden, "FORBIDDEN")
        if not config.log_files:
            raise Problem(HTTPStatus.NOT_FOUND, "no log files are written here (FSNATS_LOG_FILES is false)")
        now = self._clock.time_ns() // 1_000_000
        wanted = asked(asked_of(scope, NAMES), now)

        async def read() -> bytes:
            # In a thread: the disk may take its time, and everybody else waits for this loop.
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, self._read, wanted, day_of(now))

        try:
            async with asyncio.timeout(_WITHIN):
                return await self._told.get(wanted, read)
        except TimeoutError:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "the disk, or too many who ask, take too long", "BUSY", AGAIN
            ) from None

    def _read(self, wanted: Asked, today: str) -> bytes:
        lines = Wanted(wanted.programs, wanted.level, wanted.since)
        place = directory(self._house.config)
        logs = Logs(place, lines, lambda day: day >= wanted.first, lambda: time.sleep(_PAUSE))
        found = logs.newest(wanted.limit, BYTES_MOST, SCAN_MOST, dict(wanted.ends))
        told = Told(
            date=today,
            gateway=self._house.name,
            programs=found.programs,
            count=len(found.lines),
            complete=found.complete,
            broken=found.broken,
            next=cursor.written(found.ends),
            entries=[msgspec.Raw(line.text) for line in found.lines],
        )
        return msgspec.json.encode(told)


def asked(query: Mapping[str, str], now_ms: int) -> Asked:
    """What a query asks for.  Raises Problem."""
    programs = tuple(sorted({each.strip() for each in query.get("program", "").split(",") if each.strip()}))
    level = query.get("level", LEVELS[0]).lower()
    if level not in LEVELS:
        raise _wrong(f"level: '{level[:40]}' is none of {', '.join(LEVELS)}")
    given = query.get("limit", str(LIMIT))
    limit = whole(given, 1, LIMIT_MOST)
    if limit is None:
        raise _wrong(f"limit: '{given[:40]}' is no number from 1 to {LIMIT_MOST}")
    since, first, ends = "", day_of(now_ms), dict[FileName, int]()
    after = query.get("after", "")
    try:
        if after.startswith("e"):  # as every JSON object in base64, and no moment
            ends = cursor.read(after)
            first = min((name.day for name in ends), default=first)
        elif after:
            at = moment(after, now_ms)
            since, first = stamp(at / 1000), day_of(at)
    except Unusable as error:
        raise _wrong(f"after: {error}") from None
    return Asked(programs, level, limit, since, first, tuple(sorted(ends.items())))


def day_of(milliseconds: int) -> str:
    """The day of a moment, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()


def _wrong(detail: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, detail, "INVALID_FIELD")
