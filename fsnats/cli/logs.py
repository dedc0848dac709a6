"""`fsnats logs`: what the programs of this machine logged, read from their files."""

import os
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from fsnats import colours
from fsnats.cli.settings import configured
from fsnats.moments import HELP, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fsnats.logs.entries import Entry
    from fsnats.logs.names import FileName
    from fsnats.logs.reading import Line, Logs

LINES = 100  # shown where nothing says how many
_LOOK = 0.25  # seconds between two looks for new lines
_COLOURS = {"debug": "bright_black", "warning": "yellow", "error": "red", "critical": "red"}


def logs(
    context: typer.Context,
    programs: Annotated[
        list[str] | None, typer.Option("--program", "-p", metavar="NAME", help="Only of this program; may be repeated.")
    ] = None,
    level: Annotated[str, typer.Option(metavar="LEVEL", help="Only what is at least so important.")] = "debug",
    since: Annotated[str | None, typer.Option(metavar="TIME", help=f"All since then: {HELP}.")] = None,
    count: Annotated[
        int | None, typer.Option("--lines", "-n", min=0, help=f"The newest so many lines ({LINES} without --since).")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    as_json: Annotated[
        bool | None, typer.Option("--json/--pretty", help="Instead of: pretty on a terminal, JSON lines in a pipe.")
    ] = None,
) -> None:
    """Show what the programs of this machine logged.

    Read from the files in the state directory, of all days that are kept.
    """
    from fsnats.errors import ConfigError
    from fsnats.logs.entries import LEVELS, stamp
    from fsnats.logs.reading import Logs, Wanted
    from fsnats.logs.start import directory

    if level not in LEVELS:
        raise typer.BadParameter(f"'{level}' is none of {', '.join(LEVELS)}", param_hint="--level")
    place = directory(configured(context))
    try:
        os.listdir(place)
    except FileNotFoundError:
        if not follow:
            raise ConfigError("FSNATS_STATE_DIR", f"no program keeps log files in {place}") from None
    except OSError as error:
        raise ConfigError("FSNATS_STATE_DIR", f"{place} cannot be read: {error.strerror}") from None
    from_ms = None if since is None else moment(since, time.time_ns() // 1_000_000)
    wanted = Wanted(tuple(programs or ()), level, "" if from_ms is None else stamp(from_ms / 1000))
    pretty = sys.stdout.isatty() if as_json is None else not as_json
    show = _pretty(colours.are_shown(sys.stdout, os.environ)) if pretty else _plain
    found = Logs(place, wanted)
    most = count if count is not None else LINES if from_ms is None else None
    is_known = False
    try:
        for line in _lines(found, most, follow=follow):
            is_known = True
            sys.stdout.write(show(line))
            sys.stdout.flush()
        if not is_known and (strangers := sorted(set(wanted.programs) - {name.program for name in found.there()})):
            typer.echo(
                f"fsnats: no log file here is of {', '.join(strangers)}; there are those of {_named(found)}", err=True
            )
        if found.broken:
            typer.echo(f"fsnats: {found.broken} lines of these files are none", err=True)
    except KeyboardInterrupt:
        return


def _named(found: "Logs") -> str:
    return ", ".join(sorted({name.program for name in found.there()})) or "nobody"


def _lines(found: "Logs", most: int | None, *, follow: bool) -> "Iterator[Line]":
    """The newest `most` lines, or all, and then what comes."""
    ends: dict[FileName, int] = {}
    if most is not None:
        newest = found.newest(most, sys.maxsize, sys.maxsize)
        ends = newest.ends
        yield from newest.lines
    else:
        yield from found.since(ends)
    while follow:
        time.sleep(_LOOK)
        yield from found.since(ends)


def _plain(line: "Line") -> str:
    return f"{line.text.decode()}\n"


def _pretty(coloured: bool) -> "Callable[[Line], str]":
    """Text for people: when, who, what."""
    from fsnats.logs.entries import decoded, printable, text

    def shown(line: "Line") -> str:
        entry: Entry | None = decoded(line.text.decode())
        if entry is None:
            return ""
        program = printable(str(entry.pop("program", "")))
        first, *below = text(entry, "%m-%d %H:%M:%S").split("\n")
        when, rest = first[:14], first[14:]
        if coloured:
            rest = typer.style(rest, fg=_COLOURS.get(line.level))
            program = typer.style(f"{program:<15}", fg="cyan")
        return "".join(f"{each}\n" for each in (f"{when} {program:<15}{rest}", *below))

    return shown
