"""Serve HTTP and WebSocket on one port: our own `Connection` for WebSockets, uvicorn's protocol for the rest."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Collection
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from fsnats.errors import ConfigError
from fsnats.websocket.deadlines import Deadlines
from fsnats.websocket.front import NO_EVENTS, Events, Front
from fsnats.websocket.handshake import Request
from fsnats.websocket.http import Http, Patience
from fsnats.websocket.server import Connection

ConnectionFactory = Callable[[set[Any]], Connection]  # of what keeps the open ones

_UNSENT_BYTES = 16 * 1024  # what the kernel takes for one client beyond what is in flight
_PATIENCE = Patience()
_BACKLOG = 4096  # connections that the kernel accepts while we are busy


class _Connections(set[Any]):
    """What uvicorn keeps its open connections in, with an end to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.emptied = asyncio.Event()

    def discard(self, connection: Any) -> None:
        super().discard(connection)
        if not self:
            self.emptied.set()

    async def empty(self) -> None:
        """Return when all are gone."""
        while self:
            self.emptied.clear()
            await self.emptied.wait()


def listen(host: str, port: int, setting: str, *, shared: bool = True) -> socket.socket:
    """A listening TCP socket that other processes may share (SO_REUSEPORT), or not.  Port 0 takes a free one.

    Raises ConfigError naming `setting` when the address cannot be had.
    """
    listener: socket.socket | None = None
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # Accepted connections inherit it.  Without it a client that does not read hides 3.8 MB in the kernel before
        # anybody here notices; with it 45 KB.
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
        listener.bind(address)
        if not shared:
            listener.listen(_BACKLOG)  # only now is it known that nobody else does
    except OSError as error:
        if listener is not None:
            listener.close()
        raise ConfigError(setting, f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    listener.setblocking(False)
    return listener


@contextlib.asynccontextmanager
async def serving(
    app: Any,
    connection: ConnectionFactory,
    listener: socket.socket,
    *,
    tls: ssl.SSLContext | None = None,
    patience: Patience = _PATIENCE,
    refused: Callable[[HTTPStatus], None] = lambda _: None,
    shutdown_timeout: float = 5.0,
    events: tuple[str, ConnectionFactory] | None = None,
) -> AsyncIterator[Collection[Any]]:
    """Serve `app` (ASGI) and WebSockets on `listener` while the block runs; with `tls`, everything inside TLS.

    The value is all that is connected: WebSockets, and what is none (yet).  `refused` is called for whoever is cut off
    before a WebSocket is open, for what they send or do not.  When the block ends, connections are told so and have
    `shutdown_timeout` seconds to leave.  `events`: GETs of targets that begin so are connections, too, of this kind.
    """

    async def until_the_end(scope: Any, receive: Any, send: Any) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # by us, below: nothing that uvicorn should call an error
            await app(scope, receive, send)

    config = uvicorn.Config(
        until_the_end,
        ws=Connection,  # never called, see `Http`; without one it would not tell of upgrades
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=patience.idle,  # type: ignore[arg-type]  # call_later takes fractions too
    )
    config.load()
    state = ServerState()
    state.connections = connections = _Connections()
    loop = asyncio.get_running_loop()
    deadlines: Deadlines[Front] = Deadlines(patience.request, Front.expire)

    def on_websocket(transport: asyncio.Transport, request: Request, rest: bytes) -> None:
        connection(connections).take(transport, request, rest)

    def on_events(transport: asyncio.Transport, request: Request, rest: bytes) -> None:
        assert events is not None
        events[1](connections).take(transport, request, rest)

    taken = NO_EVENTS if events is None else Events(events[0], on_events)

    def on_http(transport: asyncio.Transport, read: bytes) -> None:
        protocol = Http(
            config, state, {}, loop, patience=patience, on_websocket=on_websocket, refused=refused, events=taken
        )
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(read)

    server = await loop.create_server(
        lambda: Front(on_websocket, on_http, connections, deadlines, refused, taken),
        sock=listener,
        ssl=tls,
        backlog=_BACKLOG,
        ssl_handshake_timeout=patience.request if tls else None,
        ssl_shutdown_timeout=Connection.close_timeout if tls else None,
    )
    async with asyncio.TaskGroup() as tasks:
        dating = tasks.create_task(_date(state))
        try:
            yield connections
        finally:
            server.close()
            listener.close()
            for each in list(connections):
                each.shutdown()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(shutdown_timeout):
                    await connections.empty()
            for each in list(connections):
                each.transport.abort()
            for request in state.tasks:
                request.cancel()
            deadlines.close()
            dating.cancel()


async def _date(state: ServerState) -> None:
    """Keep the Date header of HTTP responses right, to the second."""
    while True:
        state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
        await asyncio.sleep(1.0)
