"""Keep programs running: start them in stages, restart what ends, replace what is silent or too big, stop in order.

A program's life: starting → ready → (ends) → waiting → starting …, until it is retired or given up.  Each program has
one task that walks this circle; processes, time and the outside are arguments.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import groupby

from fsnats.clock import Clock
from fsnats.supervisor import events
from fsnats.supervisor.child import Child, Spawn
from fsnats.supervisor.kept import Kept, Standing, State
from fsnats.supervisor.lifeline import Word
from fsnats.supervisor.programs import Program, Stage

STAGE_LIMIT = 60.0  # seconds that a stage waits for the readiness of the one before
MEMORY_INTERVAL = 5.0  # seconds between two looks at everyone's size
KILL_LIMIT = 0.5  # seconds for a killed process to be gone; one that hangs in the kernel is left to it
HELD_UP = 1.0  # seconds by which a timer is late when not the child but this process stood still

# Seconds from "please stop" to the kill.  Together with the kills less than what an orderly stop may take.
STOP_SECONDS = 10.0
GRACE = {Stage.GATEWAY: 3.5, Stage.WORKERS: 3.0, Stage.SIMULATOR: 0.5, Stage.NATS: 1.5}


class Supervisor:
    """Keeps a changing set of programs running.  Use as an asynchronous context manager; leaving it stops them all."""

    def __init__(self, spawn: Spawn, clock: Clock, on_event: Callable[[events.Event], None]) -> None:
        """`on_event` hears of everything that happens and must not raise."""
        self._spawn = spawn
        self._clock = clock
        self._emit = on_event
        self._kept: dict[str, Kept] = {}
        self._tasks = asyncio.TaskGroup()
        self._memory_watch: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Supervisor":
        await self._tasks.__aenter__()
        self._memory_watch = self._tasks.create_task(self._watch_memory())
        return self

    async def __aexit__(self, *exc: object) -> None:
        try:
            await self.stop()
        finally:
            if self._memory_watch is not None:
                self._memory_watch.cancel()
            await self._tasks.__aexit__(None, None, None)

    # What the outside asks and tells.

    async def adjust(self, programs: Iterable[Program], limit: float = STAGE_LIMIT) -> None:
        """Make `programs` the set that is kept running.

        Those that are no longer in it, or differ, are stopped.  New ones are started stage by stage: a stage waits
        until the one before is ready, or for `limit` seconds.
        """
        wanted = {program.name: program for program in programs}
        await self._retire([kept for kept in self._kept.values() if wanted.get(kept.program.name) != kept.program])
        new = [program for program in wanted.values() if program.name not in self._kept]
        for _, batch in groupby(sorted(new, key=lambda program: program.stage), lambda program: program.stage):
            begun = [self._begin(program) for program in batch]
            await self._within(limit, _settled(begun))

    async def stop(self) -> None:
        """Stop everything, the last stage first."""
        for stage in sorted(Stage, reverse=True):
            await self._retire([kept for kept in self._kept.values() if kept.program.stage is stage])

    def hang_up(self, stage: Stage) -> None:
        """Have the programs of a stage read their files again.

        One that has not got so far as to listen for this is ended by it, started again, and reads them then.
        """
        for kept in self._kept.values():
            if kept.program.stage is stage and kept.child is not None:
                kept.child.hang_up()

    def replace(self, name: str) -> None:
        """End a program's process in order; as with any that ends, another one is started."""
        kept = self._kept.get(name)
        if kept is not None and kept.child is not None and not (kept.retired or kept.being_replaced):
            self._replace(kept, kept.child)

    def heard(self, word: Word) -> None:
        """A program said something."""
        kept = self._kept.get(word.program)
        # While it is being started there may be no child yet: on a busy machine it can speak before we hold its pid.
        if kept is None or kept.state not in (State.STARTING, State.READY):
            return
        kept.heard_at = now = self._clock.monotonic()
        if word.status is not None:
            kept.said = word.status
        if word.ready and kept.ready_at is None:
            kept.ready_at = now
            kept.state = State.READY
            kept.settled.set()
            self._emit(events.Ready(word.program, now - kept.started, self.ready_count, len(self._kept)))

    @property
    def ready_count(self) -> int:
        """How many programs are ready."""
        return sum(kept.state is State.READY for kept in self._kept.values())

    def standings(self) -> list[Standing]:
        """How everyone is, in starting order."""
        now = self._clock.monotonic()
        return [kept.standing(now) for kept in sorted(self._kept.values(), key=lambda kept: kept.program.stage)]

    @property
    def programs(self) -> list[Program]:
        """Those that have a process now."""
        return [kept.program for kept in self._kept.values() if kept.child is not None]

    def state_of(self, name: str) -> State | None:
        """Where in its life a program is; None for one that is not kept."""
        kept = self._kept.get(name)
        return kept.state if kept else None

    # One program's life.

    def _begin(self, program: Program) -> Kept:
        kept = self._kept[program.name] = Kept(program, self._clock.monotonic())
        kept.task = self._tasks.create_task(self._keep(kept))
        return kept

    async def _keep(self, kept: Kept) -> None:
        try:
            while True:
                kept.begin(self._clock.monotonic())
                status = await self._live(kept)
                if kept.retired:
                    return
                ready_for = self._clock.monotonic() - kept.ready_at if kept.ready_at is not None else 0.0
                delay = kept.restarts.after_exit(status, ready_for)
                if delay is None:
                    kept.state = State.GAVE_UP
                    self._emit(events.GaveUp(kept.program.name, status))
                    return
                kept.state = State.WAITING
                self._emit(events.Restarting(kept.program.name, delay, kept.restarts.count))
                await self._clock.sleep(delay)
        finally:
            if kept.state is not State.GAVE_UP:
                kept.state = State.STOPPED
            kept.settled.set()

    async def _live(self, kept: Kept) -> int:
        """One process from start to end; returns its exit status."""
        name = kept.program.name
        try:
            kept.child = child = await self._spawn(kept.program)
        except OSError as error:
            self._emit(events.Unstartable(name, str(error)))
            return -1
        self._emit(events.Started(name, child.pid))
        if kept.retired:  # while it was being started
            child.kill()
        try:
            async with asyncio.TaskGroup() as tasks:
                guard = tasks.create_task(self._guard(kept, child))
                status = await child.wait()
                guard.cancel()
        except BaseException:
            child.kill()
            raise
        kept.child, kept.last_exit = None, status
        self._emit(events.Exited(name, child.pid, status, kept.retired or kept.being_replaced))
        return status

    async def _guard(self, kept: Kept, child: Child) -> None:
        """Kill a process that gives no sign of life."""
        while True:
            now, deadline = self._clock.monotonic(), kept.deadline()
            if now > deadline + HELD_UP:
                # We were stopped or starved ourselves.  What was said meanwhile may still be unread or even lost.
                kept.be_patient(now)
            elif now >= deadline:
                since = kept.started if kept.heard_at is None else kept.heard_at
                self._emit(events.Silent(kept.program.name, now - since))
                child.kill()
                return
            else:
                await self._clock.sleep(deadline - now)

    def _replace(self, kept: Kept, child: Child) -> None:
        kept.being_replaced = True
        self._tasks.create_task(self._end(kept.program, child))

    async def _watch_memory(self) -> None:
        while True:
            await self._clock.sleep(MEMORY_INTERVAL)
            for kept in self._kept.values():
                most, child = kept.program.memory_max, kept.child
                if not most or child is None or kept.retired or kept.being_replaced:
                    continue
                rss = child.rss()
                if rss > most:
                    self._emit(events.TooBig(kept.program.name, rss, most))
                    self._replace(kept, child)

    # Stopping.

    async def _retire(self, leaving: list[Kept]) -> None:
        """Stop programs for good, all at once, and forget them."""
        for kept in leaving:
            kept.retired = True
            if kept.state is State.WAITING:
                kept.task.cancel()
        async with asyncio.TaskGroup() as tasks:
            for kept in leaving:
                if kept.child is not None:
                    tasks.create_task(self._end(kept.program, kept.child))
        for kept in leaving:
            if not await self._within(KILL_LIMIT, asyncio.wait([kept.task])):
                kept.task.cancel()  # its process hangs in the kernel and cannot even be killed
            del self._kept[kept.program.name]

    async def _end(self, program: Program, child: Child) -> None:
        child.terminate()
        grace = GRACE[program.stage] + program.grace
        if not await self._within(grace, child.wait()):
            self._emit(events.Stuck(program.name, grace))
            child.kill()
            await self._within(KILL_LIMIT, child.wait())

    async def _within(self, seconds: float, awaitable: Awaitable[object]) -> bool:
        """Wait for something, but not longer than `seconds`; says whether it came."""
        async with asyncio.TaskGroup() as tasks:
            wanted = tasks.create_task(_forget(awaitable))
            limit = tasks.create_task(self._clock.sleep(seconds))
            await asyncio.wait((wanted, limit), return_when=asyncio.FIRST_COMPLETED)
            came = wanted.done()
            wanted.cancel()
            limit.cancel()
        return came


async def _forget(awaitable: Awaitable[object]) -> None:
    await awaitable


async def _settled(batch: list[Kept]) -> None:
    for kept in batch:
        await kept.settled.wait()
