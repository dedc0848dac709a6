"""Log files read again: the newest lines from the files' ends, or whatever comes from somewhere on.

Lines stay the bytes that they are.  Nothing is held but a block of each file and what is given back, and files may
grow, begin and go while they are read.
"""

import errno
import heapq
import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from fsnats.errors import UNREADABLE
from fsnats.logs.entries import LEVELS
from fsnats.logs.names import FileName

BLOCK = 32 * 1024  # bytes read at once
_HEAD = re.compile(rb'\{"time":"([^"]{20,40})","level":"([a-z]+)","program":"([^"]*)"')

_decode = msgspec.json.Decoder(msgspec.Raw).decode


class Wanted(NamedTuple):
    """Which lines: of these programs (empty: all), from this level on, after `since` (an entry's time)."""

    programs: Collection[str] = ()
    level: str = "debug"
    since: str = ""


class Line(NamedTuple):
    """One entry's line, without its end."""

    time: str
    level: str
    program: str
    text: bytes


class Found(NamedTuple):
    """What was read: lines, the oldest first.

    `complete` says that there are no older ones that were wanted; `ends` is how far each file was read, `broken` how
    many lines were none, `programs` whose files there are.
    """

    lines: list[Line]
    complete: bool
    ends: dict[FileName, int]
    broken: int
    programs: list[str]


class Logs:
    """The log files in a directory, on days that are wanted."""

    def __init__(
        self,
        directory: Path,
        wanted: Wanted,
        is_day: Callable[[str], bool] = lambda day: True,
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        """`pause` is called after each block that is looked through backwards."""
        self._directory = directory
        self._programs = frozenset(wanted.programs)
        self._levels = frozenset(LEVELS[LEVELS.index(wanted.level) :])
        self._since = wanted.since
        self._is_day = is_day
        self._pause = pause
        self.broken = 0  # lines that are none, of those that were read

    def newest(self, most: int, size: int, scan: int, after: Mapping[FileName, int] | None = None) -> Found:
        """The newest lines: at most so many, of so many bytes, found among so many bytes of the files.

        With `after`, only what was written since a `Found` whose `ends` these are.
        """
        names = self.there()
        starts = dict(after or {})
        gone = any(name not in names for name in starts)
        ends = {name: self._end(name) for name in names}
        budget = _Budget(scan)
        sources = [
            self._backward([(name, starts.get(name, 0), ends[name]) for name in parts], budget)
            for parts in _by_slot(names)
        ]
        lines: list[Line] = []
        complete = not gone
        for line in heapq.merge(*sources, key=lambda line: line.time, reverse=True):
            size -= len(line.text)
            is_over = (len(lines) == most or size < 0) if line.text else budget.left <= 0
            if is_over:
                complete = False
                break
            if line.text:
                lines.append(line)
        lines.reverse()
        lines.sort(key=lambda line: line.time)
        programs = sorted({name.program for name in names})
        return Found(lines, complete, ends, self.broken, programs)

    def since(self, places: dict[FileName, int]) -> Iterator[Line]:
        """Everything behind these places, by time as far as that can be said.

        The places move along with what is read, wanted or not; when all was taken they are where the files end.
        """
        sources = [self._forward(reversed(parts), places) for parts in _by_slot(self.there())]
        return heapq.merge(*sources, key=lambda line: line.time)

    def there(self) -> list[FileName]:
        """The files that there are."""
        try:
            found = os.listdir(self._directory)
        except OSError:
            return []
        return [name for name in map(FileName.read, found) if name is not None and self._is_day(name.day)]

    def _end(self, name: FileName) -> int:
        """Where the last whole line ends."""
        try:
            with _opened(self._directory / str(name)) as file:
                at = file.seek(0, os.SEEK_END)
                while at:
                    begin = max(0, at - BLOCK)
                    file.seek(begin)
                    found = file.read(at - begin).rfind(b"\n")
                    if found >= 0:
                        return begin + found + 1
                    at = begin
        except OSError:
            pass  # removed meanwhile
        return 0

    def _backward(self, parts: list[tuple[FileName, int, int]], budget: "_Budget") -> Iterator[Line]:
        """The lines of one program's files, the newest first, and after each block an empty one with its time.

        By these empty lines all files are looked through at one pace: where little is wanted, one of them would be
        looked through to its beginning before another one had its turn.
        """
        for name, start, end in parts:
            for texts in self._blocks(name, start, end, budget):
                time = ""
                for text in texts:
                    line = self._read(text)
                    if line is None:
                        continue
                    time = line.time
                    if time <= self._since:
                        return
                    if self._is_wanted(line):
                        yield line
                if time:
                    yield Line(time, "", "", b"")

    def _blocks(self, name: FileName, start: int, end: int, budget: "_Budget") -> Iterator[list[bytes]]:
        """The whole lines of a file between two places, block by block, the newest first."""
        try:
            with _opened(self._directory / str(name)) as file:
                rest = b""
                while end > start:
                    begin = max(start, end - BLOCK)
                    file.seek(begin)
                    first, *texts = (file.read(end - begin) + rest).split(b"\n")
                    budget.left -= end - begin
                    end, rest = begin, first
                    yield [text for text in reversed(texts) if text]
                    self._pause()
                if rest:
                    yield [rest]
        except OSError:
            return  # removed meanwhile

    def _forward(self, parts: Iterable[FileName], places: dict[FileName, int]) -> Iterator[Line]:
        """The lines of one program's files, the oldest first."""
        for name in parts:
            try:
                file = _opened(self._directory / str(name))
            except OSError:
                continue  # removed meanwhile
            with file:
                file.seek(places.get(name, 0))
                for text in file:
                    if not text.endswith(b"\n"):
                        break  # it is being written
                    places[name] = places.get(name, 0) + len(text)
                    line = self._read(text[:-1]) if len(text) > 1 else None
                    if line is not None and line.time > self._since and self._is_wanted(line):
                        yield line

    def _read(self, text: bytes) -> Line | None:
        """A line; None for what is none."""
        head = _HEAD.match(text)
        if head is None:
            self.broken += 1
            return None
        time, level, program = head.groups()
        return Line(time.decode(errors="replace"), level.decode(), program.decode(errors="replace"), text)

    def _is_wanted(self, line: Line) -> bool:
        if line.level not in self._levels or (self._programs and line.program not in self._programs):
            return False
        if _is_json(line.text):
            return True
        self.broken += 1
        return False


def _opened(path: Path) -> BinaryIO:
    """A file that is one: no link to another place, and nothing that one would wait for.  Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no regular file")
    return os.fdopen(descriptor, "rb")


class _Budget:
    """How many bytes may still be looked at."""

    def __init__(self, left: int) -> None:
        self.left = left


def _by_slot(names: list[FileName]) -> list[list[FileName]]:
    """Each program's files, the newest first."""
    slots: dict[str, list[FileName]] = {}
    for name in sorted(names, reverse=True):
        slots.setdefault(name.slot, []).append(name)
    return list(slots.values())


def _is_json(text: bytes) -> bool:
    try:
        text.decode()
        _decode(text)
    except UNREADABLE:
        return False
    return True
