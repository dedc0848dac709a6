"""One connection to the exchange: websockets' client with a shortcut for messages.

Messages go to a callback from within the read of the socket, cut out of it by our own `Cutter`: websockets' parser, its
queue and a task switch cost 4.5 µs a message.  Everything else is websockets': handshake, proxies, pings, closing;
nothing here can delay a pong.
"""

import socket
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxyStatus,
    InvalidStatus,
    ProxyError,
    WebSocketException,
)
from websockets.frames import Frame, Opcode

from fsnats import __version__
from fsnats.errors import ExchangeUnavailable
from fsnats.exits.verdicts import asked_to_wait, wants_login
from workers.ingest.cutter import Cutter

Received = Callable[[bytes, int], None]

MESSAGE_BYTES = 8 * 1024 * 1024  # the largest recorded frame is 35 kB, an all-market array of 2026 about 200 kB
_OPEN_TIMEOUT = 10.0  # seconds for TCP, proxy, TLS and the handshake together
_CLOSE_TIMEOUT = 2.0  # seconds to wait for the exchange's half of the closing handshake


class Upstream(ClientConnection):
    """A connection whose text messages go to `received(data, received_ns)`."""

    def __init__(self, received: Received, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._received = received
        self._fragments: list[bytes] = []
        self._read_ns = 0
        self._head = b""  # of the handshake's answer, while it is incomplete
        self._cutter: Cutter | None = None  # from the end of the handshake on
        self.heard = time.monotonic()  # when anything was read, pings included
        self.read_bytes = 0

    def data_received(self, data: bytes) -> None:
        self._read_ns = time.time_ns()
        self.heard = time.monotonic()
        self.read_bytes += len(data)
        if self._cutter is not None:
            self._cutter.receive(data, self._text, super().data_received)
        elif self.response is None:
            self._shake_hands(data)
        else:
            super().data_received(data)

    def _shake_hands(self, data: bytes) -> None:
        # A 101 has no body: what follows its head are frames, and they may have come in the same read.
        before = len(self._head)
        self._head += data
        end = self._head.find(b"\r\n\r\n") + 4
        if end < 4 or not self._head.startswith(b"HTTP/1.1 101"):
            super().data_received(data)
            return
        frames, self._head = self._head[end:], b""
        super().data_received(data[: end - before])
        self._cutter = Cutter(MESSAGE_BYTES)
        self._cutter.receive(frames, self._text, super().data_received)

    def _text(self, payload: bytes) -> None:
        self._received(payload, self._read_ns)

    def process_event(self, event: Any) -> None:
        if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.CONT, Opcode.BINARY):
            self._assemble(event)
            return
        super().process_event(event)

    def _assemble(self, frame: Frame) -> None:
        # The exchange sends neither fragments nor binary messages; what cannot be read is counted further on.
        self._fragments.append(bytes(frame.data))
        if frame.fin:
            data, self._fragments = b"".join(self._fragments), []
            self._received(data, self._read_ns)


class _Dial(connect):
    """Goes nowhere else than where it is told: what answers in the exchange's place with a redirect is not it."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


async def dial(
    url: str,
    proxy: str | None,
    ping_interval: float | None,
    received: Received,
    context: ssl.SSLContext | None = None,
) -> Upstream:
    """Open a connection.  `context` is for TLS, to the exchange and to the proxy; by default it is the system's.

    Raises ExchangeUnavailable with the stage that failed.
    """

    is_there = False  # whether the proxy is behind us

    def build(*arguments: Any, **options: Any) -> Upstream:
        nonlocal is_there
        is_there = True
        return Upstream(received, *arguments, **options)

    # Host and SNI are always those of the URL, also inside a tunnel.
    tls: dict[str, Any] = {}
    if context is not None and url.startswith("wss:"):
        tls["ssl"] = context
    if context is not None and proxy is not None and proxy.startswith("https:"):
        tls["proxy_ssl"] = context
    try:
        connection = await _Dial(
            url,
            proxy=proxy,
            compression=None,  # futures hosts have sent nothing with some versions of it (UBWA#199)
            create_connection=build,  # type: ignore[arg-type]  # a factory serves as well as a class
            max_size=MESSAGE_BYTES,
            open_timeout=_OPEN_TIMEOUT,
            close_timeout=_CLOSE_TIMEOUT,
            ping_interval=ping_interval,
            ping_timeout=ping_interval,
            user_agent_header=f"fsnats/{__version__}",
            **tls,
        )
    except (OSError, WebSocketException, TimeoutError) as error:
        raise _translated(error, url, proxy, is_there) from error
    assert isinstance(connection, Upstream)
    return connection


def _translated(error: Exception, url: str, proxy: str | None, is_there: bool) -> ExchangeUnavailable:
    # A proxy's URL holds a password: only what websockets and the system say of the failure is repeated.
    host = urlsplit(url).hostname
    match error:
        case InvalidStatus():
            status = error.response.status_code
            return ExchangeUnavailable(
                "http",
                f"the WebSocket handshake with {host} was answered with HTTP {status}",
                status=status,
                retry_after=asked_to_wait(error.response.headers.get_all("Retry-After")),
            )
        case InvalidProxyStatus():
            status = error.response.status_code
            return ExchangeUnavailable("proxy", f"the proxy answered HTTP {status}", status=status)
        case ProxyError():
            reason = f"{error}: {error.__cause__}" if error.__cause__ is not None else str(error)
            return ExchangeUnavailable("proxy", reason, status=407 if wants_login(reason) else None)
        case InvalidHandshake():
            return ExchangeUnavailable("http", str(error))
        case TimeoutError():
            return ExchangeUnavailable(
                "tcp" if proxy is None else "proxy", f"no connection to {host} within {_OPEN_TIMEOUT:g} s"
            )
    stage = _stage(error)
    is_ours_to_look_up = proxy is None or proxy.startswith("socks5:")
    if isinstance(error, socket.gaierror) and is_ours_to_look_up:
        return ExchangeUnavailable("dns", f"{host}: {error}")
    if proxy is not None and (stage in ("dns", "tcp") or not is_there):
        # Behind a proxy it is the proxy that we look up and connect to, and whose certificate comes first.
        return ExchangeUnavailable("proxy", f"{urlsplit(proxy).hostname}: {error}")
    return ExchangeUnavailable(stage, f"{host}: {error}")


def _stage(error: Exception) -> str:
    names = {kind.__name__ for kind in type(error).__mro__}
    if "gaierror" in names:
        return "dns"
    return "tls" if "SSLError" in names else "tcp"


__all__ = ["ConnectionClosed", "Upstream", "dial"]
