"""Logging: one event a line on standard error; human text on a terminal, JSON lines otherwise."""

import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

import msgspec

LEVELS = ("debug", "info", "warning", "error")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def fields(record: logging.LogRecord) -> dict[str, object]:
    """What the caller passed as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


class Lines(logging.Formatter):
    """`12:00:01 warning  message  key=value …`"""

    def format(self, record: logging.LogRecord) -> str:
        clock = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        extra = "".join(f"  {name}={value}" for name, value in fields(record).items())
        text = f"{clock} {record.levelname.lower():<8} {record.getMessage()}{extra}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class JsonLines(logging.Formatter):
    """`{"time", "level", "program", "logger", "message", …extra}` on one line."""

    def __init__(self, program: str) -> None:
        super().__init__()
        self._program = program

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "program": self._program,
            "logger": record.name,
            "message": record.getMessage(),
            **fields(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def configure(program: str, level: str, *, stream: TextIO | None = None) -> None:
    """Send everything at `level` and above to standard error."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines() if stream.isatty() else JsonLines(program))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # httpx logs each request at info with its whole URL, uvicorn each start and stop.
    for noisy in ("httpx", "httpcore", "uvicorn", "uvicorn.error", "websockets"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
