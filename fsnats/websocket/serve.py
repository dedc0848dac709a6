"""Serve HTTP and WebSocket on one port: uvicorn for HTTP, our own `Connection` after the upgrade."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import uvicorn

from fsnats.errors import ConfigError
from fsnats.websocket.http import Http
from fsnats.websocket.server import Connection

ConnectionFactory = Callable[[Any], Connection]

_UNSENT_BYTES = 16 * 1024  # what the kernel takes for one client beyond what is in flight


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: the process decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A listening TCP socket that other processes may share (SO_REUSEPORT).  Port 0 takes a free one.

    Raises ConfigError naming `setting` when the address cannot be had.
    """
    listener: socket.socket | None = None
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # Accepted connections inherit it.  Without it a client that does not read hides 3.8 MB in the kernel before
        # anybody here notices; with it 45 KB.
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
        listener.bind(address)
    except OSError as error:
        if listener is not None:
            listener.close()
        raise ConfigError(setting, f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    listener.setblocking(False)
    return listener


@contextlib.asynccontextmanager
async def serving(
    app: Any, connection: ConnectionFactory, listener: socket.socket, *, shutdown_timeout: int = 5
) -> AsyncIterator[None]:
    """Serve `app` (ASGI) and WebSockets on `listener` while the block runs."""

    def upgraded(config: Any, server_state: Any, app_state: Any) -> Connection:
        return connection(server_state)

    config = uvicorn.Config(
        app,
        http=Http,
        ws=upgraded,  # type: ignore[arg-type]  # any callable of these three works; the annotation knows classes only
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=4096,
        timeout_graceful_shutdown=shutdown_timeout,
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(server.serve(sockets=[listener]))
        while not server.started:  # uvicorn tells it by this flag alone
            if task.done():
                task.result()
                raise RuntimeError("the HTTP server ended before it started")
            await asyncio.sleep(0.005)
        try:
            yield
        finally:
            server.should_exit = True
