"""Scripted histories: processes that do what the test says, in time that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from fsnats.errors import EXIT_CONFIG
from fsnats.supervisor import events
from fsnats.supervisor.kept import SILENCE_LIMIT, START_LIMIT, State
from fsnats.supervisor.lifeline import Word
from fsnats.supervisor.programs import Program, Stage
from fsnats.supervisor.supervisor import GRACE, STAGE_LIMIT, Supervisor
from tests.clock import HandClock, settle

TERM, KILL = -15, -9


class LateClock(HandClock):
    """A clock that can also be late, as after a stop of the whole process."""

    async def oversleep(self, seconds: float) -> None:
        """Let time pass in which nobody is woken who should be, and wake them then."""
        self._now += seconds
        late = [sleeper for sleeper in self._sleepers if sleeper[0] <= self._now]
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._now]
        for _, _, waiter in sorted(late):
            if not waiter.done():
                waiter.set_result(None)
        await settle()


class FakeChild:
    """A process that ends when told, by a signal or by the test."""

    def __init__(self, program: Program, pid: int, journal: list[str]) -> None:
        self.program = program
        self.pid = pid
        self.size = 1000
        self.obeys = True
        self.dies = True
        self._journal = journal
        self._exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def terminate(self) -> None:
        self._journal.append(f"term {self.program.name}")
        if self.obeys:
            self.exit(0)

    def hang_up(self) -> None:
        self._journal.append(f"hup {self.program.name}")

    def kill(self) -> None:
        self._journal.append(f"kill {self.program.name}")
        if self.dies:
            self.exit(KILL)

    async def wait(self) -> int:
        return await asyncio.shield(self._exited)

    def rss(self) -> int:
        return self.size

    def exit(self, status: int) -> None:
        if not self._exited.done():
            self._exited.set_result(status)


class Stagehand:
    """The supervisor under test with everything around it."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.children: list[FakeChild] = []
        self.journal: list[str] = []
        self.events: list[events.Event] = []
        self.broken: set[str] = set()
        self.says_ready: Callable[[str], bool] = lambda name: True
        self.supervisor = Supervisor(self._spawn, clock, self.events.append)

    async def _spawn(self, program: Program) -> FakeChild:
        if program.name in self.broken:
            raise FileNotFoundError(2, "No such file", program.argv[0])
        child = FakeChild(program, 100 + len(self.children), self.journal)
        self.children.append(child)
        self.journal.append(f"start {program.name}")
        if self.says_ready(program.name):
            asyncio.get_running_loop().call_soon(self.supervisor.heard, Word(program.name, ready=True))
        return child

    def of(self, name: str) -> FakeChild:
        """The newest process of a program."""
        return [child for child in self.children if child.program.name == name][-1]

    def state(self, name: str) -> State | None:
        return self.supervisor.state_of(name)

    async def beats(self, seconds: float) -> None:
        """Let time pass in which everybody gives signs of life."""
        for _ in range(int(seconds)):
            await self.clock.advance(1.0)
            for child in self.children:
                self.supervisor.heard(Word(child.program.name))

    def happened(self, kind: type[events.Event]) -> list[events.Event]:
        return [event for event in self.events if isinstance(event, kind)]


@asynccontextmanager
async def stage(clock: HandClock) -> AsyncIterator[Stagehand]:
    """A supervisor that runs, and stops at the end, for which the clock is moved."""
    hand = Stagehand(clock)
    leaving = asyncio.Event()

    async def run() -> None:
        async with hand.supervisor:
            await leaving.wait()

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(run())
        await settle()
        try:
            yield hand
        except BaseException:
            for child in hand.children:  # the test has failed: nobody moves the clock for those that do not obey
                child.exit(KILL)
            raise
        leaving.set()
        while not running.done():
            await clock.advance(0.5)


def program(name: str, stage: Stage = Stage.WORKERS, memory_max: int = 0, argv: str = "x") -> Program:
    return Program(name=name, argv=(argv,), environ={}, stage=stage, memory_max=memory_max)


FLEET = [
    program("gateway", Stage.GATEWAY),
    program("ingest-a"),
    program("ingest-b"),
    program("simulator", Stage.SIMULATOR),
    program("nats", Stage.NATS),
]


async def test_a_hangup_reaches_one_stage(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust(FLEET)
        hand.journal.clear()
        hand.supervisor.hang_up(Stage.WORKERS)

        assert hand.journal == ["hup ingest-a", "hup ingest-b"]


async def test_stages_start_in_order_and_stop_in_the_opposite_one(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust(FLEET)
        started, hand.journal[:] = list(hand.journal), []

    assert started == ["start nats", "start simulator", "start ingest-a", "start ingest-b", "start gateway"]
    assert hand.journal == ["term gateway", "term ingest-a", "term ingest-b", "term simulator", "term nats"]
    assert all(event.expected for event in hand.events if isinstance(event, events.Exited))


async def test_a_stage_waits_for_the_readiness_of_the_one_before(clock: HandClock) -> None:
    async with stage(clock) as hand, asyncio.TaskGroup() as tasks:
        hand.says_ready = lambda name: name != "ingest-b"
        tasks.create_task(hand.supervisor.adjust(FLEET))
        await settle()
        assert hand.journal[-1] == "start ingest-b"

        hand.supervisor.heard(Word("ingest-b", ready=True))
        await settle()
        assert hand.journal[-1] == "start gateway"


async def test_a_stage_does_not_wait_for_ever(clock: HandClock) -> None:
    async with stage(clock) as hand:
        hand.says_ready = lambda name: name != "ingest-b"
        adjusting = asyncio.create_task(
            hand.supervisor.adjust([program("ingest-a"), program("ingest-b"), program("gateway", Stage.GATEWAY)])
        )
        await hand.beats(STAGE_LIMIT - 1)
        assert hand.journal[-1] == "start ingest-b"
        await hand.beats(1)
        assert hand.journal[-1] == "start gateway"
        assert adjusting.done()


async def test_progress_is_told(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust([program("ingest-a"), program("ingest-b")])

    assert [(e.ready, e.wanted) for e in hand.events if isinstance(e, events.Ready)] == [(1, 2), (2, 2)]


async def test_a_killed_worker_alone_is_started_again(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust(FLEET)
        hand.journal.clear()

        hand.of("ingest-b").exit(KILL)
        await clock.advance(0.19)
        assert hand.journal == []
        assert hand.state("ingest-b") is State.WAITING
        await clock.advance(0.01)
        assert hand.journal == ["start ingest-b"]
        assert hand.state("ingest-b") is State.READY


async def test_a_program_that_always_crashes_is_started_more_and_more_seldom(clock: HandClock) -> None:
    async with stage(clock) as hand:
        hand.says_ready = lambda name: False
        begun = asyncio.create_task(hand.supervisor.adjust([program("ingest-a")]))
        await settle()
        for _ in range(4):
            hand.children[-1].exit(1)
            await settle()
            restarting = hand.events[-1]
            assert isinstance(restarting, events.Restarting)
            await clock.advance(restarting.delay)

        delays = [event.delay for event in hand.events if isinstance(event, events.Restarting)]
        assert delays == [0.2, 0.4, 0.8, 1.6]
        begun.cancel()


async def test_the_delay_starts_over_after_a_healthy_life(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust([program("ingest-a")])
        for _ in range(3):
            hand.children[-1].exit(1)
            await clock.advance(2.0)
        await hand.beats(40)
        hand.children[-1].exit(1)
        await settle()

        assert hand.events[-1] == events.Restarting("ingest-a", 0.2, 4)


async def test_a_wrong_setting_is_not_tried_again_and_holds_nobody_up(clock: HandClock) -> None:
    async with stage(clock) as hand:
        hand.says_ready = lambda name: name != "ingest-a"
        adjusting = asyncio.create_task(hand.supervisor.adjust([program("ingest-a"), FLEET[0]]))
        await settle()
        hand.children[0].exit(EXIT_CONFIG)
        await settle()

        assert adjusting.done()
        assert hand.state("ingest-a") is State.GAVE_UP
        assert events.GaveUp("ingest-a", EXIT_CONFIG) in hand.events
        await hand.beats(300)
        assert hand.journal.count("start ingest-a") == 1


async def test_a_program_that_cannot_be_started_is_tried_again(clock: HandClock) -> None:
    async with stage(clock) as hand:
        hand.broken.add("nats")
        adjusting = asyncio.create_task(hand.supervisor.adjust([program("nats", Stage.NATS)]))
        await settle()
        assert hand.happened(events.Unstartable)
        hand.broken.clear()
        await clock.advance(0.2)

        assert adjusting.done()
        assert hand.state("nats") is State.READY


async def test_a_silent_worker_is_killed_and_started_again(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust([program("ingest-a"), program("ingest-b")])
        for _ in range(3):
            await clock.advance(SILENCE_LIMIT / 3)
            hand.supervisor.heard(Word("ingest-a"))
        assert hand.happened(events.Silent) == [events.Silent("ingest-b", SILENCE_LIMIT)]
        assert "kill ingest-b" in hand.journal
        assert "kill ingest-a" not in hand.journal
        await clock.advance(0.2)
        assert hand.journal[-1] == "start ingest-b"


async def test_a_worker_that_says_nothing_at_all_has_longer(clock: HandClock) -> None:
    async with stage(clock) as hand:
        hand.says_ready = lambda name: False
        adjusting = asyncio.create_task(hand.supervisor.adjust([program("ingest-a")]))
        await clock.advance(START_LIMIT - 0.1)
        assert "kill ingest-a" not in hand.journal
        await clock.advance(0.1)
        assert "kill ingest-a" in hand.journal
        adjusting.cancel()


async def test_a_program_may_be_alive_and_not_ready_for_as_long_as_it_takes(clock: HandClock) -> None:
    async with stage(clock) as hand:
        hand.says_ready = lambda name: False
        adjusting = asyncio.create_task(hand.supervisor.adjust([program("gateway", Stage.GATEWAY)]))
        await hand.beats(300)

        assert hand.journal == ["start gateway"]
        assert adjusting.done()


async def test_nobody_is_blamed_for_what_we_slept_through() -> None:
    clock = LateClock()
    async with stage(clock) as hand:
        await hand.supervisor.adjust([program("ingest-a")])
        # Our own process is stopped for a minute: timers come late, and the words of that time are not read yet.
        await clock.oversleep(60.0)
        assert hand.journal == ["start ingest-a"]

        await clock.advance(SILENCE_LIMIT)
        assert "kill ingest-a" in hand.journal


async def test_a_worker_that_grew_too_big_is_replaced(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust([program("ingest-a", memory_max=1000), program("ingest-b", memory_max=1000)])
        hand.of("ingest-a").size = 1001
        await hand.beats(6)

        assert hand.happened(events.TooBig) == [events.TooBig("ingest-a", 1001, 1000)]
        assert hand.journal[2:] == ["term ingest-a", "start ingest-a"]


async def test_a_program_is_replaced_once_when_somebody_wants_that(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust([program("nats"), program("ingest-a")])
        hand.supervisor.replace("nobody")
        hand.supervisor.replace("nats")
        hand.supervisor.replace("nats")
        await hand.beats(2)

        assert hand.journal[2:] == ["term nats", "start nats"]


async def test_a_big_worker_that_does_not_listen_is_killed(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust([program("ingest-a", memory_max=1000)])
        hand.of("ingest-a").size = 5000
        hand.of("ingest-a").obeys = False
        await hand.beats(9)

        assert hand.journal[1:] == ["term ingest-a", "kill ingest-a", "start ingest-a"]
        assert len(hand.happened(events.TooBig)) == 1


async def test_groups_come_and_go_without_touching_the_others(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust([program("ingest-a"), program("ingest-b")])
        hand.journal.clear()
        await hand.supervisor.adjust([program("ingest-b"), program("ingest-c")])

        assert hand.journal == ["term ingest-a", "start ingest-c"]
        assert [standing.name for standing in hand.supervisor.standings()] == ["ingest-b", "ingest-c"]


async def test_a_program_whose_command_changed_is_replaced(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust([program("gateway", argv="old")])
        await hand.supervisor.adjust([program("gateway", argv="new")])

        assert hand.journal == ["start gateway", "term gateway", "start gateway"]


async def test_a_program_that_waits_for_its_restart_can_be_stopped(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust([program("ingest-a")])
        hand.children[0].exit(1)
        await settle()
        await hand.supervisor.adjust([])
        await hand.beats(100)

        assert hand.journal == ["start ingest-a"]


async def test_a_program_that_may_take_longer_is_waited_for(clock: HandClock) -> None:
    slow = msgspec.structs.replace(program("gateway", Stage.GATEWAY), grace=20.0)
    async with stage(clock) as hand:
        await hand.supervisor.adjust([slow])
        hand.children[0].obeys = False
        leaving = asyncio.create_task(hand.supervisor.stop())
        await hand.beats(23)
        assert not hand.happened(events.Stuck)
        hand.children[0].exit(0)
        await leaving

    assert hand.journal == ["start gateway", "term gateway"]


async def test_who_does_not_stop_is_killed_and_all_within_ten_seconds(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust(FLEET)
        for child in hand.children:
            child.obeys = False
        began = clock.monotonic()

    assert len(hand.happened(events.Stuck)) == len(FLEET)
    assert sum(line.startswith("kill") for line in hand.journal) == len(FLEET)
    assert clock.monotonic() - began <= 10.0
    assert sum(GRACE.values()) <= 9.0


async def test_a_process_that_hangs_in_the_kernel_does_not_hold_up_the_stop(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust([program("ingest-a"), program("nats", Stage.NATS)])
        hand.of("ingest-a").obeys = hand.of("ingest-a").dies = False

    assert "term nats" in hand.journal


async def test_standings_tell_what_status_shows(clock: HandClock) -> None:
    async with stage(clock) as hand:
        await hand.supervisor.adjust([program("ingest-a")])
        hand.children[0].exit(1)
        await clock.advance(0.2)
        hand.supervisor.heard(Word("ingest-a", status="carrying 3 streams"))
        await clock.advance(2.0)
        (standing,) = hand.supervisor.standings()

    assert (standing.state, standing.pid, standing.restarts) == (State.READY, 101, 1)
    assert (standing.uptime, standing.last_heartbeat_age, standing.rss) == (2.0, 2.0, 1000)
    assert (standing.said, standing.last_exit) == ("carrying 3 streams", 1)


async def test_words_of_strangers_are_passed_over(clock: HandClock) -> None:
    async with stage(clock) as hand:
        hand.supervisor.heard(Word("nobody", ready=True))

    assert hand.events == []
