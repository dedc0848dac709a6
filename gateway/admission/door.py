"""Who may come in.  Decides on a handshake by what it says, and counts who is inside."""

from collections import Counter
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import NamedTuple, Protocol

from gateway.admission.addresses import Proxies, neighbourhood
from gateway.admission.grants import EVERYTHING
from gateway.admission.tokens import Pass, Tokens
from gateway.protocol.paths import Refusal, query_of


class Rules(NamedTuple):
    """Limits of one process; 0 is none.  `origins` are those of browsers' pages; empty: all."""

    connections: int = 0
    connections_per_address: int = 0
    origins: Collection[str] = ()
    proxies: Proxies = Proxies(())  # it never changes


class Guest(NamedTuple):
    """Somebody who was let in: by which token, and from where, as far as there are limits on that."""

    pass_: Pass
    neighbourhood: str


NOBODY = Guest(Pass(EVERYTHING, b""), "")


class Headers(Protocol):
    """A request's header fields, names in any case."""

    def get_all(self, key: str) -> list[str]: ...


class Door:
    """The gateway's door.  `entered` and `left` are called for everyone that it let in."""

    def __init__(self, rules: Rules, tokens: Callable[[], Tokens | None]) -> None:
        """`tokens` gives those that are valid now, None where nobody needs one."""
        self._rules = rules
        self._origins = {bare(origin) for origin in rules.origins}
        self._tokens = tokens
        self._inside = 0
        self._names: Counter[str] = Counter()
        self._neighbourhoods: Counter[str] = Counter()

    def admit(self, target: str, headers: Headers, peer: str) -> Guest | Refusal:
        """Decide on a handshake: `target` is its path and query, `peer` the address that it comes from."""
        rules = self._rules
        if rules.connections and self._inside >= rules.connections:
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, f"this gateway is full: {rules.connections} connections")
        home = ""
        if rules.connections_per_address:  # to take an address apart costs as much as all the rest here
            home = neighbourhood(rules.proxies.client(peer, headers.get_all("X-Forwarded-For")))
            if self._neighbourhoods[home] >= rules.connections_per_address:
                reason = f"{rules.connections_per_address} connections from {home}, and there may not be more"
                return Refusal(HTTPStatus.TOO_MANY_REQUESTS, reason)
        guest = self._guest(target, headers, home)
        if isinstance(guest, Refusal):
            return guest
        grant = guest.pass_.grant
        if grant.connections is not None and self._names[grant.name] >= grant.connections:
            reason = f"'{grant.name}' has {grant.connections} connections, and may not have more"
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, reason)
        return guest

    def visit(self, target: str, headers: Headers, peer: str) -> Guest | Refusal:
        """Decide on a request that is answered and over: it takes nobody's place."""
        home = neighbourhood(self._rules.proxies.client(peer, headers.get_all("X-Forwarded-For")))
        return self._guest(target, headers, home)

    def entered(self, guest: Guest) -> None:
        """Somebody who was admitted is connected now."""
        self._inside += 1
        self._names[guest.pass_.grant.name] += 1
        self._neighbourhoods[guest.neighbourhood] += 1

    def left(self, guest: Guest) -> None:
        """They are gone."""
        self._inside -= 1
        for counter, key in ((self._names, guest.pass_.grant.name), (self._neighbourhoods, guest.neighbourhood)):
            counter[key] -= 1
            if not counter[key]:
                del counter[key]

    @property
    def names(self) -> dict[str, int]:
        """How many connections each name has; those without a token are under the empty one."""
        return dict(self._names)

    def _guest(self, target: str, headers: Headers, home: str) -> Guest | Refusal:
        for origin in headers.get_all("Origin") if self._origins else ():
            if bare(origin) not in self._origins:
                return Refusal(HTTPStatus.FORBIDDEN, f"pages of '{origin[:200]}' may not read here")
        tokens = self._tokens()
        if tokens is None:
            return Guest(NOBODY.pass_, home)
        shown = _shown(target, headers)
        if shown is None:
            reason = "a token is needed: 'Authorization: Bearer <token>', or ?token=<token> in the URL"
            return Refusal(HTTPStatus.UNAUTHORIZED, reason)
        pass_ = tokens.find(shown)
        return Refusal(HTTPStatus.UNAUTHORIZED, "the token is not valid") if pass_ is None else Guest(pass_, home)


def _shown(target: str, headers: Headers) -> str | None:
    """The token that a request shows; browsers can only put it into the URL."""
    for value in headers.get_all("Authorization"):
        scheme, _, token = value.strip().partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()
    return query_of(target).get("token", [None])[-1]


def bare(origin: str) -> str:
    """An origin as it is compared."""
    return origin.strip().rstrip("/").lower()
