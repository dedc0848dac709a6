"""Binance's control messages as the gateway reads them, and its answers, in the words Binance uses.

Clients match on the codes and some on the texts, so both are restated from Binance's documentation and from the wire.
"""

from typing import NamedTuple

import msgspec

from fsnats.errors import UNREADABLE, Unusable
from gateway.protocol.wire import BadId, NotAnObject, NotJson, encode, id_of, read

UNKNOWN_PROPERTY = 0
INVALID_VALUE = 1
INVALID_REQUEST = 2
INVALID_JSON = 3
TOO_MANY_SUBSCRIPTIONS = 4

METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
NAME_CHARS = 200  # ours: no stream name is longer, and what is acknowledged must be remembered


class Subscribe(NamedTuple):
    """Start delivering these names."""

    names: list[str]
    id: bytes | None


class Unsubscribe(NamedTuple):
    """Stop delivering these names."""

    names: list[str]
    id: bytes | None


class ListSubscriptions(NamedTuple):
    """Tell which names were asked for."""

    id: bytes | None


class SetCombined(NamedTuple):
    """Switch the framing of everything."""

    combined: bool
    id: bytes | None


class GetCombined(NamedTuple):
    """Tell the framing."""

    id: bytes | None


Command = Subscribe | Unsubscribe | ListSubscriptions | SetCombined | GetCombined


class Rejected(Unusable):
    """A control message that Binance answers with an error."""

    def __init__(self, code: int, message: str, request_id: bytes | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.request_id = request_id


def result(value: object, request_id: bytes | None) -> bytes:
    """A success."""
    return encode({"result": value, **_id(request_id)})


def failure(code: int, message: str, request_id: bytes | None = None) -> bytes:
    """An error in the nested form, the one seen on the wire."""
    return encode({"error": {"code": code, "msg": message}, **_id(request_id)})


def _id(request_id: bytes | None) -> dict[str, msgspec.Raw]:
    return {} if request_id is None else {"id": msgspec.Raw(request_id)}


class _Request(msgspec.Struct):
    method: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    params: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_decoder = msgspec.json.Decoder(_Request)
_params_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def command_of(text: str) -> Command:
    """Read one control message.  Raises Rejected."""
    try:
        request = read(text, _decoder)
    except NotJson as error:
        # The position is always this one: Binance's is that of its own parser, and clients compare the whole text.
        raise Rejected(INVALID_JSON, "Invalid JSON: expected value at line 1 column 1") from error
    except NotAnObject as error:
        raise Rejected(INVALID_REQUEST, "Invalid request: expected an object") from error
    try:
        request_id = id_of(request.id)
    except BadId as error:
        raise Rejected(INVALID_REQUEST, "Invalid request: request ID must be an unsigned integer") from error
    try:
        return _command(text, request, request_id)
    except Rejected as rejected:
        rejected.request_id = request_id
        raise


def _command(text: str, request: _Request, request_id: bytes | None) -> Command:
    method = _method(text, request.method)
    if method == "LIST_SUBSCRIPTIONS":
        return ListSubscriptions(request_id)
    params = _params(text, request.params)
    match method:
        case "SUBSCRIBE":
            return Subscribe(_names(params), request_id)
        case "UNSUBSCRIBE":
            return Unsubscribe(_names(params), request_id)
        case "SET_PROPERTY":
            _require_combined(params, count=2)
            return SetCombined(_boolean(params), request_id)
        case _:
            _require_combined(params, count=1)
            return GetCombined(request_id)


def _method(text: str, raw: msgspec.Raw | msgspec.UnsetType) -> str:
    if raw is msgspec.UNSET:
        raise Rejected(INVALID_REQUEST, f"Invalid request: missing field `method` {_position(text, len(text))}")
    spelled = bytes(raw).decode()
    end = _position(text, text.find(spelled) + len(spelled))
    method = _string(raw)
    if method is None:
        raise Rejected(INVALID_REQUEST, f"Invalid request: invalid type: `method` must be a string {end}")
    if method not in METHODS:
        known = ", ".join(f"`{name}`" for name in METHODS)
        raise Rejected(
            INVALID_REQUEST, f"Invalid request: unknown variant `{method[:NAME_CHARS]}`, expected one of {known} {end}"
        )
    return method


def _params(text: str, raw: msgspec.Raw | msgspec.UnsetType) -> list[msgspec.Raw]:
    if raw is msgspec.UNSET:
        raise Rejected(INVALID_REQUEST, f"Invalid request: missing field `params` {_position(text, len(text))}")
    try:
        return _params_decoder.decode(raw)
    except UNREADABLE as error:
        raise Rejected(INVALID_REQUEST, "Invalid request: `params` must be an array") from error


def _names(params: list[msgspec.Raw]) -> list[str]:
    names = []
    for raw in params:
        name = _string(raw)
        if name is None or not 0 < len(name) <= NAME_CHARS:
            raise Rejected(INVALID_REQUEST, "Invalid request: invalid stream")
        names.append(name)
    return names


def _require_combined(params: list[msgspec.Raw], *, count: int) -> None:
    if len(params) > count:
        raise Rejected(INVALID_REQUEST, "Invalid request: too many parameters")
    name = _string(params[0]) if params else None
    if name is None:
        raise Rejected(INVALID_REQUEST, "Invalid request: property name must be a string")
    if name != "combined":
        raise Rejected(UNKNOWN_PROPERTY, "Unknown property")


def _boolean(params: list[msgspec.Raw]) -> bool:
    spelled = bytes(params[1]) if len(params) == 2 else b""
    if spelled not in (b"true", b"false"):
        raise Rejected(INVALID_VALUE, "Invalid value type: expected Boolean")
    return spelled == b"true"


def _string(raw: msgspec.Raw) -> str | None:
    try:
        return msgspec.json.decode(raw, type=str)
    except UNREADABLE:
        return None


def _position(text: str, end: int) -> str:
    """Where a value ends, as Binance's parser counts."""
    before = text[:end]
    return f"at line {before.count(chr(10)) + 1} column {end - (before.rfind(chr(10)) + 1)}"
