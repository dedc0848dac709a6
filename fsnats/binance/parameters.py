"""The parameters of REST requests, read as the exchange reads them, and its words for what is wrong with them."""

import re

import msgspec

from fsnats.errors import UNREADABLE

_MINUTE = 60_000  # milliseconds

Query = dict[str, str]

# Spot's, in its own words (Java's: `&&[^a-z]` takes small letters out) and in Python's.
SYMBOL_LEGAL = r"^[\w\-._&&[^a-z]]{1,50}$"
SYMBOL = re.compile(r"(?:(?![a-z])[\w\-.]){1,50}")
_SYMBOLS_LEGAL = r'^\[("[\w\-._&&[^a-z]]{1,50}"(,"[\w\-._&&[^a-z]]{1,50}"){0,}){0,1}\]$'
_INTEGER = re.compile(r"[0-9]{1,20}")
_ZONE = re.compile(r"([+-]?)(\d{1,2})(?::(\d{2}))?")


class RestError(Exception):
    """An error with the exchange's own code and text."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.body = msgspec.json.encode({"code": code, "msg": message})


def asked(query: Query, default: int) -> int:
    """The limit a request asks for, for its weight; what is wrong with it is found later."""
    text = query.get("limit", "")
    return int(text) if _INTEGER.fullmatch(text) else default


def needed(query: Query, name: str) -> str:
    """A parameter that must be there."""
    value = query.get(name)
    if value is None:
        raise RestError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    if not value:
        raise RestError(-1105, f"Parameter '{name}' was empty.")
    return value


def illegal(name: str, legal: str) -> RestError:
    """The error for a parameter with characters that it may not have."""
    return RestError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")


def symbols_of(query: Query) -> list[str]:
    """The names in spot's `symbols`, a JSON array."""
    text = query["symbols"]
    try:
        names = msgspec.json.decode(text, type=list[str])
        is_legal = all(SYMBOL.fullmatch(name) for name in names) and msgspec.json.encode(names) == text.encode()
    except (UnicodeError, *UNREADABLE):
        is_legal = False
    if not is_legal:  # also with blanks, as Python's json writes them
        raise illegal("symbols", _SYMBOLS_LEGAL)
    return names


def integer(query: Query, name: str) -> int | None:
    """An unsigned number, or None where it was not sent."""
    text = query.get(name)
    if text is None:
        return None
    if not _INTEGER.fullmatch(text):
        raise illegal(name, "^[0-9]{1,20}$")
    return int(text)


def limit_of(query: Query, default: int, most: int) -> int:
    """The `limit` of a request."""
    limit = integer(query, "limit")
    if limit is None:
        return default
    if not 1 <= limit <= most:
        raise RestError(-1130, "Data sent for parameter 'limit' is not valid.")
    return limit


def shift_of(zone: str) -> int:
    """A `timeZone` such as `8`, `-1:00` or `05:45` in milliseconds."""
    match = _ZONE.fullmatch(zone)
    if match is None:
        raise RestError(-1100, "Illegal characters found in parameter 'timeZone'.")
    minutes = (int(match[2]) * 60 + int(match[3] or 0)) * (-1 if match[1] == "-" else 1)
    if not -12 * 60 <= minutes <= 14 * 60:
        raise RestError(-1130, "Data sent for parameter 'timeZone' is not valid.")
    return minutes * _MINUTE
