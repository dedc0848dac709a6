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


PROTOCOL_ERROR = Closing(1002, "Protocol error", False, "the client broke the WebSocket protocol")
INVALID_TEXT = Closing(1007, "Invalid UTF-8", False, "a text message was not UTF-8")
INVALID_REQUEST = Closing(
    1008, "Invalid request", False, "a request the Binance dialect closes for: binary, not JSON, or one stream too many"
)
TOO_MANY_REQUESTS = Closing(1008, "Too many requests", True, "the client sent requests much faster than it may")
PONG_TIMEOUT = Closing(1008, "Pong timeout", True, "the client did not answer pings")
TOO_BIG = Closing(1009, "Message too big", False, "a message was longer than the gateway reads")
RESTARTING = Closing(1012, "Service restart", True, "this gateway is being restarted")
TOKEN_REVOKED = Closing(4001, "token revoked", False, "the access token is not valid any more")
TOKEN_CHANGED = Closing(4002, "token changed", True, "the access token allows something else than before")
SLOW_CONSUMER = Closing(
    4008, "slow consumer", True, "the client read too slowly, and what it missed could not be dropped silently"
)

CLOSINGS = (
    PROTOCOL_ERROR,
    INVALID_TEXT,
    INVALID_REQUEST,
    TOO_MANY_REQUESTS,
    PONG_TIMEOUT,
    TOO_BIG,
    RESTARTING,
    TOKEN_REVOKED,
    TOKEN_CHANGED,
    SLOW_CONSUMER,
)
