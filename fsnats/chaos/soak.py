"""A long run at a high rate with a random trouble every now and then: the same zeros, and memory that stays flat."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

import msgspec

from fsnats.chaos.judge import Verdict
from fsnats.chaos.processes import own_memory
from fsnats.chaos.runner import troubled
from fsnats.chaos.scenarios import SCENARIOS, Scenario
from fsnats.chaos.stage import Troubled

_LOOK = 2.0  # seconds between two looks into the ledger
_HORIZON = 30_000  # milliseconds after which an event's fate is final, unless it was said that it comes late
_LAST = 60.0  # seconds of calm at the end, at most, for streams to flow again and for what is late to come
_SETTLE = 5.0  # seconds before the first trouble, and of calm at the end


class Soak(msgspec.Struct):
    """How a soak went.  Memory is in bytes by program, at start, middle and end."""

    seconds: float = 0.0
    frames: int = 0
    troubles: list[str] = msgspec.field(default_factory=list)
    verdict: Verdict = msgspec.field(default_factory=Verdict)
    aggregates_missing: int = 0
    violations: list[str] = msgspec.field(default_factory=list)
    forgotten: int = 0  # events that the ledger dropped before they were asked for
    shortfall: int = 0  # messages that this machine could not make
    memory: list[dict[str, int]] = msgspec.field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """Which promises the numbers break."""
        verdict = self.verdict
        zeros = {
            "missing without a gap notice": verdict.unnoticed,
            "duplicated": verdict.duplicated,
            "delivered but never produced": verdict.foreign,
            "delivered with other contents": verdict.altered,
            "out of order without a mark": verdict.disordered,
            "aggregate trades missing that REST has": self.aggregates_missing,
            "events forgotten before they were judged": self.forgotten,
        }
        return [f"{count} {what}" for what, count in zeros.items() if count] + list(dict.fromkeys(self.violations))


async def soak(seconds: float, rate: float, fault_every: float, random: Random, told: Callable[[str], None]) -> Soak:
    """Trouble a fleet under load for so long."""
    result = Soak()
    async with troubled(rate=rate) as fleet, asyncio.TaskGroup() as tasks:
        await fleet.flows(60)
        begun = time.monotonic()
        judging = tasks.create_task(_judge(fleet, result))
        troubling = tasks.create_task(_trouble(fleet, fault_every, random, result, told))
        for part in range(3):
            # The first look is not at the very start: what a fleet needs under this load shows within seconds.
            await asyncio.sleep(max(0.0, begun + (_SETTLE, seconds / 2, seconds)[part] - time.monotonic()))
            result.memory.append(fleet.fleet.memory() | {"judge": own_memory()})
            if part == 1:
                told(f"half of {seconds:g} s is over")
        troubling.cancel()
        await fleet.flows(_LAST)  # the last trouble may not have healed yet
        await asyncio.sleep(_SETTLE)
        await fleet.completes(_LAST)
        judging.cancel()
        until = int(time.time() * 1000) - 1000  # what comes while the ledger is asked cannot be judged
        await fleet.learn()
        _settle(fleet, result, until)
        result.seconds = round(time.monotonic() - begun, 1)
        result.frames = fleet.reader.frames
        ledger = await fleet.exchange.ledger()
        result.violations = [f"{each['limit']} on {each['market']}: {each['detail']}" for each in ledger["violations"]]
        result.shortfall = ledger["shortfall"]
        result.forgotten = fleet.exchange.forgotten
    return result


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
