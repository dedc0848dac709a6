"""A share of the REST weight of each minute, for one purpose: no purpose may take all of it from the others."""

from collections.abc import Iterable

from fsnats.binance.limits import WEIGHT_PER_MINUTE
from fsnats.binance.streams import Market
from fsnats.clock import Clock
from fsnats.exits.budget import Budget
from fsnats.exits.pool import scope_of
from fsnats.exits.rest import PooledRest

PART = 0.75  # of what all exits together may use
BACKGROUND = 0.5  # the same, for what can wait: a part of that part
_MINUTE = 60.0


class Share:
    """Counts what this process spends for the purpose; the desk counts everything."""

    def __init__(self, rests: Iterable[PooledRest], clock: Clock, part: float = PART) -> None:
        self._clock = clock
        self._budgets = {
            scope_of(rest.market): Budget(int(WEIGHT_PER_MINUTE[rest.market] * part * rest.exits), _MINUTE)
            for rest in rests
        }

    def spend(self, market: Market, weight: int) -> float:
        """Count a request as made, or return in how many seconds it may be."""
        wait = self.wait(market, weight)
        if wait == 0:
            self._budgets[scope_of(market)].spend(weight, self._clock.monotonic())
        return wait

    def wait(self, market: Market, weight: int) -> float:
        """In how many seconds a request may be made; nothing is counted."""
        return self._budgets[scope_of(market)].wait(weight, self._clock.monotonic())
