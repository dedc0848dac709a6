"""Requests that the exchange counts one by one besides their weight: so many in five minutes."""

from fsnats.binance.limits import REQUESTS_PER_FIVE_MINUTES
from fsnats.binance.streams import Market
from fsnats.binance.weights import counted_apart
from fsnats.clock import Clock
from fsnats.exits.budget import Budget

PART = 0.75  # of what one address may: nobody else counts these, and one exit may get all of them
_SPAN = 300.0  # seconds


class Counted:
    """Counts what this process asks."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._budgets: dict[tuple[Market, str], Budget] = {}

    def wait(self, market: Market, method: str) -> float:
        """In how many seconds a request may be made; nothing is counted."""
        budget = self._budget(market, method)
        return budget.wait(1, self._clock.monotonic()) if budget is not None else 0.0

    def spend(self, market: Market, method: str) -> None:
        """Count a request as made."""
        budget = self._budget(market, method)
        if budget is not None:
            budget.spend(1, self._clock.monotonic())

    def _budget(self, market: Market, method: str) -> Budget | None:
        name = counted_apart(market, method)
        if not name:
            return None
        if (market, name) not in self._budgets:
            self._budgets[market, name] = Budget(int(REQUESTS_PER_FIVE_MINUTES[name] * PART), _SPAN)
        return self._budgets[market, name]
