"""Everyone's lines on one stream, under their names.

On a terminal each line is preceded by its program's aligned, coloured name, and the JSON lines that our children log
are written out for people.  Otherwise the stream is for machines: JSON lines, which carry their program's name, pass
unchanged, and anything else (nats-server's log, a traceback) is wrapped into one such line.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TextIO

from fsnats import colours, log
from fsnats.logs import entries
from fsnats.logs.entries import LINE_MOST
from fsnats.logs.outlet import Outlet

_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)  # ANSI foregrounds that can be read on black and on white


class LineSplitter:
    """Bytes in, lines out: decoded with replacement, of bounded length."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take what was read, and pass on the lines that it completes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._emit(line)
        while len(self._rest) > LINE_MOST:
            self._emit(self._rest[:LINE_MOST])
            self._rest = self._rest[LINE_MOST:]

    def end(self) -> None:
        """Pass on a last line that had no end."""
        if self._rest:
            self._emit(self._rest)
            self._rest = b""

    def _emit(self, line: bytes) -> None:
        line = line.rstrip(b"\r")
        for start in range(0, max(len(line), 1), LINE_MOST):
            self._on_line(line[start : start + LINE_MOST].decode(errors="replace"))


def for_people(line: str) -> str:
    """A JSON line as `fsnats.log` writes them, in the form that it has on a terminal; any other line as it is."""
    entry = entries.decoded(line)
    return entries.printable(line.replace("\t", " ")) if entry is None else entries.text(entry)


def for_machines(name: str, line: str, now: datetime) -> str:
    """A line of a program as a JSON line."""
    return line if entries.decoded(line) is not None else entries.encoded(entries.output(name, line, now))


class Printer:
    """Writes everyone's lines."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str], now: Callable[[], datetime]) -> None:
        self._outlet = Outlet(stream)
        self._left_out = 0  # lines that nobody read in time
        self._now = now
        self._for_people = stream.isatty()
        self._coloured = colours.are_shown(stream, environ)
        self._width = 0
        self._colours: dict[str, int] = {}

    def expect(self, name: str) -> None:
        """Make room for a program's name."""
        self._width = max(self._width, len(name))

    def line(self, name: str, line: str) -> None:
        """Write one line of a program."""
        if entries.decoded(line) is None:
            # What the program did not log itself is in no file of its own, and nobody took secrets out of it.
            line = log.redacted(line)
            if line.strip():
                log.keep(entries.output(name, line, self._now()))
        self._write(name, line)

    def _write(self, name: str, line: str) -> None:
        text = self._shown(name, line)
        try:
            if self._left_out and self._outlet.put(
                self._shown(name, entries.encoded(log.unread(name, self._left_out)))
            ):
                self._left_out = 0
            if text and (self._left_out or not self._outlet.put(text)):
                self._left_out += 1
        except OSError:
            # The reader is gone (a closed pipe or terminal).  The fleet is worth more than its log.
            pass

    def _shown(self, name: str, line: str) -> str:
        if self._for_people:
            self.expect(name)
            return "".join(f"{self._tag(name)} {part}\n" for part in for_people(line).split("\n"))
        return for_machines(name, line, self._now()) + "\n" if line.strip() else ""

    def _tag(self, name: str) -> str:
        tag = f"{name:<{self._width}} |"
        if not self._coloured:
            return tag
        colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
        return f"\x1b[{colour}m{tag}\x1b[0m"

    @contextmanager
    def logging_as(self, name: str) -> Iterator[None]:
        """Write what this process itself logs like everyone else's lines, where those are for people."""
        if not self._for_people:
            yield
            return
        with log.shown_by(lambda entry: self._write(name, entries.encoded(entry)), name):
            yield
