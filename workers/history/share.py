"""A share of the REST weight of each minute, for one purpose: no purpose may take all of it from the others."""

from collections.abc import Iterable, Mapping

from fsnats.binance.limits import WEIGHT_PER_MINUTE
from fsnats.binance.rest import Answer
from fsnats.binance.streams import Market
from fsnats.binance.weights import weight_of
from fsnats.clock import Clock
from fsnats.errors import ExchangeUnavailable
from fsnats.exits.budget import Budget
from fsnats.exits.pool import scope_of
from fsnats.exits.rest import PooledRest

PART = 0.75  # of what all exits together may use
BACKGROUND = 0.5  # the same, for what can wait: a part of that part
LEFT = 0.25  # of what all processes together may use: what can wait leaves it to others, whoever used the rest
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


class Sharing:
    """A market's REST that keeps to a share."""

    def __init__(self, rest: PooledRest, share: Share) -> None:
        self._rest = rest
        self._share = share

    async def get(self, method: str, parameters: Mapping[str, str | int]) -> Answer:
        """As the REST's own; ExchangeUnavailable with the status 429 also where the share is used up."""
        wait = self._share.spend(self._rest.market, weight_of(self._rest.market, method, parameters))
        if wait > 0:
            reason = "the share of weight for long ranges is used up"
            raise ExchangeUnavailable("http", reason, status=429, retry_after=wait)
        return await self._rest.get(method, parameters)
