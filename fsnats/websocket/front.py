"""The first bytes of a connection: a WebSocket's handshake is read here, everything else is HTTP's affair."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from fsnats.websocket import handshake
from fsnats.websocket.deadlines import Deadlines
from fsnats.websocket.handshake import Request, Response

HEAD_BYTES = 256 * 1024  # of one request: four times the longest URL that we take

# They take a connection over: at a WebSocket's handshake, with what came after it, or at the first byte of HTTP.
OnWebSocket = Callable[[asyncio.Transport, Request, bytes], None]
OnHttp = Callable[[asyncio.Transport, bytes], None]

_GET = b"GET "


class Events(NamedTuple):
    """GETs of targets that begin so are taken over as well: their answer has no end."""

    prefix: str
    take: OnWebSocket


NO_EVENTS = Events("\n", lambda transport, request, rest: None)  # no target begins like this


class Front(asyncio.Protocol):
    """Waits for the head of the first request, and hands the connection on with all that it has read."""

    __slots__ = ("_connections", "_deadlines", "_events", "_on_http", "_on_websocket", "_read", "_refused", "transport")

    transport: asyncio.Transport

    def __init__(
        self,
        on_websocket: OnWebSocket,
        on_http: OnHttp,
        connections: set[Any],
        deadlines: Deadlines["Front"],
        refused: Callable[[HTTPStatus], None],
        events: Events = NO_EVENTS,
    ) -> None:
        """`connections` are the open ones of the server; `deadlines` call `expire`.  `refused` hears of the cut off."""
        self._events = events
        self._on_websocket = on_websocket
        self._on_http = on_http
        self._connections = connections
        self._deadlines = deadlines
        self._refused = refused
        self._read: bytes | bytearray = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's transports are registered, not derived
        self._connections.add(self)
        self._deadlines.add(self)

    def data_received(self, data: bytes) -> None:
        before = len(self._read)
        if before:
            self._read = bytearray(self._read) if isinstance(self._read, bytes) else self._read
            self._read += data
        else:
            self._read = data
        if not self._read.startswith(_GET) and not _GET.startswith(self._read):
            self._leave()
            self._on_http(self.transport, bytes(self._read))
            return
        end = self._read.find(handshake.END, max(0, before - len(handshake.END)))
        if end >= 0:
            self._hand_on(bytes(self._read), end + len(handshake.END))
        elif len(self._read) > HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()

    def expire(self) -> None:
        """The head did not come in time."""
        self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def shutdown(self) -> None:
        """The server stops."""
        self.transport.close()

    def _hand_on(self, read: bytes, end: int) -> None:
        self._leave()
        request = handshake.read(read[:end])
        if request is not None and handshake.asks_for_websocket(request):
            self._on_websocket(self.transport, request, read[end:])
        elif request is not None and request.path.startswith(self._events.prefix):
            self._events.take(self.transport, request, read[end:])
        else:
            self._on_http(self.transport, read)

    def _refuse(self, status: HTTPStatus) -> None:
        self._leave()
        self._refused(status)
        self.transport.write(Response(status, f"{status.phrase}\n").serialize())
        self.transport.close()

    def _leave(self) -> None:
        self._connections.discard(self)
        self._deadlines.discard(self)
