"""Everyone's lines on one stream, under their names.

On a terminal each line is preceded by its program's aligned, coloured name, and the JSON lines that our children log
are written out for people.  Otherwise the stream is for machines: JSON lines, which carry their program's name, pass
unchanged, and anything else (nats-server's log, a traceback) is wrapped into one such line.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TextIO

import msgspec

from fsnats.log import Lines

LINE_MOST = 16 * 1024  # bytes of one line; a longer one is written in pieces

_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)  # ANSI foregrounds that can be read on black and on white
_KNOWN = ("time", "level", "program", "logger", "message", "exception")

_decode = msgspec.json.Decoder(dict[str, object]).decode


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
    entry = _entry(line)
    if entry is None:
        return line
    try:
        clock = datetime.fromisoformat(str(entry["time"])).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return line
    extra = "".join(f"  {name}={value}" for name, value in entry.items() if name not in _KNOWN)
    exception = f"\n{entry['exception']}" if "exception" in entry else ""
    return f"{clock} {entry['level']:<8} {entry['message']}{extra}{exception}"


def for_machines(name: str, line: str, now: datetime) -> str:
    """A line of a program as a JSON line."""
    if _entry(line) is not None:
        return line
    wrapped = {"time": now.isoformat(timespec="milliseconds"), "level": "info", "program": name, "message": line}
    return msgspec.json.encode(wrapped).decode()


def _entry(line: str) -> dict[str, object] | None:
    if not line.startswith("{"):
        return None
    try:
        entry = _decode(line)
    except msgspec.DecodeError:
        return None
    return entry if {"time", "level", "message"} <= entry.keys() else None


class Printer:
    """Writes everyone's lines."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str], now: Callable[[], datetime]) -> None:
        self._stream = stream
        self._now = now
        self._for_people = stream.isatty()
        self._coloured = self._for_people and not environ.get("NO_COLOR")  # https://no-color.org
        self._width = 0
        self._colours: dict[str, int] = {}

    def expect(self, name: str) -> None:
        """Make room for a program's name."""
        self._width = max(self._width, len(name))

    def line(self, name: str, line: str) -> None:
        """Write one line of a program."""
        if self._for_people:
            self.expect(name)
            text = "".join(f"{self._tag(name)} {part}\n" for part in for_people(line).splitlines() or [""])
        elif line.strip():
            text = for_machines(name, line, self._now()) + "\n"
        else:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            # The reader is gone (a closed pipe or terminal).  The fleet is worth more than its log.
            pass

    def _tag(self, name: str) -> str:
        tag = f"{name:<{self._width}} |"
        if not self._coloured:
            return tag
        colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
        return f"\x1b[{colour}m{tag}\x1b[0m"

    @contextmanager
    def logging_as(self, name: str) -> Iterator[None]:
        """Write what this process itself logs like everyone else's lines, where those are for people."""
        root = logging.getLogger()
        before = root.handlers[:]
        if self._for_people:
            handler = _ToPrinter(self, name)
            handler.setFormatter(Lines())
            root.handlers[:] = [handler]
        try:
            yield
        finally:
            root.handlers[:] = before


class _ToPrinter(logging.Handler):
    def __init__(self, printer: Printer, name: str) -> None:
        super().__init__()
        self._printer = printer
        self._program = name

    def emit(self, record: logging.LogRecord) -> None:
        for line in self.format(record).splitlines():
            self._printer.line(self._program, line)
