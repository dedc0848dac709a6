"""What the gateway answers of its own, but for what has a table where it is dispatched.  Pure."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from fsnats.binance.endpoints import SIMULATED_HEADER
from fsnats.binance.streams import CONTRACT_TYPES, Market, intervals_of
from fsnats.fleet.events import Kind
from fsnats.fleet.streams import LIMIT_DEFAULT, LIMIT_MOST, Sort, StreamRow
from fsnats.fleet.troubles import Trouble
from fsnats.formats import FORMATS, MEDIA_TYPES
from fsnats.history import MOST
from fsnats.logs.entries import LEVELS
from fsnats.moments import HELP
from gateway import dashboard
from gateway.neighbours import FLEET_HEADER
from gateway.openapi.bodies import AGG_TRADES, CANDLES
from gateway.openapi.fields import ALLOW
from gateway.openapi.parts import (
    JSON,
    TEXT,
    Answer,
    Content,
    Operation,
    Parameter,
    Schema,
    array,
    choice,
    fields,
    integer,
    text,
)
from gateway.openapi.problems import ASKING, problems
from gateway.rest import fleet, logs
from gateway.rest.ranges import COMPLETE_HEADER, KLINES, MISSING_HEADER, TRADES
from gateway.rest.symbols import PATH as SYMBOLS
from gateway.rest.symbols import Lists

GATEWAY, PAST, STATE = "This gateway", "Candles and trades of the past", "The fleet"

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

_MISSING: Schema = array(
    fields({"from": integer(), "to": integer(), "unit": choice(["ms", "a"])}),
    description="From and to what it is not known that everything is there: times, or ids of aggregated trades.",
)
_ENDS: dict[str, Schema] = {
    "complete": {"type": "boolean"},
    "missing": _MISSING,
    "error": text(description="Why not everything came."),
}
_MOMENT = text(pattern="^[^\\x00]{1,40}$", description=HELP)


def symbols(markets: Sequence[Market]) -> Operation:
    """What the markets list."""
    return Operation(
        "GET",
        SYMBOLS,
        PAST,
        "What the markets list now",
        (
            Answer(200, "", {JSON: Lists}, (SIMULATED_HEADER,)),
            *problems(400, 404, *ASKING, headers=(SIMULATED_HEADER,)),
        ),
        (Parameter("market", choice([str(each) for each in markets]), "Only this one.", example=str(markets[0])),),
    )


def archive(markets: Sequence[Market]) -> tuple[Operation, Operation]:
    """Long ranges of candles and trades."""
    every = tuple(dict.fromkeys(each for market in markets for each in intervals_of(market)))
    common = (
        Parameter("market", choice([str(each) for each in markets], str(markets[0])), "The market."),
        Parameter("symbol", text(minLength=1), "A symbol, or a pair (`continuous`).", required=True, example="BTCUSDT"),
    )
    candles = (
        Parameter("interval", choice(every), "How long a candle is.", required=True, example="1m"),
        Parameter(
            "continuous",
            choice(["0", "1", "false", "true", *CONTRACT_TYPES]),
            "Candles of futures' contracts, whichever symbol that is: a type of contract, or `1` for perpetual.",
        ),
    )
    more = (
        Parameter("start", _MOMENT, "From when on, that included; without it the newest rows are meant."),
        Parameter("end", _MOMENT, "Until when, that included."),
        Parameter(
            "limit",
            integer(1, 10**12 - 1),
            f"So many rows at most; without `start` 500 where nothing is said, and at most {MOST}.",
            example=5,
        ),
        Parameter(
            "source",
            choice(["rest", "store"], "rest"),
            "`rest`: what the store lacks is fetched; `store`: only what is stored.",
        ),
        Parameter("format", choice(FORMATS), "How rows are written; without it `Accept` decides, else `json`."),
    )
    title: dict[str, Schema] = {"market": choice([str(each) for each in markets]), "symbol": text()}
    of_candles: dict[str, Schema] = {"interval": choice(every), "continuous": text(), "klines": CANDLES}
    bodies = (
        fields({**title, **of_candles, **_ENDS}, ["continuous", "error"]),
        fields({**title, "trades": AGG_TRADES, **_ENDS}, ["error"]),
    )
    return (
        _range(KLINES, "Candles that are over, any number of them", bodies[0], (*common, *candles, *more)),
        _range(TRADES, "Aggregated trades, any number of them", bodies[1], (*common, *more)),
    )


def _range(path: str, summary: str, body: Schema, parameters: tuple[Parameter, ...]) -> Operation:
    bodies: dict[str, Content] = {MEDIA_TYPES[name]: body if name == "json" else _WORDS for name in FORMATS}
    told = (COMPLETE_HEADER, MISSING_HEADER, SIMULATED_HEADER)
    good = Answer(200, "Rows, oldest first; streamed, so that any range fits.", bodies, told)
    return Operation("GET", path, PAST, summary, (good, *problems(400, 404, 406, *ASKING, 501)), parameters)
