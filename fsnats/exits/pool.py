"""Which exit, and when: budgets and health of every exit, for every program that asks.  Pure: time is an argument."""

import re
import zlib
from collections.abc import Iterator

import msgspec

from fsnats.binance.limits import WEIGHT_PER_MINUTE
from fsnats.binance.streams import Market
from fsnats.exits.areas import needed, ruled_out
from fsnats.exits.budget import Budget, DialBudget
from fsnats.exits.health import Health
from fsnats.exits.messages import Grant, Report, Request
from fsnats.exits.verdicts import REACTIONS

SPAN = 60.0  # seconds over which weight is counted
_EXITS_MOST = 100  # a machine has a handful; the rest would be a program that makes names up
_AREAS_MOST = 1000
_HEALTHY = 0.5  # a score below it: others first

SPOT, FUTURES = "spot", "futures"
_WEIGHT = {SPOT: WEIGHT_PER_MINUTE[Market.SPOT], FUTURES: WEIGHT_PER_MINUTE[Market.USDM]}


class Trouble(msgspec.Struct, frozen=True):
    """What an exit is not good for, or was not lately.

    Without a `verdict` it may be used, and only its `score` remembers.  `wait` is in seconds from now; `is_probed` says
    that somebody finds out now.
    """

    area: str
    score: float
    verdict: str | None
    reason: str
    wait: float
    is_probed: bool


class Used(msgspec.Struct, frozen=True):
    """How much of the REST weight of a minute is used, of how much we allow ourselves."""

    used: int
    limit: int


class Standing(msgspec.Struct, frozen=True):
    """How an exit is: what is left of this minute's dials and weight, and what is wrong.  Holds no secrets."""

    name: str
    score: float
    dials_free: int
    weight: dict[str, Used]  # by scope
    troubles: list[Trouble]


def scope_of(market: Market) -> str:
    """The limit of weight that a market counts towards."""
    return SPOT if market is Market.SPOT else FUTURES


def preference(program: str) -> int:
    """Where a program begins to look: programs that are numbered differ by their numbers."""
    name, number = re.fullmatch(r"(.*?)(\d*)", program, re.DOTALL).groups()  # type: ignore[union-attr]  # always matches
    return zlib.crc32(name.encode()) + int(number or 0)


class Pool:
    """Holds no clock and no addresses: exits are names here."""

    def __init__(self, dials_share: float, weight_share: float) -> None:
        """Allows these shares of the dials and of the weight that the exchange allows an exit."""
        self._dials_share = dials_share
        self._weight_share = weight_share
        self._dials: dict[str, DialBudget] = {}
        self._budgets: dict[tuple[str, str], Budget] = {}
        self._health: dict[tuple[str, str], Health] = {}

    def allow_dials(self, share: float) -> None:
        """From now on allow this share of the dials."""
        self._dials_share = share
        for dials in self._dials.values():
            dials.resize(share)

    def allow_weight(self, share: float) -> None:
        """From now on allow this share of the weight."""
        self._weight_share = share
        for (_, scope), budget in self._budgets.items():
            budget.limit = int(_WEIGHT[scope] * share)

    def choose(self, request: Request, now: float) -> Grant | None:
        """Book a place by the best exit; None for a request that names too much."""
        names = [name for name in request.exits if self._is_known(name)]
        if not names:
            return None
        waits = {name: max(self._wait(name, request, now), self._full(name, request, now)) for name in names}
        ready = [name for name in names if waits[name] == 0]
        healthy = [name for name in ready if self.score(name, request, now) >= _HEALTHY]
        if healthy:
            chosen = healthy[(preference(request.program) + request.strand) % len(healthy)]
        elif ready:
            chosen = max(ready, key=lambda name: self.score(name, request, now))
        else:
            chosen = min(names, key=waits.__getitem__)
        is_too_far = request.patience is not None and waits[chosen] > request.patience
        if is_too_far or self._wait(chosen, request, now) > 0:
            limited = self._is_only_limited(chosen, request, now)
            return Grant(waits[chosen], reason=self._reason(names, request, now), limited=limited)
        for health in self._known(chosen, request.host, request.scope):
            health.tried(now)
        return Grant(self._book(chosen, request, now), chosen)

    def told(self, report: Report, now: float) -> bool:
        """Take note of what became of a try; returns whether it is news."""
        if not self._is_known(report.exit):
            return False
        if report.used is not None and report.scope in _WEIGHT:
            self._budget(report.exit, report.scope).counted(report.used, now)
        if report.verdict is None:
            known = self._known(report.exit, report.host, report.scope)
            was_out = any(health.verdict is not None for health in known)
            for health in known:
                # A request that was on its way when the exchange said no proves nothing.
                if health.is_probed or health.wait(now) == 0 or health.verdict not in _HEED_ALWAYS:
                    health.worked(now)
            return was_out
        area = ruled_out(report.verdict, report.host, report.scope)
        if (report.exit, area) not in self._health and len(self._health) >= _AREAS_MOST:
            return False
        health = self._health.setdefault((report.exit, area), Health())
        return health.failed(report.verdict, report.reason, now, report.asked)

    def score(self, name: str, request: Request, now: float) -> float:
        """How far to trust an exit with a request, from 0 to 1."""
        known = self._known(name, request.host, request.scope)
        return min((health.score(now) for health in known), default=1.0)

    def standings(self, now: float) -> list[Standing]:
        """Every exit that was ever asked for."""
        return [self._standing(name, now) for name in self._dials]

    def _standing(self, name: str, now: float) -> Standing:
        troubles = list(self._troubles(name, now))
        return Standing(
            name=name,
            score=min((trouble.score for trouble in troubles), default=1.0),
            dials_free=self._dials[name].free(now),
            weight={
                scope: Used(budget.used(now), budget.limit)
                for (exit_name, scope), budget in self._budgets.items()
                if exit_name == name
            },
            troubles=troubles,
        )

    def _troubles(self, name: str, now: float) -> Iterator[Trouble]:
        for (exit_name, area), health in self._health.items():
            if exit_name != name:
                continue
            score, wait = round(health.score(now), 2), round(health.wait(now), 1)
            is_out = health.verdict is not None and (wait > 0 or REACTIONS[health.verdict].probe)
            if is_out:
                yield Trouble(area, score, health.verdict, health.reason, wait, health.is_probed)
            elif score < 1.0:
                yield Trouble(area, score, None, health.reason, 0.0, False)

    def _is_known(self, name: str) -> bool:
        if name not in self._dials:
            if len(self._dials) >= _EXITS_MOST:
                return False
            self._dials[name] = DialBudget(self._dials_share)
        return True

    def _known(self, name: str, host: str, scope: str) -> list[Health]:
        known = (self._health.get((name, area)) for area in needed(host, scope))
        return [health for health in known if health is not None]

    def _wait(self, name: str, request: Request, now: float) -> float:
        known = self._known(name, request.host, request.scope)
        return max((health.wait(now) for health in known), default=0.0)

    def _full(self, name: str, request: Request, now: float) -> float:
        if request.scope:
            budget = self._budget(name, request.scope)
            return budget.wait(request.weight + int(budget.limit * request.leave), now)
        return self._dials[name].delay(now)

    def _budget(self, name: str, scope: str) -> Budget:
        scope = scope if scope in _WEIGHT else FUTURES
        if (name, scope) not in self._budgets:
            self._budgets[name, scope] = Budget(int(_WEIGHT[scope] * self._weight_share), SPAN)
        return self._budgets[name, scope]

    def _book(self, name: str, request: Request, now: float) -> float:
        if not request.scope:
            return self._dials[name].reserve(now)
        budget = self._budget(name, request.scope)
        wait = budget.wait(request.weight, now)
        budget.spend(request.weight, now + wait)
        return wait

    def _is_only_limited(self, name: str, request: Request, now: float) -> bool:
        out = [health.verdict for health in self._known(name, request.host, request.scope) if health.wait(now) > 0]
        return all(verdict in _HEED_ALWAYS for verdict in out)

    def _reason(self, names: list[str], request: Request, now: float) -> str:
        reasons = []
        for name in names:
            known = self._known(name, request.host, request.scope)
            out = max(known, key=lambda one: one.until, default=None)
            reasons.append(f"{name}: {out.reason if out and out.wait(now) > 0 else 'its budget is used up'}")
        return "; ".join(reasons)


_HEED_ALWAYS = tuple(verdict for verdict, reaction in REACTIONS.items() if reaction.asked)
