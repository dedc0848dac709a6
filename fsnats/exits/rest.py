"""REST by whichever exit is best, and by the next one when that fails."""

import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType

from fsnats.binance.rest import Answer, BadRequest, Rest
from fsnats.binance.streams import Market
from fsnats.binance.weights import weight_of
from fsnats.config import Config
from fsnats.errors import ExchangeUnavailable
from fsnats.exits.address import Exit
from fsnats.exits.client import Exits
from fsnats.exits.pool import scope_of
from fsnats.exits.verdicts import verdict_on

_PATIENCE = 5.0  # seconds that a request waits for an exit


class PooledRest:
    """One market's REST, as `Rest` is, over a pool of exits.  Use as an asynchronous context manager."""

    def __init__(self, market: Market, config: Config, exits: Exits, patience: float = _PATIENCE) -> None:
        self.market = market
        self._url = config.rest_url(market)
        self._way = exits.to(self._url, scope_of(market))
        self._tls: ssl.SSLContext = exits.tls
        self._patience = patience
        self._rests: dict[Exit, Rest] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "PooledRest":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def exits(self) -> int:
        """By how many exits it may ask, each with a limit of its own."""
        return len(self._way.exits)

    async def get(
        self, method: str, parameters: Mapping[str, str | int] | None = None, *, leave: float = 0.0
    ) -> Answer:
        """GET one method, if the part `leave` of the weight is left to others.

        Raises BadRequest, or ExchangeUnavailable with the stage that failed on the last exit.
        """
        weight = weight_of(self.market, method, parameters or {})
        failure: ExchangeUnavailable | None = None
        for _ in self._way.exits:
            try:
                by = await self._way.allotted(weight, self._patience if failure is None else 0.0, leave)
            except ExchangeUnavailable:
                if failure is None:
                    raise
                break  # what happened says more than that nothing else is left
            try:
                answer = await (await self._rest(by)).get(method, parameters)
            except BadRequest as refusal:
                self._way.worked(by, refusal.used_weight)
                raise
            except ExchangeUnavailable as error:
                self._way.failed(by, error)
                failure = error
                if verdict_on(error) is None:
                    break  # the exchange itself is in trouble: another exit finds it so too
            else:
                self._way.worked(by, answer.used_weight)
                return answer
        assert failure is not None, "there is at least one exit"
        raise failure

    async def _rest(self, by: Exit) -> Rest:
        if by not in self._rests:
            rest = Rest(self.market, self._url, by.url, self._tls)
            self._rests[by] = await self._stack.enter_async_context(rest)
        return self._rests[by]
