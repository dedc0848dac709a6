"""Why the gateway closes a connection: one table of codes, reasons and what the client should do next.

Codes below 4000 are RFC 6455's, with Binance's reasons where Binance has one, since clients match on those.  4000 and
above is the range that the RFC leaves to applications.
"""

from typing import NamedTuple


class Closing(NamedTuple):
    """One way for a connection to end.  `reconnect` says whether dialling again, unchanged, can help."""

    code: int
    reason: str
    reconnect: bool
    meaning: str


GOING_AWAY = Closing(1001, "Going away", True, "this gateway is stopping")
PROTOCOL_ERROR = Closing(1002, "Protocol error", False, "the client broke the WebSocket protocol")
INVALID_TEXT = Closing(1007, "Invalid UTF-8", False, "a text message was not UTF-8")
INVALID_REQUEST = Closing(
    1008, "Invalid request", False, "a request the Binance dialect closes for: binary, not JSON, or one stream too many"
)
TOO_MANY_REQUESTS = Closing(1008, "Too many requests", True, "the client sent more messages a second than it may")
PONG_TIMEOUT = Closing(1008, "Pong timeout", True, "the client did not answer pings")
TOO_BIG = Closing(1009, "Message too big", False, "a message was longer than the gateway reads")
INTERNAL_ERROR = Closing(1011, "Internal error", True, "a bug in the gateway ended this connection")
RESTARTING = Closing(1012, "Service restart", True, "this gateway is being restarted")
TRY_LATER = Closing(1013, "Try again later", True, "the gateway has as many clients as it accepts")
SLOW_CONSUMER = Closing(
    4008, "slow consumer", True, "the client read too slowly, and what it missed could not be dropped silently"
)

CLOSINGS = (
    GOING_AWAY,
    PROTOCOL_ERROR,
    INVALID_TEXT,
    INVALID_REQUEST,
    TOO_MANY_REQUESTS,
    PONG_TIMEOUT,
    TOO_BIG,
    INTERNAL_ERROR,
    RESTARTING,
    TRY_LATER,
    SLOW_CONSUMER,
)
