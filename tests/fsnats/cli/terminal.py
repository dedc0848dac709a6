"""A terminal with a command in it, for what people see and type."""

import asyncio
import contextlib
import fcntl
import os
import re
import struct
import termios
from collections.abc import AsyncIterator, Mapping
from typing import Any

_HOME = "\x1b[H"  # every picture of a live view begins here
_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
CTRL_C = "\x03"


class Terminal:
    """What a process shows, and a keyboard."""

    def __init__(self, process: asyncio.subprocess.Process, master: int, slave: int) -> None:
        self.process = process
        self._master = master
        self._slave = slave
        self.written = ""

    def read(self) -> None:
        """Take what was written."""
        self.written += os.read(self._master, 1 << 16).decode(errors="replace")

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    @property
    def picture(self) -> str:
        """The newest picture with its colours; perhaps not all of it is there yet."""
        return self.written.rpartition(_HOME)[2]

    @property
    def screen(self) -> str:
        """The same without colours."""
        return _CODES.sub("", self.picture)

    @property
    def was_left(self) -> bool:
        """Whether the screen is as it was before."""
        return self.written.endswith("\x1b[?1049l")

    @property
    def modes(self) -> list[Any]:
        """How the terminal is set."""
        return termios.tcgetattr(self._slave)


@contextlib.asynccontextmanager
async def terminal(
    *command: str, env: Mapping[str, str], cwd: str | None = None, rows: int = 60, columns: int = 160
) -> AsyncIterator[Terminal]:
    """Run a command in a terminal of its own, and end it with the block."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def own() -> None:
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)  # so that Ctrl-C is a signal

    # A size in the environment, of whoever runs the tests, would win over the terminal's own.
    own_size = {name: value for name, value in env.items() if name not in ("LINES", "COLUMNS")}
    process = await asyncio.create_subprocess_exec(
        *command,
        env=own_size | {"TERM": "xterm-256color"},
        cwd=cwd,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        preexec_fn=own,
    )
    shown = Terminal(process, master, slave)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, shown.read)
    try:
        yield shown
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        loop.remove_reader(master)
        os.close(master)
        os.close(slave)
