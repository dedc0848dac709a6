"""One operating system process: start, stop, size, output.  When and why is the supervisor's business."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Protocol

from fsnats.supervisor.output import LineSplitter
from fsnats.supervisor.programs import Program

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Child(Protocol):
    """A started process, as the supervisor sees it."""

    @property
    def pid(self) -> int: ...

    def terminate(self) -> None:
        """Ask it to stop."""
        ...

    def hang_up(self) -> None:
        """Ask it to read its files again."""
        ...

    def kill(self) -> None:
        """End it and whatever it started itself, at once."""
        ...

    async def wait(self) -> int:
        """Its exit status, or the negative number of the signal that ended it.  Any number of tasks may wait."""
        ...

    def rss(self) -> int:
        """Its resident size in bytes; 0 when it is gone."""
        ...


Spawn = Callable[[Program], Awaitable[Child]]


class OsProcess(asyncio.SubprocessProtocol):
    """A `Child` of the operating system.  Start one with `start`."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._lines = LineSplitter(on_line)
        self._exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.SubprocessTransport
        self.pid = 0

    def terminate(self) -> None:
        # Only the leader is asked: it knows in which order its own children stop.
        self._signal(os.kill, signal.SIGTERM)

    def hang_up(self) -> None:
        self._signal(os.kill, signal.SIGHUP)

    def kill(self) -> None:
        self._signal(os.killpg, signal.SIGKILL)

    async def wait(self) -> int:
        return await asyncio.shield(self._exited)

    def rss(self) -> int:
        try:
            with open(f"/proc/{self.pid}/statm") as statm:
                return int(statm.read().split()[1]) * _PAGE
        except (OSError, IndexError):
            return 0

    def _signal(self, send: Callable[[int, int], None], number: int) -> None:
        if not self._exited.done():
            with contextlib.suppress(ProcessLookupError):
                send(self.pid, number)

    # asyncio's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's transports are registered, not derived

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._lines.feed(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._lines.end()

    def process_exited(self) -> None:
        # What it started itself is in its group (it leads a session of its own) and must not outlive it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        status = self._transport.get_returncode()
        assert status is not None
        if not self._exited.done():
            self._exited.set_result(status)


async def start(program: Program, on_line: Callable[[str], None]) -> OsProcess:
    """Start a program; `on_line` gets every line that it writes.  Raises OSError when there is no such command."""
    transport, child = await asyncio.get_running_loop().subprocess_exec(
        lambda: OsProcess(on_line),
        *program.argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=program.environ,
        # A session of its own: Ctrl-C in the terminal reaches the supervisor alone, which stops the rest in order.
        start_new_session=True,
    )
    child.pid = transport.get_pid() or 0
    return child
