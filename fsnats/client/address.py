"""Where a gateway is, and what is shown to it: read from what a program says of it.  Pure."""

from typing import NamedTuple
from urllib.parse import urlsplit

from fsnats.binance.streams import MARKETS
from fsnats.errors import Unusable

_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
# Paths at which a gateway speaks otherwise than `Client` does.
_OTHERS = frozenset({"ws", "stream", "normalised"})


class Address(NamedTuple):
    """The URL of a gateway's native protocol, numbered, the base of its HTTP, and what is shown of them."""

    websocket: str
    http: str
    shown: str


def address_of(url: str) -> Address:
    """Read a gateway's URL; a market at its end changes nothing, as requests name theirs.

    Raises Unusable, which does not repeat what may be a secret.
    """
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        raise Unusable("the gateway's URL is none: its host or its port") from None
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname or not port_is_valid:
        shown = str(url).partition("?")[0].rpartition("@")[2]
        raise Unusable(f"'{shown}': not a ws:// or wss:// URL of a gateway")
    if parts.query or parts.fragment:
        raise Unusable("a gateway's URL has no query; a token is the argument 'token'")
    path = [segment for segment in parts.path.split("/") if segment]
    if path and path[-1] in MARKETS:
        path.pop()
    if path and path[-1] in _OTHERS:
        raise Unusable(f"the gateway's own URL is wanted, without '/{path[-1]}'")
    base = "/".join((parts.netloc, *path))
    http = "https" if scheme == "wss" else "http"
    return Address(f"{scheme}://{base}/?seq=1", f"{http}://{base}", base.rpartition("@")[2])


def headers_of(token: str) -> dict[str, str]:
    """The header fields that show a token; none for none.  Raises Unusable for what cannot be one."""
    if not token:
        return {}
    if not token.isascii() or not token.isprintable():
        raise Unusable("'token' is none: tokens are printable ASCII, without line breaks")
    return {"Authorization": f"Bearer {token}"}
