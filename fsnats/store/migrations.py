"""The tables of the store, in numbered steps that each database remembers to have taken.

`sql/<database>/NNNN_name.sql` is a step.  One that was released is never changed; what follows is a step more.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from sqlite3 import complete_statement
from typing import Literal

import msgspec

from fsnats.errors import ConfigError

SETTING = "FSNATS_STORE_URL"
_FOLDER = Path(__file__).parent / "sql"


class Migration(msgspec.Struct, frozen=True):
    """One step: its number from 1 on, what it is called, and its statements."""

    number: int
    name: str
    statements: tuple[str, ...]


def migrations(database: Literal["sqlite", "postgres"]) -> list[Migration]:
    """All steps that this program knows, in order."""
    found = []
    for path in sorted((_FOLDER / database).glob("*.sql")):
        number, name = re.fullmatch(r"(\d{4})_(\w+)", path.stem).groups()  # type: ignore[union-attr] # our own files
        found.append(Migration(int(number), name, tuple(_statements(path.read_text()))))
    return found


def due(known: Iterable[Migration], applied: Iterable[tuple[int, str]], database: str) -> list[Migration]:
    """The steps that a database has yet to take.  Raises ConfigError for one that took steps we do not know."""
    steps = {migration.number: migration for migration in known}
    taken = dict(applied)
    for number, name in sorted(taken.items()):
        if number not in steps:
            reason = f"{database}: written by a newer fsnats (its tables are at '{number:04}_{name}')"
            raise ConfigError(SETTING, f"{reason}; this one knows them up to {max(steps):04}")
    return [step for number, step in sorted(steps.items()) if number not in taken]


def _statements(script: str) -> Iterable[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if complete_statement(statement):
            yield statement.strip()
            statement = ""
