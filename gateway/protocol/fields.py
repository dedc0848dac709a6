"""The fields of a native request, read one by one, so that an error names the one that is wrong."""

from typing import Generic, NamedTuple, TypeVar

import msgspec

from fsnats.errors import UNREADABLE
from gateway.protocol.problems import Problem, bad

Field = msgspec.Raw | msgspec.UnsetType
_UNSET = msgspec.UNSET
_T = TypeVar("_T")


class Kind(NamedTuple, Generic[_T]):
    """What a field must be, for the decoder and for people."""

    decoder: "msgspec.json.Decoder[_T]"
    description: str


TEXT = Kind(msgspec.json.Decoder(str), "a string")
INTEGER = Kind(msgspec.json.Decoder(int), "an integer")
NUMBER = Kind(msgspec.json.Decoder(float), "a number")
TRUTH = Kind(msgspec.json.Decoder(bool), "true or false")
NAMES = Kind(msgspec.json.Decoder(list[str]), "an array of strings")
OBJECT = Kind(msgspec.json.Decoder(dict[str, msgspec.Raw]), "an object")
SWITCH: Kind[str | bool] = Kind(msgspec.json.Decoder(str | bool), "true, false or a string")
OPTION: Kind[str | int] = Kind(msgspec.json.Decoder(str | int), "a string or an integer")


def required(raw: Field, field: str, kind: Kind[_T]) -> _T:
    """A field that must be there.  null is as good as absent."""
    value = optional(raw, field, kind)
    if value is None:
        raise bad(Problem.MISSING_FIELD, f"missing field '{field}', {kind.description}", field)
    return value


def optional(raw: Field, field: str, kind: Kind[_T]) -> _T | None:
    """A field that may be absent or null."""
    if raw is _UNSET or not is_given(raw):
        return None
    try:
        return kind.decoder.decode(raw)
    except UNREADABLE as error:
        raise bad(Problem.INVALID_FIELD, f"'{field}' must be {kind.description}", raw) from error


def is_given(raw: Field) -> bool:
    """Whether a field is there.  null is as good as absent."""
    return raw is not _UNSET and bytes(raw) != b"null"
