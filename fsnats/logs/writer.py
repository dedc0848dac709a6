"""Lines on their way to the disk: taken at once, written by a thread, and given up before they harm anybody.

No line waits for the disk, and the disk is not asked to make sure (fsync): what a kill -9 costs are the lines of the
last milliseconds, and they are on standard error as well.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Protocol

WAITING_MOST = 1024 * 1024  # characters that wait while the disk stands still
_STANDS_STILL = "the disk does not take them as fast as they come"
BATCH = 32 * 1024  # characters that are written at once
AGAIN = 10.0  # seconds until a disk that did not take a line is tried again


class File(Protocol):
    """What is written to."""

    def write(self, day: str, lines: bytes) -> None: ...

    def close(self) -> None: ...


class Trouble(Protocol):
    """Whoever is told that lines get lost (why), and that no more do (how many were)."""

    def __call__(self, reason: str, lost: int) -> None: ...


class Writer:
    """Writes lines to a file; from any thread, in their order.  It runs from its first line until `close`."""

    def __init__(self, file: File, told: Trouble, monotonic: Callable[[], float]) -> None:
        """`told` is called from any thread: once with a reason, and once without when it is over."""
        self._file = file
        self._told = told
        self._monotonic = monotonic
        self._waiting: deque[tuple[str, str]] = deque()  # day and line
        self._characters = 0
        self._lost = 0
        self._trouble = ""
        self._not_before = 0.0
        self._ending = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, day: str, line: str) -> None:
        """Take one line, without its end.  Never waits for the disk."""
        with self._changed:
            if self._ending:
                return
            if self._characters + len(line) > WAITING_MOST:
                self._lost += 1
                stands_still, self._trouble = not self._trouble, self._trouble or _STANDS_STILL
                if stands_still:
                    self._told(_STANDS_STILL, 0)
                return
            self._waiting.append((day, line))
            self._characters += len(line)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self, within: float) -> None:
        """Write what waits, but give the disk no more than so many seconds for it."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(within)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._ending:
                    self._changed.wait()
                lines = list(self._waiting)
                self._waiting.clear()
                self._characters = 0
                ending = self._ending
            if lines:
                self._write(lines)
            if ending:
                self._file.close()
                return

    def _write(self, lines: list[tuple[str, str]]) -> None:
        now = self._monotonic()
        if now < self._not_before and not self._ending:
            self._lose(len(lines))
            return
        left = len(lines)
        try:
            for day, texts in _batches(lines):
                self._file.write(day, "".join(f"{text}\n" for text in texts).encode(errors="backslashreplace"))
                left -= len(texts)
        except OSError as error:
            self._lose(left)
            self._not_before = now + AGAIN
            if not self._trouble:
                self._trouble = _reason(error)
                self._told(self._trouble, 0)
            return
        with self._changed:
            lost, self._lost = self._lost, 0
        if lost or self._trouble:
            self._trouble = ""
            self._told("", lost)

    def _lose(self, count: int) -> None:
        with self._changed:
            self._lost += count


def _batches(lines: list[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Lines of one day each, and few enough that a file does not grow far beyond its bound."""
    for day, some in groupby(lines, lambda line: line[0]):
        batch: list[str] = []
        size = 0
        for _, text in some:
            if size > BATCH:
                yield day, batch
                batch, size = [], 0
            batch.append(text)
            size += len(text)
        yield day, batch


def _reason(error: OSError) -> str:
    where = f": {error.filename}" if error.filename else ""
    return f"{error.strerror or error}{where}"
