"""Telling whoever started us how we are, in systemd's protocol (sd_notify).

The supervisor speaks it to its children as well, so a worker reports readiness and life the same way under either.
Where nobody listens (`NOTIFY_SOCKET` unset) nothing happens.
"""

import asyncio
import os
import socket
from collections.abc import Mapping

PROGRAM = "FSNATS_PROGRAM"  # the name that the supervisor knows a child by; it prefixes what the child says


class Notifier:
    """Says READY, WATCHDOG, STATUS and STOPPING to the process that started us."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        path = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self._program = environ.get(PROGRAM)
        usec = environ.get("WATCHDOG_USEC", "")
        # Half of what systemd allows, as its manual advises; under our own supervisor 5 s of its 15.
        self.interval = int(usec) / 2e6 if usec.isdigit() and int(usec) else 5.0

    def say(self, *lines: str) -> None:
        """Send lines such as "READY=1".  A listener that is gone or full is not our problem: life goes on."""
        if not self._address:
            return
        if self._program is not None:
            lines = (f"X_PROGRAM={self._program}", *lines)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as speaker:
                speaker.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            # The listener is gone or its queue is full; it will notice by itself that we are silent.
            pass

    async def beat(self) -> None:
        """Say WATCHDOG=1 for ever: proof that this process's event loop turns."""
        while True:
            self.say("WATCHDOG=1")
            await asyncio.sleep(self.interval)


def from_environment() -> Notifier:
    """The notifier that this process's own environment describes."""
    return Notifier(os.environ)
