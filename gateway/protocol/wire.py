"""JSON as clients write it: reading requests without trusting them, and echoing ids byte for byte."""

import re
from typing import TypeVar

import msgspec

from fsnats.errors import UNREADABLE, Unusable

encode = msgspec.json.Encoder().encode

_INTEGER = re.compile(rb"-?(0|[1-9][0-9]{0,19})")
_INTEGERS = range(-(2**63), 2**64)  # spot documents signed 64-bit ids, futures unsigned ones


_Request = TypeVar("_Request")


class NotJson(Unusable):
    """The text is not JSON."""


class NotAnObject(Unusable):
    """The text is JSON, but not an object."""


class BadId(Unusable):
    """A request's id is neither an integer of 64 bits, a string nor null."""


def read(text: str, decoder: "msgspec.json.Decoder[_Request]") -> _Request:
    """Decode one request into a struct whose fields are all Raw, so that wrong types are found field by field."""
    content = text.encode(errors="replace")
    try:
        return decoder.decode(content)
    except msgspec.ValidationError as error:
        _require_json(content)
        raise NotAnObject("not an object") from error
    except UNREADABLE as error:
        raise NotJson("not JSON") from error


def _require_json(content: bytes) -> None:
    """Validation stops at the first wrong type: the rest may still be garbage."""
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
    except UNREADABLE as error:
        raise NotJson("not JSON") from error


def id_of(raw: msgspec.Raw | msgspec.UnsetType) -> bytes | None:
    """A request's id as the client spelled it, or None where it gave none.  Raises BadId."""
    if raw is msgspec.UNSET:
        return None
    spelled = bytes(raw)
    if spelled[:1] == b'"' or spelled == b"null":
        return spelled
    if _INTEGER.fullmatch(spelled) and int(spelled) in _INTEGERS:
        return spelled
    raise BadId("neither an integer, a string nor null")
