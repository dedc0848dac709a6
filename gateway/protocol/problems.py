"""What can be wrong with a native request: the codes of `error` replies, in one table.

Codes are a public interface: they are added, never renamed.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Self

import msgspec

from fsnats.errors import BadCommand
from gateway.protocol.wire import encode

_QUOTED_CHARS = 80  # of what a client sent; sentences stay sentences
_NAMED_MAX = 10  # offenders spelled out in the sentence; `part` has all


class Problem(StrEnum):
    """A code and what it means."""

    meaning: str

    def __new__(cls, code: str, meaning: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    INVALID_JSON = "INVALID_JSON", "the message is not JSON"
    INVALID_REQUEST = "INVALID_REQUEST", "the message is JSON, but not an object"
    BINARY_NOT_SUPPORTED = "BINARY_NOT_SUPPORTED", "the message is binary; requests are text"
    INVALID_ID = "INVALID_ID", "`id` is neither an integer of 64 bits, a string nor null"
    MISSING_FIELD = "MISSING_FIELD", "a field that this request needs is absent"
    INVALID_FIELD = "INVALID_FIELD", "a field has a value of the wrong type or out of its range"
    UNKNOWN_TYPE = "UNKNOWN_TYPE", "no request has this `type`"
    UNKNOWN_STREAM_TYPE = "UNKNOWN_STREAM_TYPE", "no such `streamType`, or the market does not have it"
    UNKNOWN_STREAM = "UNKNOWN_STREAM", "a name in `rawStreams` is not a stream of the market"
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL", "a symbol is not traded on the market"
    UNKNOWN_INTERVAL = "UNKNOWN_INTERVAL", "the market's candles do not have this interval"
    UNKNOWN_LEVEL = "UNKNOWN_LEVEL", "partial depth does not have this number of levels"
    UNKNOWN_UPDATE_SPEED = "UNKNOWN_UPDATE_SPEED", "the market does not have this stream at this speed"
    UNKNOWN_CONTRACT_TYPE = "UNKNOWN_CONTRACT_TYPE", "continuous contracts do not have this type"
    UNKNOWN_OPTION = "UNKNOWN_OPTION", "`options` has a key that no stream type knows"
    UNSUITABLE_OPTION = "UNSUITABLE_OPTION", "an option does not go with these streams, or with another option"
    NOT_NORMALISED = "NOT_NORMALISED", "a stream has no normalised form, and this connection takes no other"
    UNKNOWN_MARKET = "UNKNOWN_MARKET", "the market does not exist, or this gateway does not carry it"
    TOO_MANY_STREAMS = "TOO_MANY_STREAMS", "one connection would listen to more streams than it may"
    FORBIDDEN = "FORBIDDEN", "the access token does not allow this market or stream type"
    TOO_MANY_REQUESTS = (
        "TOO_MANY_REQUESTS",
        "requests come faster than they may; this one was not carried out",
    )
    NOT_READY = "NOT_READY", "the market's symbols are not known yet; try again in a few seconds"
    BUSY = "BUSY", "too many requests for candles at once; try again soon"
    HISTORY_UNAVAILABLE = "HISTORY_UNAVAILABLE", "candles cannot be fetched now; try again later"


def bad(problem: Problem, message: str, part: object = None) -> BadCommand:
    """The error that ends a request.  `part` is what was wrong, as the client sent it."""
    return BadCommand(str(problem), message, part)


def several(problem: Problem, refused: Mapping[str, str]) -> BadCommand:
    """The error that says why of each of some names."""
    reasons = list(dict.fromkeys(refused.values()))  # one that holds for many of them is said once
    more = f" and {len(reasons) - _NAMED_MAX} more" if len(reasons) > _NAMED_MAX else ""
    return bad(problem, "; ".join(reasons[:_NAMED_MAX]) + more, list(refused))


def unknown(problem: Problem, what: str, value: object, allowed: Iterable[object], where: object = "") -> BadCommand:
    """An unknown value of something that has a list of them, on the market `where` the list is that market's."""
    place = f" on {where}" if where else ""
    names = ", ".join(map(str, allowed))
    return bad(problem, f"unknown {what} '{str(value)[:_QUOTED_CHARS]}'{place}; allowed: {names}", value)


def error_reply(code: str, message: str, part: object = None, **more: object) -> bytes:
    """An `error` message; fields that are None are left out."""
    fields = {"type": "error", "code": code, "message": message, "part": part, **more}
    return encode({name: value for name, value in fields.items() if value is not None})


def with_id(request_id: bytes | None) -> dict[str, msgspec.Raw]:
    """The `id` field of a reply, as the client spelled it; empty where it gave none."""
    return {} if request_id is None else {"id": msgspec.Raw(request_id)}
