"""JSON and CSV.  Pure; numbers stay the digits that the exchange sent."""

from collections.abc import Sequence
from operator import attrgetter

import msgspec

from fsnats.formats import Row, Title
from fsnats.formats.columns import columns_of
from fsnats.history import Missing

_encode = msgspec.json.Encoder().encode


class JsonWriter:
    """One object: what the rows are of, the rows in the exchange's own form, and what is missing."""

    def __init__(self, title: Title) -> None:
        self._title = title
        self._begun = False

    def begin(self, missing: Sequence[Missing]) -> bytes:
        head = _encode(self._title)[:-1]
        return head + (b',"klines":[' if self._title.interval else b',"trades":[')

    def add(self, rows: Sequence[Row]) -> bytes:
        if not rows:
            return b""
        text = _encode(rows)[1:-1]
        text = b"," + text if self._begun else text
        self._begun = True
        return text

    def end(self, missing: Sequence[Missing], error: str = "") -> bytes:
        told: dict[str, object] = {"complete": not missing and not error, "missing": [_told(one) for one in missing]}
        if error:
            told["error"] = error
        return b"]," + _encode(told)[1:]


class CsvWriter:
    """A line of names, then a line for each row.  It has no place for what is missing."""

    def __init__(self, title: Title) -> None:
        columns = columns_of(title.interval)
        self._head = ",".join(column.name for column in columns) + "\r\n"
        fields = attrgetter(*(column.field for column in columns))
        line = ",".join(["%s"] * len(columns)) + "\r\n"
        if title.interval:
            self._line = lambda row: line % fields(row)
        else:
            self._line = lambda row: line % (*fields(row)[:-1], "true" if row.m else "false")

    def begin(self, missing: Sequence[Missing]) -> bytes:
        return self._head.encode()

    def add(self, rows: Sequence[Row]) -> bytes:
        return "".join(map(self._line, rows)).encode()

    def end(self, missing: Sequence[Missing], error: str = "") -> bytes:
        return b""


def _told(one: Missing) -> dict[str, object]:
    return {"from": one.first, "to": one.last, "unit": one.unit}
