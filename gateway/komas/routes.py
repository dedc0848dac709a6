"""The paths of the Komas interface: by this table they are dispatched and described."""

from http import HTTPStatus

from fsnats.binance.endpoints import SIMULATED_HEADER
from gateway.komas.answers import Pinned, Prices, Started, Status, Streams, Switched, Unpinned
from gateway.komas.requests import SYMBOLS_DEFAULT, Subscribe, Unsubscribe
from gateway.openapi.parts import JSON, Answer, Operation, Parameter, text
from gateway.openapi.problems import ASKING, problems
from gateway.rest.problem import Problem
from gateway.sse import routes as events

PREFIX = "/api/ws/"
BODY_MOST = 64 * 1024  # bytes

_GROUP = "Pinned streams"
_SESSION = Parameter(
    "session",
    text("^[A-Za-z0-9_-]{1,64}$", default="default"),
    "Whose streams; each access token has sessions of its own.",
)
_SYMBOLS = Parameter("symbols", text(), "Symbols, separated by commas.", example="BTCUSDT,ETHUSDT")
_MARKET = Parameter("market", text("^(spot|usdm|coinm)$"), "The market; by default the first one carried.")
_REFUSED = problems(400, 413, *ASKING, headers=(SIMULATED_HEADER,))


def _good(body: type) -> Answer:
    return Answer(200, "", {JSON: body}, (SIMULATED_HEADER,))


def _reading(name: str, summary: str, body: type, *parameters: Parameter) -> Operation:
    return Operation("GET", PREFIX + name, _GROUP, summary, (_good(body), *_REFUSED), parameters)


def _doing(name: str, summary: str, body: type, *parameters: Parameter) -> Operation:
    return Operation("POST", PREFIX + name, _GROUP, summary, (_good(body), *_REFUSED), (_SESSION, *parameters))


STATUS = _reading("status", "How a session is", Status, _SESSION)
CONNECT = _doing("connect", "Hold a session's streams", Switched)
DISCONNECT = _doing("disconnect", "Hold them no more; they stay named", Switched)
SUBSCRIBE = Operation(
    "POST",
    f"{PREFIX}subscribe",
    _GROUP,
    "Pin streams",
    (_good(Pinned), *_REFUSED),
    (_SESSION,),
    body=Subscribe,
    body_example={"symbols": ["BTCUSDT", "ETHUSDT"], "stream_type": "ticker"},
)
UNSUBSCRIBE = Operation(
    "POST",
    f"{PREFIX}unsubscribe",
    _GROUP,
    "Take pinned streams out",
    (_good(Unpinned), *_REFUSED),
    (_SESSION,),
    "By symbols and type, or by the ids that `streams` tells.",
    body=Unsubscribe,
    body_example={"symbols": ["ETHUSDT"], "stream_type": "ticker"},
)
UNSUBSCRIBE_ALL = _doing("unsubscribe-all", "Take all of a session's streams out", Unpinned)
PRICES = _reading("prices", "The newest prices of the tickers that flow", Prices, _SYMBOLS)
STREAMS = _reading("streams", "What a session has pinned", Streams, _SESSION)
START_PRICES = _doing(
    "quick/start-prices",
    f"Pin tickers (by default {', '.join(SYMBOLS_DEFAULT)}), and say where their events are",
    Started,
    _SYMBOLS,
    _MARKET,
)
STOP = _doing("quick/stop", "The same as disconnect", Switched)

ROUTES = (
    STATUS,
    CONNECT,
    DISCONNECT,
    SUBSCRIBE,
    UNSUBSCRIBE,
    UNSUBSCRIBE_ALL,
    PRICES,
    STREAMS,
    START_PRICES,
    STOP,
)


def route_of(method: str, path: str) -> Operation:
    """What is asked.  Raises Problem."""
    there = [each for each in ROUTES if each.path == path.rstrip("/")]
    for route in there:
        if route.verb == method or (route.verb, method) == ("GET", "HEAD"):
            return route
    if there or any(each.path == path.rstrip("/") for each in events.ROUTES):
        allow = allowed(path)
        raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{method} {path}; allowed: {allow}", allow=allow)
    known = ", ".join(sorted({each.path for each in ROUTES}))
    raise Problem(HTTPStatus.NOT_FOUND, f"nothing at {path[:200]}; there are {known}")


def allowed(path: str) -> str:
    """The methods that there are of a path, as `Allow` has them."""
    verbs = {each.verb for each in ROUTES if each.path == path.rstrip("/")}
    if not verbs:
        return "GET, OPTIONS"  # events, which have no end that HEAD could tell of
    return "GET, HEAD, OPTIONS" if "GET" in verbs else "POST, OPTIONS"
