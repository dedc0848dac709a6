"""Where children say how they are: a datagram socket that speaks systemd's protocol (sd_notify).

Each datagram is a few `NAME=value` lines; our children add `X_PROGRAM=<name>`, see `fsnats.notify`.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import msgspec

_DATAGRAM = 4096  # bytes; a longer one is cut, which costs its last lines
_AT_ONCE = 64  # datagrams read in one turn of the loop: a child that babbles must not starve the rest
_PATH_MOST = 107  # bytes: sockaddr_un's sun_path less its terminating zero, unix(7)
_STATUS_MOST = 200  # characters of STATUS= that are kept


class Word(msgspec.Struct, frozen=True):
    """What one datagram says.  Whatever it says, it is a sign of life."""

    program: str
    ready: bool = False
    status: str | None = None


def parse(datagram: bytes) -> Word | None:
    """Read one datagram; None when it does not say which program it is from.  Unknown lines are passed over."""
    fields: dict[str, str] = {}
    for line in datagram.decode(errors="replace").splitlines():
        name, equals, value = line.partition("=")
        if equals:
            fields[name] = value
    program = fields.get("X_PROGRAM")
    if not program:
        return None
    status = fields.get("STATUS")
    return Word(program, fields.get("READY") == "1", status[:_STATUS_MOST] if status is not None else None)


class Lifeline:
    """The socket.  Use as a context manager in a running loop; `heard` is called for each word."""

    def __init__(self, directory: Path, heard: Callable[[Word], None]) -> None:
        path = directory / "notify.sock"
        self._path = path if len(os.fsencode(path)) <= _PATH_MOST else None
        # A directory with too long a name: an abstract address, which any local user may write to, is the lesser evil.
        self.address = str(path) if self._path else f"@fsnats-{secrets.token_hex(8)}"
        self._heard = heard
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)

    def __enter__(self) -> "Lifeline":
        if self._path is not None:
            self._path.unlink(missing_ok=True)  # left by one that was killed; the state directory is locked for us
        self._socket.bind(str(self._path) if self._path else "\0" + self.address[1:])
        asyncio.get_running_loop().add_reader(self._socket, self._read)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                datagram = self._socket.recv(_DATAGRAM)
            except BlockingIOError:
                return
            word = parse(datagram)
            if word is not None:
                self._heard(word)
