"""Who serves a port already.  Gateways may share one, but only those of one fleet: to share it with another fleet's
would give a client now these data and now those, simulated ones among them."""

import asyncio
import contextlib
import errno
import hashlib
import logging
import socket
import sys
from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from fsnats.errors import ConfigError

FLEET_HEADER = "x-fsnats-fleet"  # a field of the answer at `/healthz`

_WITHIN = 2.0  # seconds that whoever is there has to answer
_TURN_WITHIN = 10.0  # seconds that others who are about to serve the port have for it
_AGAIN = 0.01  # seconds after which one who cannot be waited for is looked at again
_NATS_PORT = 4222
_ANYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # where one listens, from where one asks

logger = logging.getLogger(__name__)


def fleet_of(urls: Iterable[str]) -> str:
    """What tells a fleet from others on this machine: its NATS servers, in any order, which it does not name."""
    servers = []
    for url in urls:
        parts = urlsplit(url if "//" in url else f"nats://{url}")
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
        servers.append(f"{parts.username or ''}@{host}:{parts.port or _NATS_PORT}")
    # Everybody is told this, and a user alone is a token: to try many of them has to take long.
    return hashlib.scrypt(",".join(sorted(servers)).encode(), salt=b"fsnats", n=2**13, r=8, p=1, dklen=8).hex()


@contextlib.asynccontextmanager
async def taking(host: str, port: int, fleet: str, *, tls: bool) -> AsyncIterator[None]:
    """Serve the port within the block: nobody else of this machine who asks so begins to meanwhile (Linux).

    Raises ConfigError as `check`.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as turn:
        if port and sys.platform == "linux":
            await _take(turn, f"\0fsnats-gateway-port-{port}")
        await check(host, port, fleet, tls=tls)
        yield


async def check(host: str, port: int, fleet: str, *, tls: bool) -> None:
    """Raise ConfigError where a port is served by somebody who is not of this fleet."""
    host = _ANYWHERE.get(host, host)
    if not port or not await _is_served(host, port):
        return
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        # Nothing is believed of what it says but that it is one of us.
        async with httpx.AsyncClient(verify=False, trust_env=False, timeout=_WITHIN) as client:
            answer = await client.get(f"{'https' if tls else 'http'}://{place}/healthz")
    except httpx.TimeoutException:
        # A gateway of ours that hangs must not keep others from starting.
        logger.warning("who serves the port does not answer", extra={"event": "gateway.neighbour_silent", "port": port})
        return
    except httpx.HTTPError as error:
        reason = f"{place} is served by another program, which speaks no {'HTTPS' if tls else 'HTTP'}"
        raise ConfigError("FSNATS_GATEWAY_PORT", reason) from error
    theirs = answer.headers.get(FLEET_HEADER)
    if answer.status_code != HTTPStatus.OK or theirs is None:
        raise ConfigError("FSNATS_GATEWAY_PORT", f"{place} is served by another program")
    if theirs != fleet:
        reason = f"{place} is served by a gateway of another fleet (other NATS servers); clients would get data of both"
        raise ConfigError("FSNATS_GATEWAY_PORT", reason)


async def _take(turn: socket.socket, name: str) -> None:
    """Wait until nobody else has this name, and have it until the socket is closed, however that comes about.

    Such names (unix(7), abstract addresses) are there once for all whose ports are the same ones.
    """
    try:
        async with asyncio.timeout(_TURN_WITHIN):
            while not _has(turn, name):
                await _closed(name)
    except TimeoutError:
        logger.warning("who is about to serve the port does not do it", extra={"event": "gateway.neighbour_silent"})


def _has(turn: socket.socket, name: str) -> bool:
    try:
        turn.bind(name)
        turn.listen()
    except OSError as error:
        return error.errno != errno.EADDRINUSE  # where such names cannot be had, nobody has them
    return True


async def _closed(name: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.setblocking(False)
        try:
            other.connect(name)
        except OSError:
            await asyncio.sleep(_AGAIN)  # just gone, or too many wait
            return
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().sock_recv(other, 1)  # nobody says anything: it returns at the end


async def _is_served(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(_WITHIN):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
