"""What the gateway answers of its own, but for what has a table where it is dispatched.  Pure."""

from typing import Any, Literal

import msgspec

from fsnats.binance.endpoints import SIMULATED_HEADER
from fsnats.binance.streams import Market
from fsnats.fleet.events import Kind
from fsnats.fleet.streams import LIMIT_DEFAULT, LIMIT_MOST, Sort, StreamRow
from fsnats.fleet.troubles import Trouble
from fsnats.logs.entries import LEVELS
from fsnats.moments import HELP
from gateway import dashboard
from gateway.neighbours import FLEET_HEADER
from gateway.openapi.fields import ALLOW
from gateway.openapi.parts import (
    JSON,
    TEXT,
    Answer,
    Content,
    Operation,
    Parameter,
    choice,
    integer,
    text,
)
from gateway.openapi.problems import ASKING, problems
from gateway.rest import fleet, logs

GATEWAY, STATE = "This gateway", "The fleet"

_WORDS: Content = {"type": "string"}
_PLAIN = problems(405)
HEALTHZ = Operation(
    "GET", "/healthz", GATEWAY, "The process is alive", (Answer(200, "", {TEXT: _WORDS}, (FLEET_HEADER,)), *_PLAIN)
)
READYZ = Operation(
    "GET",
    "/readyz",
    GATEWAY,
    "Clients can be served now",
    (Answer(200, "", {TEXT: _WORDS}), *_PLAIN, Answer(503, "What is missing, in words.", {TEXT: _WORDS})),
)
METRICS = Operation(
    "GET", "/metrics", GATEWAY, "The gateway's numbers, for Prometheus", (Answer(200, "", {TEXT: _WORDS}), *_PLAIN)
)
MODULE = Operation(
    "GET",
    "/fsnats.js",
    GATEWAY,
    "A module for web pages that reads streams, comes back and goes on where it was",
    (Answer(200, "", {"text/javascript": _WORDS}), *_PLAIN),
)
SCHEMA = Operation(
    "GET",
    "/schema",
    GATEWAY,
    "This document: OpenAPI 3.1, as JSON",
    (Answer(200, "", {JSON: {"type": "object"}}), *_PLAIN),
)
SCHEMA_FILE = Operation("GET", "/schema/openapi.json", GATEWAY, "The same", SCHEMA.answers)
DOCS = Operation("GET", "/docs", GATEWAY, "The same for people", (Answer(200, "", {"text/html": _WORDS}), *_PLAIN))

_TAGGED = (Answer(304, "The browser has it already."),)
_SAID = (Answer(405, "", {TEXT: _WORDS}, (ALLOW,)),)
PAGE = Operation(
    "GET", "/", GATEWAY, "The dashboard, for browsers", (Answer(200, "", {"text/html": _WORDS}), *_TAGGED, *_SAID)
)
DASHBOARD = Operation("GET", dashboard.PREFIX, GATEWAY, "The same", PAGE.answers)
FILES = Operation(
    "GET",
    f"{dashboard.PREFIX}/{{file}}",
    GATEWAY,
    "What the dashboard loads",
    (
        Answer(200, "", {each.partition(";")[0]: _WORDS for each in dashboard.TYPES.values()}),
        *_TAGGED,
        Answer(404, "", {TEXT: _WORDS}),
        *_SAID,
    ),
    (Parameter("file", text(), "A file's path, with its slashes.", example="dashboard.css", place="path"),),
)


class FleetNow(msgspec.Struct):
    """The fleet: everybody's status, and what is wrong, the worst first; `at` is in milliseconds since 1970."""

    simulated: bool
    at: int
    gateway: str
    programs: list[dict[str, Any]]
    troubles: list[Trouble]


class StreamsNow(msgspec.Struct):
    """The first of the streams that match, how many do, of how many, and which workers' are missing."""

    simulated: bool
    at: int
    gateway: str
    workers: int
    absent: list[str]
    carried: int
    total: int
    streams: list[StreamRow]


class FleetEvent(msgspec.Struct):
    """One thing that happened, or several that were alike within a second; `at` is in milliseconds since 1970."""

    id: str
    program: str
    at: int
    kind: Kind
    market: Market | msgspec.UnsetType = msgspec.UNSET
    reason: str | msgspec.UnsetType = msgspec.UNSET
    connection: str | msgspec.UnsetType = msgspec.UNSET
    exit: str | msgspec.UnsetType = msgspec.UNSET
    child: str | msgspec.UnsetType = msgspec.UNSET
    streams: list[str] | msgspec.UnsetType = msgspec.UNSET
    count: int | msgspec.UnsetType = msgspec.UNSET
    messages: int | msgspec.UnsetType = msgspec.UNSET


class EventsNow(msgspec.Struct):
    """What happened, the oldest first; how much more that is not kept; and what to ask with for what comes next."""

    simulated: bool
    at: int
    gateway: str
    missed: int
    after: str
    events: list[FleetEvent]


def _fleet(
    path: str, summary: str, body: type, refused: tuple[int, ...], *parameters: Parameter, about: str = ""
) -> Operation:
    good = Answer(200, "", {JSON: body}, (SIMULATED_HEADER,))
    bad = problems(*refused, *ASKING, headers=(SIMULATED_HEADER,))
    return Operation("GET", path, STATE, summary, (good, *bad), parameters, about)


FLEET = (
    _fleet(fleet.PREFIX, "How the fleet is, with what is wrong and what to do about it", FleetNow, (400,)),
    _fleet(
        fleet.STREAMS,
        "Every stream: how much comes, how fast, and how fresh it is",
        StreamsNow,
        (400, 404),
        Parameter("market", choice([str(each) for each in Market]), "Only of this one.", example="spot"),
        Parameter("q", text(), "Only those with this in their name.", example="btcusdt"),
        Parameter(
            "sort", choice([str(each) for each in Sort], str(Sort.RATE)), "Of what the first ones have the most."
        ),
        Parameter("limit", integer(1, LIMIT_MOST, default=LIMIT_DEFAULT), "So many at most."),
        Parameter("connection", text(), "The id of the one that is to bring them."),
    ),
    _fleet(
        fleet.EVENTS,
        "What happened lately: gaps, recoveries, reconnects, rotations, restarts",
        EventsNow,
        (400,),
        Parameter("after", text(), "What came behind the `after` of an earlier answer."),
    ),
)
"""What `gateway.rest.fleet` answers."""


class LogEntry(msgspec.Struct):
    """One event of the log; docs/logs.md says which there are. What belongs to the event is there too."""

    time: str
    level: Literal["debug", "info", "warning", "error", "critical"]
    program: str
    event: str
    message: str
    logger: str | msgspec.UnsetType = msgspec.UNSET
    exception: str | msgspec.UnsetType = msgspec.UNSET


class LogsToday(logs.Told):
    """The newest of what the programs of the gateway's machine logged today, the oldest of it first."""

    entries: list[LogEntry]  # type: ignore[assignment]  # they are sent as they were written


LOGS = Operation(
    "GET",
    logs.PATH,
    STATE,
    "What the programs of this machine log, for its operators",
    (
        Answer(200, "", {JSON: LogsToday}, (SIMULATED_HEADER,)),
        *problems(400, 404, *ASKING, headers=(SIMULATED_HEADER,)),
    ),
    (
        Parameter("program", text(), "Of these programs, separated by commas.", example="gateway"),
        Parameter("level", choice(LEVELS), "At least so important.", example="info"),
        Parameter("limit", integer(1, logs.LIMIT_MOST, default=logs.LIMIT), "So many entries at most."),
        Parameter(
            "after",
            text(),
            f"What came later than a moment ({HELP}), or behind the `next` of an earlier answer.",
        ),
    ),
    "Without tokens only for programs of the gateway's machine; `FSNATS_GATEWAY_LOGS` says otherwise.",
)

OPERATIONS = (HEALTHZ, READYZ, METRICS, MODULE, SCHEMA, SCHEMA_FILE, DOCS, PAGE, DASHBOARD, FILES, *FLEET, LOGS)
"""What `gateway.http` answers by handlers of its own, one entry each."""
