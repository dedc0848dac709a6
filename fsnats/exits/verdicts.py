"""What a failure says of the exit it happened on, and how long to stay away.  Pure."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from fsnats.errors import ExchangeUnavailable

BAN_MOST = 3 * 86_400.0  # seconds; Binance: bans are "from 2 minutes to 3 days", and who asks for more errs


class Verdict(StrEnum):
    """What is wrong with an exit."""

    UNREACHABLE = "unreachable"  # refused, timed out, cut, garbage
    LOGIN = "login"  # the proxy wants another user or password (407)
    BARRED = "barred"  # the proxy's rules do not let us go there (403, 405)
    FORBIDDEN = "forbidden"  # the exchange's firewall refuses us (403)
    LIMITED = "limited"  # too much of us (429)
    BANNED = "banned"  # 429 was not heeded (418)
    UNSERVED = "unserved"  # the exchange does not serve the exit's location (451)


class Reaction(msgspec.Struct, frozen=True):
    """Seconds to stay away: `first`, doubling up to `most`; from what, `areas` says.

    `asked`: the exchange may say itself how long.  `probe`: afterwards one tries alone.
    """

    first: float
    most: float
    asked: bool = False
    probe: bool = False
    error: bool = False  # somebody has to do something about it


REACTIONS = {
    Verdict.UNREACHABLE: Reaction(1.0, 30.0),
    Verdict.LOGIN: Reaction(300.0, 300.0, probe=True, error=True),
    Verdict.BARRED: Reaction(180.0, 1800.0, probe=True, error=True),
    Verdict.FORBIDDEN: Reaction(180.0, 1800.0, probe=True, error=True),
    Verdict.LIMITED: Reaction(60.0, 60.0, asked=True),  # weight is counted by the minute
    Verdict.BANNED: Reaction(120.0, 1800.0, asked=True, probe=True, error=True),  # the shortest ban is two minutes
    # The law does not change within the hour, but a request may have been routed through the wrong country.  One
    # handshake in ten seconds harms nobody.
    Verdict.UNSERVED: Reaction(10.0, 1800.0, probe=True, error=True),
}

_OF_EXCHANGE = {
    403: Verdict.FORBIDDEN,
    418: Verdict.BANNED,
    429: Verdict.LIMITED,
    451: Verdict.UNSERVED,
}

# How python-socks and httpcore say that a SOCKS proxy wants a login or another one.
_LOGIN_WORDS = ("authentication", "username/password", "acceptable", "authorization")


def asked_to_wait(retry_after: Iterable[str]) -> float | None:
    """Seconds that an answer's `Retry-After` headers ask for, the longest; None where none tells any."""
    told = [float(text) for text in retry_after if text.isascii() and text.isdigit()]
    return min(max(told, default=0.0), BAN_MOST) or None


def wants_login(text: str) -> bool:
    """Whether a SOCKS library's words mean that the proxy did not let us in."""
    return any(word in text.lower() for word in _LOGIN_WORDS)


def verdict_on(error: ExchangeUnavailable) -> Verdict | None:
    """What a failure says of its exit; None where the exit is not to blame."""
    if error.stage == "proxy":
        if error.status in (401, 407):  # tinyproxy answers a wrong password with 401
            return Verdict.LOGIN
        return Verdict.BARRED if error.status in (403, 405) else Verdict.UNREACHABLE
    if error.stage == "json":
        return None
    return Verdict.UNREACHABLE if error.status is None else _OF_EXCHANGE.get(error.status)
