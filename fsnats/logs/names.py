"""How log files are called.  Pure.

`<program>.<day>.jsonl` is a day's first one, `<program>.<day>.<part>.jsonl` the second one and those after it.  Days
are UTC's.  Where several processes of one name write into one directory, the second one's files are those of
`<program>~2`, and so on.
"""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple, Self

DIRECTORY = "logs"  # in the state directory
_FORM = re.compile(r"(?P<slot>[A-Za-z0-9_-]+(?:~\d{1,3})?)\.(?P<day>\d{4}-\d\d-\d\d)(?:\.(?P<part>\d{1,6}))?\.jsonl")
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")


class FileName(NamedTuple):
    """One log file; in the order of day and part."""

    day: str
    part: int
    slot: str

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The name that a text is; None for that of any other file."""
        match = _FORM.fullmatch(text)
        return None if match is None else cls(match["day"], int(match["part"] or 0), match["slot"])

    def __str__(self) -> str:
        return f"{self.slot}.{self.day}{f'.{self.part}' if self.part else ''}.jsonl"

    @property
    def program(self) -> str:
        """Whose lines are in it."""
        return self.slot.partition("~")[0]


def slot(program: str, number: int) -> str:
    """The name that the files of the `number`th process of a program begin with, from 1."""
    fit = _UNFIT.sub("-", program) or "-"
    return fit if number == 1 else f"{fit}~{number}"


def outdated(names: Iterable[FileName], day: str, keep: int) -> list[FileName]:
    """Those of days before the last `keep` ones, `day` being the last."""
    first = (date.fromisoformat(day) - timedelta(days=keep - 1)).isoformat()
    return [name for name in names if name.day < first]


def crowded_out(sizes: Iterable[tuple[FileName, int]], most: int) -> list[FileName]:
    """Which of one program's and day's files, given with their bytes, have to go so that the rest has `most` at most.

    The oldest go first; the newest one stays.
    """
    kept = 0
    gone = []
    for place, (name, size) in enumerate(sorted(sizes, reverse=True)):
        kept += size
        if place and kept > most:
            gone.append(name)
    return gone
