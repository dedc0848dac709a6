"""What a failure rules out, and what a program's next step depends on.  Pure.

Binance counts three things by address, each apart from the others: attempts to open WebSocket connections, and the
weight of REST on spot and on futures ("WebSocket Limits", "IP Limits").  Hosts differ as well: those of WebSocket
streams are not those of REST.  So a dial and a request may go through one exit with different luck, and the simulator,
which serves both on one host, must not make them one.

Areas are words that a sentence may end with: "not used for REST of spot".
"""

from fsnats.exits.verdicts import Verdict

EVERYTHING = "anything"
HANDSHAKES = "WebSocket handshakes"


def needed(host: str, scope: str) -> tuple[str, ...]:
    """What must be in order for a REST request of this scope to a host or, without a scope, a WebSocket handshake."""
    if scope:
        return EVERYTHING, host, rest_of(scope), rest_of(host)
    return EVERYTHING, host, HANDSHAKES


def ruled_out(verdict: Verdict, host: str, scope: str) -> str:
    """What an exit is not good for when this came of a REST request or, without a scope, of a WebSocket handshake."""
    match verdict:
        case Verdict.LOGIN:
            return EVERYTHING  # it is the proxy that does not know us
        case Verdict.UNREACHABLE | Verdict.BARRED | Verdict.UNSERVED:
            return host
        case Verdict.LIMITED:
            return rest_of(scope) if scope else HANDSHAKES
        case Verdict.BANNED:
            # The text of REST's ban itself sends people to the WebSocket ("Please use the websocket for live updates
            # to avoid bans", error -1003): streams go on, and so may their dials.  Whoever is banned from as much as
            # shaking hands ("repeatedly disconnected IPs may be banned") has no business at REST either.
            return rest_of(scope) if scope else EVERYTHING
        case Verdict.FORBIDDEN:
            # The firewall in front of one host of REST, or of all hosts of streams.
            return rest_of(host) if scope else HANDSHAKES


def rest_of(place: str) -> str:
    """REST of a scope of weight, or of a host."""
    return f"REST of {place}"
