"""Logging: one event a line on standard error, human text on a terminal and JSON lines otherwise; and into files.

Everything that a process logs goes through one `Funnel`: secrets are taken out, repeats are counted, and what is left
is shown and kept.  What an event is called, and how to log one, is in docs/logs.md.
"""

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TextIO

from fsnats.logs.entries import HEAD, LEVELS, LIBRARY, Entry, described, encoded, stamp, text
from fsnats.logs.outlet import Outlet
from fsnats.logs.redaction import Redactor
from fsnats.logs.repeats import WINDOW, Held, Repeats
from fsnats.logs.writer import Writer

__all__ = [
    "LEVELS",
    "Funnel",
    "configure",
    "is_configured",
    "keep",
    "last_words",
    "on_stream",
    "redacted",
    "shown_by",
    "unread",
]

# What an event is about: it may be told so often of each of these.
SUBJECTS = frozenset(
    {"child", "feed", "market", "stream", "symbol", "series", "client", "exit", "host", "server", "store", "file"}
    | {"subject", "key", "kind", "type", "purpose"}
)
CLOSE_WITHIN = 1.0  # seconds that a process which ends gives the disk

_WORDS = 60  # characters by which two lines of a library are told apart

Show = Callable[[Entry], None]


class Funnel(logging.Handler):
    """The one handler of a process."""

    def __init__(self, program: str, show: Show, redactor: Redactor, repeats: int = 0) -> None:
        """`repeats` of one event and subject are told in a minute, 0 for all."""
        super().__init__()
        self.program = program
        self.show = show
        self.redactor = redactor
        self.writer: Writer | None = None
        self._repeats = Repeats[Entry](repeats) if repeats else None
        self._alarm: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            entry = self.redactor.entry(described(record, self.program))
            if self._is_admitted(entry):
                self._tell(entry)
        except Exception as error:  # noqa: BLE001  # an event that cannot be logged harms nobody who logs
            # Not by way of logging's handleError, which would show the event as it came, secrets and all.
            told = _head(self.program, "error", "log.failed", "an event could not be logged")
            with contextlib.suppress(Exception):
                self.show({**told, "of": record.name, "line": record.lineno, "error": type(error).__name__})

    def keep(self, entry: Entry) -> None:
        """Write an entry to the files only."""
        if self.writer is not None:
            self._put(self.writer, encoded(self.redactor.entry(entry)), entry)

    def file_trouble(self, reason: str, lost: int) -> None:
        """Show that log files are not written (and why), or are again; a `fsnats.logs.writer.Trouble`."""
        level, event, message = "warning", "log.files_failed", "log files cannot be written, going on without them"
        told: Entry = {"error": reason}
        if not reason:
            level, event, message, told = "info", "log.files_back", "log files are written again", {"lost": lost}
        entry = {**_head(self.program, level, event, message), **told}
        if logging.getLogger().isEnabledFor(logging.getLevelName(level.upper())):
            self.show(self.redactor.entry(entry))
        if not reason:
            self.keep(entry)

    def close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        if self._repeats is not None:
            self._tell_held(self._repeats.rest(time.monotonic()))
        if self.writer is not None:
            self.writer.close(CLOSE_WITHIN)
            self.writer = None
        super().close()

    def _is_admitted(self, entry: Entry) -> bool:
        if self._repeats is None:
            return True
        now = time.monotonic()
        self._tell_held(self._repeats.due(now))
        event = str(entry["event"])
        # Libraries give no names to what they log, so that their words have to do.
        what = str(entry["message"])[:_WORDS] if event.startswith(LIBRARY) else ""
        subject = (entry["level"], what, *(str(value) for name, value in entry.items() if name in SUBJECTS))
        if self._repeats.admit(event, subject, entry, now):
            return True
        self._arm()
        return False

    def _arm(self) -> None:
        if self._alarm is None:
            self._alarm = threading.Timer(WINDOW, self.look)
            self._alarm.daemon = True
            self._alarm.start()

    def look(self) -> None:
        """Tell of repeats whose time is over."""
        with self.lock or threading.RLock():
            self._alarm = None
            assert self._repeats is not None
            self._tell_held(self._repeats.due(time.monotonic()))
            if self._repeats.holds:
                self._arm()

    def _tell_held(self, held: list[Held[Entry]]) -> None:
        for sample, count, seconds in held:
            about = {name: value for name, value in sample.items() if name in SUBJECTS or name in HEAD}
            about |= {
                "time": stamp(time.time()),
                "message": f"… and {count} more in {seconds:.0f} s: {sample['message']}",
            }
            self._tell({**about, "more": count, "within": round(seconds, 1)})

    def _tell(self, entry: Entry) -> None:
        self.show(entry)
        if self.writer is not None:
            self._put(self.writer, encoded(entry), entry)

    @staticmethod
    def _put(writer: Writer, line: str, entry: Entry) -> None:
        writer.put(str(entry["time"])[: len("2026-11-20")], line)


def on_stream(stream: TextIO) -> Show:
    """Write entries to a stream: text on a terminal, JSON lines otherwise.  Nothing waits for whoever reads it."""
    form: Callable[[Entry], str] = text if stream.isatty() else encoded
    outlet = Outlet(stream)
    left_out = 0

    def show(entry: Entry) -> None:
        nonlocal left_out
        try:
            if left_out and outlet.put(f"{form(unread(str(entry['program']), left_out))}\n"):
                left_out = 0
            if left_out or not outlet.put(f"{form(entry)}\n"):
                left_out += 1
        except (OSError, ValueError):
            # The reader is gone (a closed pipe, terminal or stream).  The work is worth more than its log.
            pass

    return show


def unread(program: str, lost: int) -> Entry:
    """That so many lines were not shown."""
    message = f"{lost} lines were not shown here: nobody read them"
    return {**_head(program, "warning", "log.unread", message), "lost": lost}


def configure(
    program: str, level: str, *, stream: TextIO | None = None, secrets: Iterable[str] = (), repeats: int = 0
) -> Funnel:
    """Send everything at `level` and above to standard error, without these secrets."""
    funnel = Funnel(program, on_stream(stream or sys.stderr), Redactor(secrets), repeats)
    root = logging.getLogger()
    for old in root.handlers:
        if isinstance(old, Funnel):
            old.close()
    root.handlers[:] = [funnel]
    root.setLevel(level.upper())
    # httpx logs each request at info with its whole URL, uvicorn each start and stop.
    for noisy in ("httpx", "httpcore", "uvicorn", "uvicorn.error", "websockets"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return funnel


def _funnel() -> Funnel | None:
    return next((each for each in logging.getLogger().handlers if isinstance(each, Funnel)), None)


def is_configured() -> bool:
    """Whether this process logs as its settings say."""
    return _funnel() is not None


def redacted(line: str) -> str:
    """A line that somebody else wrote, without secrets."""
    funnel = _funnel()
    return (funnel.redactor if funnel else Redactor()).text(line)


def keep(entry: Entry) -> None:
    """Write an entry to this process' log files, where it has some, and nowhere else."""
    funnel = _funnel()
    if funnel is not None:
        funnel.keep(entry)


def last_words(message: str) -> None:
    """Keep the sentence with which this process ends, which is shown by other means."""
    funnel = _funnel()
    if funnel is not None:
        funnel.keep(_head(funnel.program, "error", "process.ends", message))


def _head(program: str, level: str, event: str, message: str) -> Entry:
    head = {"time": stamp(time.time()), "level": level, "program": program, "logger": __name__}
    return {**head, "event": event, "message": message}


@contextlib.contextmanager
def shown_by(show: Show, program: str) -> Iterator[None]:
    """While the block runs, have what this process logs shown by somebody else."""
    root = logging.getLogger()
    before, funnel = root.handlers[:], _funnel()
    if funnel is None:
        root.handlers[:] = [Funnel(program, show, Redactor())]
    else:
        shown, funnel.show = funnel.show, show
    try:
        yield
    finally:
        root.handlers[:] = before
        if funnel is not None:
            funnel.show = shown
