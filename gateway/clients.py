"""Everybody who is connected to a gateway: looked after, and sent away when a token ends or the gateway stops."""

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from fsnats.clock import Clock
from gateway import closing
from gateway.admission.door import Guest
from gateway.admission.tokens import Tokens
from gateway.departure import Departure

MOMENT = 2.0  # seconds that a gateway which stops slowly says so at least
_LEAVING_TICK = 0.05  # seconds between two looks at who is to leave
LOOKED_AT = 250  # clients in one turn of the loop: a fraction of a millisecond, and not everybody is pinged at once
_ROUND = 1.0  # seconds in which all are looked at


class Member(Protocol):
    """A client, as far as it is looked after."""

    guest: Guest

    def keep_alive(self, now: float) -> None: ...

    def say_goodbye(self, closes_in: float) -> None: ...

    def close(self, code: int, reason: str) -> None: ...


M = TypeVar("M", bound=Member)


class TokensSource(Protocol):
    """A file of tokens, read again when it changes."""

    tokens: Tokens

    def look(self) -> None: ...


class Clients(Generic[M]):
    """In the order of their coming."""

    def __init__(self, tokens: TokensSource | None) -> None:
        """`tokens` is None where nobody needs one."""
        self._tokens = tokens
        self._applied = tokens.tokens if tokens is not None else None
        self._members: dict[M, None] = {}

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[M]:
        return iter(list(self._members))

    def add(self, client: M) -> None:
        """It is connected now."""
        self._members[client] = None

    def remove(self, client: M) -> None:
        """It is gone."""
        del self._members[client]

    async def look_after(self, flush: Callable[[], None], clock: Clock) -> None:
        """Keep connections alive, and heed changes of the tokens, for ever; `flush` writes what was said."""
        left: list[M] = []  # of a round
        turns = 1
        while True:
            await clock.sleep(_ROUND / turns)
            if not left:
                left = list(self._members)
                turns = -(-len(left) // LOOKED_AT) or 1
            now = clock.monotonic()
            for client in left[:LOOKED_AT]:
                if client in self._members:
                    client.keep_alive(now)
            del left[:LOOKED_AT]
            flush()
            if self._tokens is not None and not left:
                self._tokens.look()
                self._apply(self._tokens.tokens)

    def _apply(self, tokens: Tokens) -> None:
        """Close who may not read any more what its token allowed when it came."""
        if tokens is self._applied:
            return
        self._applied = tokens
        for client in self:
            grant = tokens.grant_of(client.guest.pass_)
            if grant is None:
                client.close(closing.TOKEN_REVOKED.code, closing.TOKEN_REVOKED.reason)
            elif grant != client.guest.pass_.grant:
                client.close(closing.TOKEN_CHANGED.code, closing.TOKEN_CHANGED.reason)

    async def send_away(self, seconds: float, clock: Clock) -> None:
        """Close all who are here, each after a goodbye, spread over so many seconds."""
        clients, began = list(self._members), clock.monotonic()
        departure = Departure(len(clients), seconds)
        told = closed = 0
        while True:
            elapsed = clock.monotonic() - began
            told_now, closed_now = departure.told(elapsed), departure.closed(elapsed)
            for client in clients[told:told_now]:
                client.say_goodbye(departure.lead)
            for client in clients[closed:closed_now]:
                client.close(closing.RESTARTING.code, closing.RESTARTING.reason)
            told, closed = told_now, closed_now
            # Also with nobody here: whoever watches /readyz is given the time to see it.
            if elapsed >= min(seconds, MOMENT) and (closed == len(clients) or not self._members):
                return
            await clock.sleep(_LEAVING_TICK)
