"""The life of one process: event loop, signals, exit code, and death together with its supervisor."""

import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import random
import re
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator

import uvloop

from fsnats import log
from fsnats.errors import FsnatsError, ReaderGone, exit_status

SUPERVISOR_PID = "FSNATS_SUPERVISOR_PID"  # set by the supervisor for its children

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_STDERR = 2

logger = logging.getLogger(__name__)


class Stopping:
    """Becomes set when this process was asked to stop.  A second signal ends the process at once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._hurry: asyncio.Event | None = None

    def request(self) -> None:
        """Ask for an orderly stop; asking again ends the process at once with the exit status of a kill."""
        if self._hurry is not None and not self._hurry.is_set():
            self._hurry.set()
        elif self._event.is_set():
            os._exit(128 + signal.SIGKILL)
        self._event.set()

    async def linger(self, leaving: Coroutine[None, None, None]) -> None:
        """Stop slowly: wait for `leaving`.  The next signal cuts it short, the one after that ends the process."""
        self._hurry = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            slow, fast = tasks.create_task(leaving), tasks.create_task(self._hurry.wait())
            await asyncio.wait((slow, fast), return_when=asyncio.FIRST_COMPLETED)
            slow.cancel()
            fast.cancel()
        self._hurry = None

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    async def wait(self) -> None:
        """Return when the stop was requested."""
        await self._event.wait()


Main = Callable[[Stopping], Awaitable[None]]


def run(main: Main) -> int:
    """Run `main` on uvloop until it returns, and return the exit status.

    `main` gets the `Stopping` that SIGTERM and SIGINT set.  A ConfigError ends with one sentence and EXIT_CONFIG, which
    supervisors do not restart; an Unavailable with one sentence and EXIT_UNAVAILABLE; anything else is a bug and ends
    with its traceback, logged where something is logged at all.
    """
    die_with_supervisor()
    try:
        return uvloop.run(_run(main))
    except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001  # the outermost place there is
        return _last_words(error)


def _last_words(error: BaseException) -> int:
    """Say what ended the process, one sentence each, and return the exit status; bugs are raised again."""
    leaves = list(_leaves(error))
    expected = [leaf for leaf in leaves if isinstance(leaf, FsnatsError)]
    if len(expected) < len(leaves):
        if not log.is_configured():
            raise error
        logger.critical("a bug ended this program", exc_info=error, extra={"event": "process.failed"})
        return 1
    for leaf in expected:
        if not isinstance(leaf, ReaderGone):
            log.last_words(str(leaf))
            sys.stderr.write(f"fsnats: {log.redacted(str(leaf))}\n")
    return exit_status(expected)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


async def _run(main: Main) -> int:
    stopping = Stopping()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.request)
    await main(stopping)
    return 0


def own_name(program: str) -> str:
    """A name on the bus for one of many that run a program, here or elsewhere.

    Host and number are for people: containers may share a host's name, and count their processes from one.  Two
    gateways of one name would be taken for one, and the end of either for the end of what both want.
    """
    host = re.sub(r"[^\w-]", "-", socket.gethostname().partition(".")[0], flags=re.ASCII)
    return f"{program}-{host}-{os.getpid()}-{random.getrandbits(16):04x}"


def settle() -> None:
    """What there is now stays: the garbage collector, which stops everything while it looks, looks at the rest only.

    A program calls it when it has loaded and built what it needs.
    """
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def reloading(reload: Callable[[], None], stopping: Stopping) -> Iterator[None]:
    """While the block runs, SIGHUP calls `reload`, which must not raise.

    It also comes when the terminal that a program was started in is closed: then it means to stop, as for any program.
    """
    had_terminal = os.isatty(_STDERR)

    def hung_up() -> None:
        if had_terminal and not os.isatty(_STDERR):
            stopping.request()
        else:
            reload()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, hung_up)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def die_with_supervisor() -> None:
    """Have the kernel kill this process when its supervisor dies, however it dies (Linux; elsewhere a no-op).

    Called in the child after exec: a death between fork and this call is seen by comparing the parent's pid.
    """
    expected = os.environ.get(SUPERVISOR_PID)
    if expected is None or sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != int(expected):
        os._exit(128 + signal.SIGKILL)
