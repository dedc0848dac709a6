"""One try to reach a NATS server: TCP, TLS where it is wanted, and the login."""

import asyncio
import ssl
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from fsnats import __version__
from fsnats.bus import wire
from fsnats.bus.link import Link
from fsnats.bus.sent import Sent

TIMEOUT = 5.0  # seconds for TCP, TLS and the NATS handshake together


async def dial(url: str, name: str, deliver: Callable[[list[wire.Event]], None], sent: Sent | None = None) -> Link:
    """A connection that the server has taken.  `name` is what it shows of us, the others are the link's.

    Raises OSError, TimeoutError, BusUnavailable and WireError.
    """
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(TIMEOUT):
        transport, link = await loop.create_connection(
            lambda: Link(deliver, sent), parts.hostname or "", parts.port or 4222
        )
        try:
            info = await link.info
            if parts.scheme == "tls" or info.get("tls_required"):
                secured = await loop.start_tls(
                    transport, link, ssl.create_default_context(), server_hostname=parts.hostname
                )
                assert secured is not None
                link.transport = secured
            link.send(wire.connect(_options(name, unquote(parts.username or ""), unquote(parts.password or ""))))
            await link.ping()
        except BaseException:
            link.abort()
            raise
    return link


def shown(url: str) -> str:
    """A URL without its secrets."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or 4222}"


def _options(name: str, user: str, password: str) -> dict[str, object]:
    options: dict[str, object] = {
        "verbose": False,
        "pedantic": False,
        "lang": "python",
        "version": __version__,
        "protocol": 1,
        "name": name,
        "headers": True,
        "no_responders": True,
    }
    if user and password:
        options |= {"user": user, "pass": password}
    elif user:
        options["auth_token"] = user
    return options
