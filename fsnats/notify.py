"""Telling whoever started us how we are, in systemd's protocol (sd_notify).

The supervisor speaks it to its children as well, so a worker reports readiness and life the same way under either.
Where nobody listens (`NOTIFY_SOCKET` unset) nothing happens.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping

PROGRAM = "FSNATS_PROGRAM"  # the name that the supervisor knows a child by; it prefixes what the child says

_AGAIN = 0.1  # seconds until what found the listener's queue full is said again
_UNSAID_MOST = 8  # lines that wait for it; the oldest go first


class Notifier:
    """Says READY, WATCHDOG, STATUS and STOPPING to the process that started us."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        path = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self._program = environ.get(PROGRAM)
        self._unsaid: tuple[str, ...] = ()
        usec = environ.get("WATCHDOG_USEC", "")
        # Half of what systemd allows, as its manual advises; under our own supervisor 5 s of its 15.
        self.interval = int(usec) / 2e6 if usec.isdigit() and int(usec) else 5.0

    def say(self, *lines: str) -> None:
        """Send lines such as "READY=1".

        A listener that is gone is not our problem: life goes on.  One whose queue is full hears it a moment later.
        """
        if not self._address:
            return
        lines, self._unsaid = (*self._unsaid, *lines), ()
        sent = lines if self._program is None else (f"X_PROGRAM={self._program}", *lines)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as speaker:
                speaker.sendto("\n".join(sent).encode(), self._address)
        except BlockingIOError:
            # Linux queues ten datagrams (net.unix.max_dgram_qlen): a fleet that starts at once fills that easily, and
            # a READY=1 that nobody heard would hold up the rest.
            self._unsaid = tuple(dict.fromkeys(lines))[-_UNSAID_MOST:]
            with contextlib.suppress(RuntimeError):  # no loop runs: it goes out with whatever is said next
                asyncio.get_running_loop().call_later(_AGAIN, self._say_again)
        except OSError:
            pass  # the listener is gone; should it come back, it notices by itself that we were silent

    def stopping(self, within: float) -> None:
        """Say that we stop, and that this may take so many seconds; a service manager that would allow more, does."""
        self.say("STOPPING=1", f"EXTEND_TIMEOUT_USEC={int(within * 1e6)}")

    def _say_again(self) -> None:
        if self._unsaid:
            self.say()

    async def beat(self) -> None:
        """Say WATCHDOG=1 for ever: proof that this process's event loop turns."""
        while True:
            self.say("WATCHDOG=1")
            await asyncio.sleep(self.interval)


def from_environment() -> Notifier:
    """The notifier that this process's own environment describes."""
    return Notifier(os.environ)
