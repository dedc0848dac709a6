"""What the supervisor knows of one program: where in its life it is, and when to lose patience with it."""

import asyncio
from enum import StrEnum

import msgspec

from fsnats.supervisor.child import Child
from fsnats.supervisor.programs import Program
from fsnats.supervisor.restarts import Restarts

START_LIMIT = 60.0  # seconds from start to the first sign of life; importing takes one, on a busy machine ten
SILENCE_LIMIT = 15.0  # seconds between two signs of life


class State(StrEnum):
    """Where in its life a program is."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "waiting"  # for its next start
    GAVE_UP = "gave up"
    STOPPED = "stopped"


class Standing(msgspec.Struct, frozen=True):
    """How one program is now, for `fsnats status`.  Ages are in seconds, sizes in bytes, None without a process."""

    name: str
    state: State
    pid: int | None
    restarts: int
    uptime: float | None
    rss: int | None
    last_heartbeat_age: float | None
    said: str
    last_exit: int | None


class Kept:
    """One program that is kept running, and what is known of its current process."""

    def __init__(self, program: Program, now: float) -> None:
        self.program = program
        self.restarts = Restarts()
        self.settled = asyncio.Event()  # ready, given up or stopped: its stage need not wait for it any longer
        self.retired = False
        self.task: asyncio.Task[None]
        self.last_exit: int | None = None
        self.begin(now)

    def begin(self, now: float) -> None:
        """A new life begins."""
        self.state = State.STARTING
        self.child: Child | None = None
        self.started = self.patience = now
        self.ready_at: float | None = None
        self.heard_at: float | None = None
        self.being_replaced = False
        self.said = ""

    def deadline(self) -> float:
        """When to lose patience, unless a sign of life comes."""
        # Being alive without being ready is no fault: a gateway waits for the exchange, however long that takes.
        return self.patience + START_LIMIT if self.heard_at is None else self.heard_at + SILENCE_LIMIT

    def be_patient(self, now: float) -> None:
        """Count anew: nobody listened for a while."""
        self.patience = now
        if self.heard_at is not None:
            self.heard_at = now

    def standing(self, now: float) -> Standing:
        """How it is now."""
        child = self.child
        return Standing(
            name=self.program.name,
            state=self.state,
            pid=child.pid if child else None,
            restarts=self.restarts.count,
            uptime=now - self.started if child else None,
            rss=child.rss() if child else None,
            last_heartbeat_age=now - self.heard_at if child and self.heard_at is not None else None,
            said=self.said,
            last_exit=self.last_exit,
        )
