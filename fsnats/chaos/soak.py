"""A long run at a high rate with a random trouble every now and then: the same zeros, and memory that stays flat."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

import msgspec

from fsnats.chaos.judge import Verdict
from fsnats.chaos.memory import EVERY, Memory
from fsnats.chaos.processes import own_memory
from fsnats.chaos.report import AGGREGATES
from fsnats.chaos.runner import troubled
from fsnats.chaos.scenarios import SCENARIOS, Scenario
from fsnats.chaos.stage import Troubled

_LOOK = 2.0  # seconds between two looks into the ledger
_HORIZON = 30_000  # milliseconds after which an event's fate is final, unless it was said that it comes late
_LAST = 60.0  # seconds of calm at the end, at most, for streams to flow again and for what is late to come
_SETTLE = 5.0  # seconds of calm at the end


class Soak(msgspec.Struct):
    """How a soak went."""

    seconds: float = 0.0
    frames: int = 0
    troubles: list[str] = msgspec.field(default_factory=list)
    verdict: Verdict = msgspec.field(default_factory=Verdict)
    aggregates_missing: int = 0
    violations: list[str] = msgspec.field(default_factory=list)
    forgotten: int = 0  # events that the ledger dropped before they were asked for
    shortfall: int = 0  # messages that this machine could not make
    served: int = 0  # bytes that a client of the gateway got
    cut_off: int = 0  # times that the judge was too slow for NATS, and missed what came
    memory: Memory = msgspec.field(default_factory=Memory)

    @property
    def problems(self) -> list[str]:
        """Which promises the numbers break."""
        found = self.verdict.problems
        zeros = {
            AGGREGATES: self.aggregates_missing,
            "events forgotten before they were judged": self.forgotten,
            "times the judge was too slow for NATS: this machine is too busy for a verdict": self.cut_off,
        }
        found += [f"{count} {what}" for what, count in zeros.items() if count]
        if not self.served:
            found.append("nothing came through the gateway")
        return [*found, *dict.fromkeys(self.violations), *self.memory.problems]


async def soak(seconds: float, rate: float, fault_every: float, random: Random, told: Callable[[str], None]) -> Soak:
    """Trouble a fleet under load for so long."""
    result = Soak()
    async with troubled(rate=rate, with_gateway=True) as fleet, asyncio.TaskGroup() as tasks:
        await fleet.flows(60)
        begun = time.monotonic()
        judging = tasks.create_task(_judge(fleet, result))
        troubling = tasks.create_task(_trouble(fleet, fault_every, random, result, told))
        looking = tasks.create_task(_look(fleet, result.memory))
        await asyncio.sleep(seconds / 2)
        told(f"half of {seconds:g} s is over")
        await asyncio.sleep(begun + seconds - time.monotonic())
        troubling.cancel()
        await fleet.flows(_LAST)  # the last trouble may not have healed yet
        await asyncio.sleep(_SETTLE)
        await fleet.completes(_LAST)
        looking.cancel()
        judging.cancel()
        until = int(time.time() * 1000) - 1000  # what comes while the ledger is asked cannot be judged
        await fleet.learn()
        _settle(fleet, result, until)
        result.seconds = round(time.monotonic() - begun, 1)
        result.frames = fleet.reader.frames
        result.served = fleet.client.bytes if fleet.client is not None else 0
        ledger = await fleet.exchange.ledger()
        result.violations = [f"{each['limit']} on {each['market']}: {each['detail']}" for each in ledger["violations"]]
        result.shortfall = ledger["shortfall"]
        result.forgotten = fleet.exchange.forgotten
        result.cut_off = fleet.cut_off
    return result


async def _look(fleet: Troubled, memory: Memory) -> None:
    while True:
        await asyncio.sleep(EVERY)
        memory.look(fleet.fleet.memory() | own_memory("judge"))


async def _judge(fleet: Troubled, result: Soak) -> None:
    while True:
        await asyncio.sleep(_LOOK)
        await fleet.learn()
        _settle(fleet, result, int(time.time() * 1000) - _HORIZON)


def _settle(fleet: Troubled, result: Soak, until: int) -> None:
    """Take what was produced until then into the account, and forget it."""
    for kind, verdict in fleet.settle(until).items():
        result.verdict.add(verdict)
        if kind == "aggTrade":
            result.aggregates_missing += verdict.missing


async def _trouble(fleet: Troubled, every: float, random: Random, result: Soak, told: Callable[[str], None]) -> None:
    candidates: list[Scenario] = [scenario for scenario in SCENARIOS if scenario.soaks]
    while True:
        await asyncio.sleep(every)
        scenario = random.choice(candidates)
        result.troubles.append(scenario.name)
        told(scenario.name)
        with suppress(IndexError):  # no connection is open to be troubled
            await scenario.act(fleet, max(scenario.short, 1.0))
