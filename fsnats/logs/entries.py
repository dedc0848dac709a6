"""One event of the log: as a value, as a JSON line for machines, as text for people.  Pure.

An entry's keys are in the order of the line: `time`, `level`, `program`, `logger`, `event`, `message`, then what the
caller passed as `extra`, then `exception`.  Whatever it was made of, an entry is one line of at most LINE_MOST bytes,
and nothing in it moves a terminal's cursor or begins another line.
"""

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec

from fsnats.errors import UNREADABLE

Entry = dict[str, object]

LEVELS = ("debug", "info", "warning", "error", "critical")
LINE_MOST = 16 * 1024  # bytes of one line, its end included; a supervisor cuts longer ones
HEAD = ("time", "level", "program", "logger", "event", "message")
RESERVED = frozenset({*HEAD, "exception", "more", "within", "cut"}) - {"event"}  # no caller may name these
OUTPUT = "output.line"  # the event of a line that a program wrote without logging it
LIBRARY = "library."  # precedes the logger's name where a library logs

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_ITEMS_MOST = 100  # of a list or an object in a field
_DEPTH_MOST = 4
_LOOKED_AT = 32 * 1024  # characters of a text that are looked at for secrets; far fewer are shown
_MESSAGE, _VALUE, _EXCEPTION = 2000, 1000, 6000  # characters of what is longer than a line may be
# What JSON lets stand as it is and terminals, editors or `str.splitlines` act upon.
_UNSEEN = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def fields(record: logging.LogRecord) -> dict[str, object]:
    """What the caller passed as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def described(record: logging.LogRecord, program: str) -> Entry:
    """A record as an entry."""
    extra = fields(record)
    try:
        message = record.getMessage()
    except Exception as error:  # noqa: BLE001  # arguments that do not fit, or cannot be printed: still an event
        message = f"{record.msg} ({error})"
    entry: Entry = {
        "time": stamp(record.created),
        "level": record.levelname.lower(),
        "program": program,
        "logger": record.name,
        "event": str(extra.pop("event", LIBRARY + record.name)),
        "message": message[:_LOOKED_AT],
    }
    entry |= {name: plain(value) for name, value in extra.items() if name not in RESERVED}
    if record.exc_info:
        entry["exception"] = _formatter.formatException(record.exc_info)[-_LOOKED_AT:]
    return entry


def output(program: str, line: str, now: datetime) -> Entry:
    """A line that a program wrote, and that is none of ours, as an entry."""
    head = {"time": now.astimezone(UTC).isoformat(timespec="milliseconds"), "level": "info", "program": program}
    return {**head, "event": OUTPUT, "message": line}


def stamp(seconds: float) -> str:
    """A moment (seconds since 1970) as entries have it: as texts these are in the order of time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def plain(value: object, depth: int = 0) -> object:
    """Any value as what JSON has, of bounded depth and width."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, Enum):
        return plain(value.value, depth)
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else str(value)
    if isinstance(value, str):
        return str(value[:_LOOKED_AT])
    if isinstance(value, bytes):
        return value[:_LOOKED_AT].decode(errors="replace")
    if depth < _DEPTH_MOST:
        if isinstance(value, Mapping):
            return {str(key): plain(each, depth + 1) for key, each in list(value.items())[:_ITEMS_MOST]}
        if isinstance(value, list | tuple | set | frozenset):
            return [plain(each, depth + 1) for each in list(value)[:_ITEMS_MOST]]
        if isinstance(value, msgspec.Struct):
            return plain(msgspec.structs.asdict(value), depth + 1)
    try:
        return str(value)[:_LOOKED_AT]
    except Exception:  # noqa: BLE001  # a broken __str__ must not cost the event
        return f"<{type(value).__name__}>"


def encoded(entry: Entry) -> str:
    """An entry as its line of JSON, without the end of the line."""
    line = _json(entry)
    share = 1
    while len(line.encode()) >= LINE_MOST:
        # Characters take up to six bytes each: what is cut once may have to be cut again.
        entry = _shortened(entry, share)
        line = _json(entry)
        share *= 4
    return line


def decoded(line: str) -> Entry | None:
    """The entry that a line holds; None for any other line."""
    if not line.startswith("{"):
        return None
    try:
        entry = _decode(line)
    except (UnicodeEncodeError, *UNREADABLE):
        return None
    if not {"time", "level", "message"} <= entry.keys():
        return None
    try:
        datetime.fromisoformat(str(entry["time"]))
    except ValueError:
        return None
    return entry


def text(entry: Entry, form: str = "%H:%M:%S") -> str:
    """`12:00:01 warning  message  key=value …`, and below it, set in, the exception's lines; local time."""
    clock = datetime.fromisoformat(str(entry["time"])).astimezone().strftime(form)
    shown = "".join(
        f"  {printable(name)}={printable(_shown(value))}"
        for name, value in entry.items()
        if name not in HEAD and name not in ("exception", "pid")
    )
    line = f"{clock} {printable(str(entry['level'])):<8} {printable(str(entry['message']))}{shown}"
    below = str(entry["exception"]).split("\n") if "exception" in entry else []
    return "\n".join([line, *(f"    {printable(each)}" for each in below)])


def printable(text: str) -> str:
    """A text in which what cannot be seen, or would do something to a terminal, is spelled out."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _spelled(each) for each in text)


def _spelled(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _shown(value: object) -> str:
    return _encode(value).decode() if isinstance(value, dict | list) else str(value)


def _json(entry: Entry) -> str:
    try:
        line = _encode(entry).decode()
    except UnicodeEncodeError:  # halves of surrogate pairs, as in file names that are no UTF-8
        line = _encode(_without_surrogates(entry)).decode()
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", line)


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(each) for each in value]
    return value


def _shortened(entry: Entry, share: int) -> Entry:
    """The same event in fewer words; `cut` says so.  The end of an exception is what tells most."""
    short: Entry = {}
    room = LINE_MOST // 2 // share
    for name, value in entry.items():
        if name == "exception":
            value = "…" + str(value)[-_EXCEPTION // share :]
        elif name == "message":
            value = _begin(str(value), _MESSAGE // share)
        elif name in HEAD:
            value = _begin(str(value), 200)
        else:
            # A list that is too long is still worth its beginning, as text.
            value = value if isinstance(value, int | float | None) else _begin(_shown(value), _VALUE // share)
            room -= len(name) + len(str(value))
            if room < 0:
                continue
        short[name] = value
    return short | {"cut": True}


def _begin(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


_formatter = logging.Formatter()
