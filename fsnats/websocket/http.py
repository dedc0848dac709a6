"""HTTP with limits: uvicorn's own protocol waits for ever for who never goes on."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fsnats.websocket.front import HEAD_BYTES, NO_EVENTS, Events, OnWebSocket
from fsnats.websocket.handshake import Headers, Request, Response, origin_form

PIPELINED = 8  # requests that may wait for the answer to one before; who sends more at once keeps everybody waiting


class Patience(NamedTuple):
    """How many seconds are waited for a client over HTTP."""

    request: float = 10.0  # from the connection, or the first byte of a further request, to the request's end
    idle: float = 5.0  # between a response and the next request
    unread: float = 60.0  # for a client to read on that does not read its response


class _Impatient(Exception):
    """Too many requests that did not wait for an answer."""


class Http(HttpToolsProtocol):
    """Cuts off who does not finish a request in time, never stops sending one, or does not read the response."""

    def __init__(
        self,
        *arguments: Any,
        patience: Patience,
        on_websocket: OnWebSocket,
        refused: Callable[[HTTPStatus], None],
        events: Events = NO_EVENTS,
    ) -> None:
        """`refused` is called for each connection that is ended like this."""
        super().__init__(*arguments)
        self._events = events
        self._asks_for_events = False  # this request does
        self._on_websocket = on_websocket
        self._patience = patience
        self._refused = refused
        self._answering: Any = None  # uvicorn's cycle of the request that is being carried out
        self._read = 0  # bytes of this request
        self._unfinished: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin()

    def data_received(self, data: bytes) -> None:
        self._read += len(data)
        if self._read > HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        if self._unfinished is None:  # also when this is no request at all, but something to keep us waiting with
            self._begin()
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._end()
            self._refused(HTTPStatus.BAD_REQUEST)
            self.send_400_response("Invalid HTTP request received.")
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self._upgrade(self._on_websocket, data[upgrade.args[0] :])
        else:
            if self._asks_for_events and self._unfinished is None:
                self._unset_keepalive_if_required()
                self._upgrade(self._events.take, b"")

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= PIPELINED:
            raise _Impatient  # the parser stops, and what it raises then is answered with 400
        self._read = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self.parser.get_method() == b"GET" and origin_form(_text(self.url)).startswith(self._events.prefix):
            self._asks_for_events = True  # and is no affair of the application's
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._asks_for_events:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._end()
        self._read = 0
        if not self._asks_for_events:
            super().on_message_complete()

    def pause_writing(self) -> None:
        self._unread = self.loop.call_later(self._patience.unread, self._refuse, HTTPStatus.REQUEST_TIMEOUT)
        super().pause_writing()

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        if self._unread is not None:
            self._unread.cancel()
        if self._answering is not None:
            # uvicorn tells only the newest request, which may be one that waits: this one would be written to nobody.
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _upgrade(self, take: OnWebSocket, rest: bytes) -> None:
        """A request that was not the first one of its connection, or not in the usual form, leaves HTTP."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._refuse(HTTPStatus.BAD_REQUEST)  # it did not wait for the answer before
            return
        fields = [(_text(name), _text(value)) for name, value in self.headers]
        self.connections.discard(self)
        take(self.transport, Request(origin_form(_text(self.url)), Headers(fields)), rest)

    def _begin(self) -> None:
        self._unfinished = self.loop.call_later(self._patience.request, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _end(self) -> None:
        if self._unfinished is not None:
            self._unfinished.cancel()
            self._unfinished = None

    def _refuse(self, status: HTTPStatus) -> None:
        """Say why, if nothing else is being said, and end the connection."""
        self._end()
        if self.transport.is_closing():
            return
        self._refused(status)
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()
            return
        self.transport.write(Response(status, f"{status.phrase}\n").serialize())
        self.transport.close()


def _text(data: bytes) -> str:
    return data.decode("ascii", "surrogateescape")
