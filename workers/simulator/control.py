"""Control messages: from the text a client sends to the reply and what follows from it.  No I/O.

The exchange acknowledges every SUBSCRIBE whose names look like names at all; whether such a stream exists shows only in
what is delivered.  Errors are nested as on the wire: `{"error":{"code":…,"msg":…},"id":…}`, with the id where it could
be read.
"""

import json
import re

import msgspec

from fsnats.binance.streams import Market

VARIANTS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
POLICY = 1008  # the close code of every violation

_INT64 = range(-(2**63), 2**63)
_STRING_ID = re.compile(r"[0-9A-Za-z_-]{0,36}")
_NOT_A_NAME = re.compile(r"[\s\x00-\x1f]")
_METHOD = re.compile(r'"method"\s*:\s*"(?:[^"\\]|\\.)*"')


class Subscriptions(msgspec.Struct):
    """What a connection has asked for so far."""

    market: Market
    combined: bool
    names: dict[str, None] = msgspec.field(default_factory=dict)
    most: int = 1024  # names it may hold


class Decision(msgspec.Struct):
    """What to do about one message: send the reply, change the subscriptions, then perhaps close."""

    reply: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    combined: bool | None = None
    close: str | None = None  # the reason
    violation: str = ""


class _Refusal(Exception):
    """An error that the exchange answers with; the request changes nothing."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def binary() -> Decision:
    """A binary message: never allowed."""
    return Decision(close="Invalid request", violation="binary")


def decide(text: str, held: Subscriptions) -> Decision:
    """Answer one text message of a client that holds these subscriptions."""
    try:
        request = json.loads(text)
    except ValueError as error:
        line, column = (error.lineno, error.colno) if isinstance(error, json.JSONDecodeError) else (1, 1)
        reply = _error(3, f"Invalid JSON: expected value at line {line} column {column}", None)
        # Futures disconnect (change log of 2023-06-22), spot does not.
        return Decision(reply, close=None if held.market is Market.SPOT else "Invalid request", violation="json")
    shown: object = None
    try:
        shown = request_id(request, held.market, text)
        method = _method(request, text)
        decision = _carry_out(method, request, held, text)
    except _Refusal as refusal:
        return Decision(_error(refusal.code, refusal.message, shown))
    if not decision.reply:
        decision.reply = _result(None, shown)
    elif decision.reply[0] != "{":  # a bare result
        decision.reply = f'{{"result":{decision.reply},"id":{_json(shown)}}}'
    if len(held.names.keys() | set(decision.added)) > held.most:
        reply = _error(4, "Too many subscriptions", shown)
        return Decision(reply, close="Invalid request", violation="streams")
    return decision


def request_id(request: object, market: Market, text: str) -> object:
    """The id of a request, to be echoed.  Futures want an unsigned integer, spot also takes short strings and null."""
    if not isinstance(request, dict):
        raise _Refusal(2, f"Invalid request: invalid type, expected a request at line 1 column {len(text)}")
    value = request.get("id")
    if value is None:
        return None
    whole = isinstance(value, int) and not isinstance(value, bool) and value in _INT64
    if market is Market.SPOT:
        if whole or (isinstance(value, str) and _STRING_ID.fullmatch(value)):
            return value
        raise _Refusal(2, "Invalid request: request ID must be an integer, a string of at most 36 characters or null")
    if whole and isinstance(value, int) and value >= 0:
        return value
    raise _Refusal(2, "Invalid request: request ID must be an unsigned integer")


def _method(request: object, text: str) -> str:
    assert isinstance(request, dict)
    method = request.get("method")
    if method is None:
        raise _Refusal(2, f"Invalid request: missing field `method` at line 1 column {len(text)}")
    if method not in VARIANTS:
        found = _METHOD.search(text)
        column = found.end() if found else len(text)
        shown = method if isinstance(method, str) else json.dumps(method)
        expected = ", ".join(f"`{variant}`" for variant in VARIANTS)
        raise _Refusal(
            2, f"Invalid request: unknown variant `{shown}`, expected one of {expected} at line 1 column {column}"
        )
    return str(method)


def _carry_out(method: str, request: dict[str, object], held: Subscriptions, text: str) -> Decision:
    params = request.get("params")
    if method == "LIST_SUBSCRIPTIONS":
        if params:
            raise _Refusal(2, "Invalid request: too many parameters")
        return Decision(_json(list(held.names)))
    if not isinstance(params, list):
        raise _Refusal(2, f"Invalid request: missing field `params` at line 1 column {len(text)}")
    if method == "GET_PROPERTY":
        _property(params, 1)
        return Decision(_json(held.combined))
    if method == "SET_PROPERTY":
        _property(params, 2)
        if len(params) < 2 or not isinstance(params[1], bool):
            raise _Refusal(1, "Invalid value type: expected Boolean")
        return Decision(combined=params[1])
    names = _names(params, text)
    return Decision(added=names) if method == "SUBSCRIBE" else Decision(removed=names)


def _property(params: list[object], most: int) -> None:
    """Check a property's name; `combined` is the only one there is."""
    if len(params) > most:
        raise _Refusal(2, "Invalid request: too many parameters")
    if not params or not isinstance(params[0], str):
        raise _Refusal(2, "Invalid request: property name must be a string")
    if params[0] != "combined":
        raise _Refusal(0, "Unknown property")


def _names(params: list[object], text: str) -> tuple[str, ...]:
    for name in params:
        if not isinstance(name, str):
            raise _Refusal(2, f"Invalid request: invalid type, expected a string at line 1 column {len(text)}")
        if not name or _NOT_A_NAME.search(name):
            raise _Refusal(2, "Invalid request: invalid stream")
    return tuple(dict.fromkeys(str(name) for name in params))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _result(value: object, shown: object) -> str:
    return f'{{"result":{_json(value)},"id":{_json(shown)}}}'


def _error(code: int, message: str, shown: object) -> str:
    suffix = "" if shown is None else f',"id":{_json(shown)}'
    return f'{{"error":{{"code":{code},"msg":{_json(message)}}}{suffix}}}'
