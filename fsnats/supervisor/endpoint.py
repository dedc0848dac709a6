"""The supervisor's HTTP: `/metrics` of the whole fleet, `/healthz` and `/readyz`.

A few requests a minute, each on a connection of its own: no framework is loaded for them.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus

import msgspec

from fsnats.errors import ConfigError
from fsnats.metrics.answering import Connected, answering

logger = logging.getLogger(__name__)

_HEAD_MOST = 8 * 1024  # bytes of a request's head
_TAKES_MOST = 10.0  # seconds from the connection to the end of the answer
_AT_ONCE = 16  # connections; more than that is nobody's monitoring
_PLAIN = "text/plain; charset=utf-8"


class Answer(msgspec.Struct, frozen=True):
    """What is told."""

    body: bytes
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = _PLAIN


Routes = Mapping[str, Callable[[], Awaitable[Answer]]]


def plain(text: str, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    """A line of text."""
    return Answer(f"{text}\n".encode(), status)


def listen(host: str, port: int) -> socket.socket:
    """A socket on this port; on a free one, and a warning, where another program has it.

    Nobody's data is to stop for want of a port for numbers.  Raises ConfigError when the host is none of this machine.
    """
    try:
        return _bound(host, port)
    except OSError as taken:
        try:
            free = _bound(host, 0)
        except OSError as error:
            raise ConfigError("FSNATS_METRICS_HOST", f"cannot listen on '{host}': {error.strerror}") from error
        instead = free.getsockname()[1]
        logger.warning(
            "the port of FSNATS_METRICS_PORT cannot be had, metrics are on another one",
            extra={"event": "metrics.port_taken", "port": port, "error": taken.strerror, "instead": instead},
        )
        return free


def base_url(listener: socket.socket) -> str:
    """How it is reached from this machine."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bound(host: str, port: int) -> socket.socket:
    family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, proto)
    try:
        # Connections that a killed predecessor left must not hold the port.  It is not shared (SO_REUSEPORT): another
        # fleet's numbers would be taken for ours.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_AT_ONCE)
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def serving(listener: socket.socket, routes: Routes) -> AbstractAsyncContextManager[None]:
    """Answer for as long as the block runs."""

    async def answer(reader: asyncio.StreamReader) -> bytes:
        return await _answered(await reader.readuntil(b"\r\n\r\n"), routes)

    def start(connected: Connected) -> Awaitable[asyncio.Server]:
        return asyncio.start_server(connected, sock=listener, limit=_HEAD_MOST)

    return answering(start, answer, within=_TAKES_MOST, at_once=_AT_ONCE)


async def _answered(head: bytes, routes: Routes) -> bytes:
    method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    if path not in routes:
        answer = plain(f"not here; {', '.join(routes)} are", HTTPStatus.NOT_FOUND)
    elif method not in ("GET", "HEAD"):
        answer = plain("GET is what can be asked", HTTPStatus.METHOD_NOT_ALLOWED)
    else:
        answer = await routes[path]()
    lines = (
        f"HTTP/1.1 {answer.status.value} {answer.status.phrase}",
        f"content-type: {answer.content_type}",
        f"content-length: {len(answer.body)}",
        "connection: close",
        *(("allow: GET, HEAD",) if answer.status is HTTPStatus.METHOD_NOT_ALLOWED else ()),
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode() + (b"" if method == "HEAD" else answer.body)
