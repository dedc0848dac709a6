"""Who may come in.  Decides on a handshake by what it says; what is where and how full is told as arguments."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

from gateway.admission.grants import EVERYTHING
from gateway.admission.tokens import Pass, Tokens
from gateway.protocol.paths import Refusal, query_of

_NOBODY_ASKED = Pass(EVERYTHING, b"")


class Headers(Protocol):
    """A request's header fields, names in any case."""

    def get_all(self, key: str) -> list[str]: ...


class Door:
    """The gateway's door.  It counts who is inside: `entered` and `left` are called for everyone that it let in."""

    def __init__(self, tokens: Callable[[], Tokens | None]) -> None:
        """`tokens` gives those that are valid now, None where nobody needs one."""
        self._tokens = tokens
        self._inside: dict[str, int] = {}  # connections by the name of their tokens

    def admit(self, target: str, headers: Headers) -> Pass | Refusal:
        """Decide on a handshake: `target` is its path and query."""
        pass_ = self._pass(target, headers)
        if isinstance(pass_, Refusal):
            return pass_
        grant = pass_.grant
        if grant.connections is not None and self._inside.get(grant.name, 0) >= grant.connections:
            reason = f"'{grant.name}' has {grant.connections} connections, and may not have more"
            return Refusal(HTTPStatus.TOO_MANY_REQUESTS, reason)
        return pass_

    def entered(self, pass_: Pass) -> None:
        """A client that was admitted is connected now."""
        self._inside[pass_.grant.name] = self._inside.get(pass_.grant.name, 0) + 1

    def left(self, pass_: Pass) -> None:
        """It is gone."""
        name = pass_.grant.name
        self._inside[name] -= 1
        if not self._inside[name]:
            del self._inside[name]

    @property
    def inside(self) -> dict[str, int]:
        """How many connections each name has; those without a token are under the empty name."""
        return dict(self._inside)

    def _pass(self, target: str, headers: Headers) -> Pass | Refusal:
        tokens = self._tokens()
        if tokens is None:
            return _NOBODY_ASKED
        shown = _shown(target, headers)
        if shown is None:
            reason = "a token is needed: 'Authorization: Bearer <token>', or ?token=<token> in the URL"
            return Refusal(HTTPStatus.UNAUTHORIZED, reason)
        return tokens.find(shown) or Refusal(HTTPStatus.UNAUTHORIZED, "the token is not valid")


def _shown(target: str, headers: Headers) -> str | None:
    """The token that a request shows; browsers can only put it into the URL."""
    for value in headers.get_all("Authorization"):
        scheme, _, token = value.strip().partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()
    return query_of(target).get("token", [None])[-1]
