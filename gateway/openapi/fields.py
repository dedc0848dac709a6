"""Header fields of answers.  Values only."""

from fsnats.binance.endpoints import AGE_HEADER, SIMULATED_HEADER, SOURCE_HEADER, WEIGHT_HEADER
from fsnats.history import CACHE, EXCHANGE, STORE, STREAM
from gateway.neighbours import FLEET_HEADER
from gateway.openapi.parts import Schema, choice, integer, text
from gateway.rest.ranges import COMPLETE_HEADER, MISSING_HEADER

ALLOW, RETRY_AFTER, CHALLENGE = "Allow", "Retry-After", "WWW-Authenticate"

HEADERS: dict[str, tuple[str, Schema]] = {
    ALLOW: ("Which methods there are.", {"type": "string"}),
    CHALLENGE: ("That a token is needed.", choice(["Bearer"])),
    RETRY_AFTER: ("In how many seconds it helps to ask again.", integer(1)),
    FLEET_HEADER: (
        "What tells this fleet from others: it is the same at all of its gateways.",
        text(r"^[0-9a-f]{16}$"),
    ),
    SIMULATED_HEADER: ("There where data is made up, and only there.", choice(["true"])),
    SOURCE_HEADER: ("Who answers.", choice([EXCHANGE, STORE, STREAM, CACHE])),
    AGE_HEADER: ("For how many seconds the answer has been here, of a stream or a cache.", text(r"^[0-9]+\.[0-9]{3}$")),
    WEIGHT_HEADER: ("What Binance counted of the address that asked, in this minute.", integer(0)),
    WEIGHT_HEADER.removesuffix("-1m"): ("The same.", integer(0)),
    COMPLETE_HEADER: ("Whether everything is there.", choice(["true", "false"])),
    MISSING_HEADER: ("What is missing: `ms=<first>-<last>`, or `a=…` for ids of trades, separated by commas.", text()),
}
