"""One reader of server-sent events: a native client that says nothing, and is answered as an event stream."""

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

import msgspec

from fsnats.binance.streams import Market
from fsnats.errors import Unusable
from fsnats.symbols import Listing, did_you_mean
from fsnats.websocket import frames
from fsnats.websocket.handshake import Request
from gateway import client
from gateway.client import Client, Session
from gateway.effects import Delivery, Effect, Marks, Send
from gateway.protocol.paths import NativePath, Refusal
from gateway.protocol.wire import encode
from gateway.rest.browsers import shared_with
from gateway.rest.problem import Problem
from gateway.rest.visits import simulation
from gateway.sse import places
from gateway.sse.translation import BACK_SOON, Translation, ended
from gateway.sse.wish import NoSuchPath, Wish, wish_of

HEARTBEAT_EVERY = 15.0  # seconds; proxies and browsers take a connection that is silent for long for a dead one

_AGAIN = 3.0  # seconds after which it helps to come back
_TRY_AGAIN = 1013  # RFC 6455's registry: "try again later"
_EVENTS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "x-accel-buffering": "no",  # nginx would hold events back
}
_STATUS = {
    "FORBIDDEN": HTTPStatus.FORBIDDEN,
    "NOT_READY": HTTPStatus.SERVICE_UNAVAILABLE,
    "UNKNOWN_SYMBOL": HTTPStatus.NOT_FOUND,
}


class House(client.House, Protocol):
    """What a reader needs of the gateway."""

    listings: dict[Market, Listing]

    def admit(self, client: Client, request: Request, path: NativePath) -> Session | Refusal: ...


class _Answer(msgspec.Struct):
    """The native dialect's answer to a subscription."""

    type: str
    code: str = ""
    message: str = ""
    part: Any = None


class EventClient(Client):
    """A connection that was asked for events over HTTP."""

    __slots__ = ("_translation",)

    _house: House

    def __init__(self, house: House, connections: set[Any], monotonic: Callable[[], float]) -> None:
        super().__init__(house, connections, monotonic)
        self._translation = Translation((), {})

    def take(self, transport: asyncio.Transport, request: Request, rest: bytes) -> None:
        """Take over a connection at its request; `rest` is what came after it, which nobody looks at."""
        self._own(transport)
        shared = shared_with(request.headers, self._house.config.gateway_origins)
        try:
            effects = self._subscribed(request)
        except Problem as problem:
            self._done = True
            if _passes(problem.status) and "text/event-stream" in request.headers.tokens("accept"):
                transport.write(_head(HTTPStatus.OK, _EVENTS | shared) + BACK_SOON + ended(_TRY_AGAIN, str(problem)))
            else:
                fields = problem.fields | {"content-length": str(len(problem.body))}
                transport.write(_head(HTTPStatus(problem.status), fields | shared) + problem.body)
            self._finish()
            return
        fields = _EVENTS | shared | simulation(self._house.listings)
        transport.write(_head(HTTPStatus.OK, fields) + self._translation.beginning())
        self._open = self._opened = True
        self._house.entered(self)
        self._outbox.open(self._write_events, self.transport.get_write_buffer_size, None)
        self._pinged = self._lived = self._monotonic()
        self.perform(effects)

    def _subscribed(self, request: Request) -> list[Effect]:
        """The effects of the one request that a reader makes.  Raises Problem."""
        try:
            wish = wish_of(request.path, self._house.config.markets)
        except NoSuchPath as error:
            raise Problem(HTTPStatus.NOT_FOUND, str(error)) from None
        except Unusable as error:
            raise Problem(HTTPStatus.BAD_REQUEST, str(error)) from None
        path = NativePath(wish.market, wish.envelope, Delivery(marks=Marks.PLACE))
        session = self._house.admit(self, request, path)
        if isinstance(session, Refusal):
            raise Problem(session.status, session.reason, retry_after=_again(session.status))
        self._session = session
        line = "".join(request.headers.get_all("Last-Event-ID")[:1]) or wish.last_event_id
        reached = self._reached(wish, line)
        self._translation = Translation(wish.streams, reached)
        resume = {name: {"epoch": epoch, "seq": seq} for name, (epoch, seq) in reached.items()}
        asked = {"type": "subscribe", "rawStreams": wish.streams, **({"resume": resume} if resume else {})}
        answer, *effects = session.receive(encode(asked).decode())
        assert isinstance(answer, Send)
        told = msgspec.json.decode(answer.text, type=_Answer)
        if told.type == "error":
            status = _STATUS.get(told.code, HTTPStatus.BAD_REQUEST)
            raise Problem(status, self._explained(told, wish.market), told.code, _again(status))
        # Who comes back to a stream without a place in it begins anew, whatever came since.
        unsure = [name for name in wish.streams if name not in reached] if line else []
        return [*effects, *(Send(_unsure(name)) for name in unsure)]

    def _reached(self, wish: Wish, line: str) -> Mapping[str, places.Place]:
        found = places.read(line, len(wish.streams)) if line else None
        if found is None:
            return {}
        return {name: place for name, place in zip(wish.streams, found, strict=True) if place is not None}

    def _explained(self, told: _Answer, market: Market) -> str:
        if told.code != "UNKNOWN_SYMBOL" or not isinstance(told.part, list) or not told.part:
            return told.message
        symbol = str(told.part[0]).partition("@")[0].upper()
        return told.message + did_you_mean(symbol, self._house.listings[market].trading)

    def _write_events(self, data: bytes) -> None:
        events = self._translation.events(data)
        if events:
            self.transport.write(events)

    # A reader says nothing, and nothing ends it but the end of its connection.

    def data_received(self, data: bytes) -> None:
        self._ignored += len(data)
        if self._ignored > self.ignored_bytes_max:
            self.transport.abort()

    def close(self, code: int, reason: str = "") -> None:
        if self._open:
            self.closed_with = code
            self.transport.write(ended(code, reason))
            self._stop_writing()
            self.transport.close()

    def fail(self, code: int, reason: str = "") -> None:
        self.close(code, reason)

    def keep_alive(self, now: float) -> None:
        unwritten = self.transport.get_write_buffer_size()
        if unwritten < self._unwritten or not unwritten:
            self._lived = now
        self._unwritten = unwritten
        if now - self._lived > self._house.config.gateway_pong_within:
            self.transport.abort()
        elif now - self._pinged >= HEARTBEAT_EVERY:
            self._pinged = now
            self._house.hub.touch(self._outbox, frames.ping(b""))


def _unsure(name: str) -> bytes:
    return encode({"type": "resumed", "stream": name, "recovered": False, "missed": 0})


def _passes(status: int) -> bool:
    """Whether it is worth coming back.  A browser that is answered anything but 200 never does by itself."""
    return status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)


def _again(status: int) -> float | None:
    return _AGAIN if _passes(status) else None


def _head(status: HTTPStatus, fields: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    # Until the connection ends: without a length, and without chunks, which some readers of events do not understand.
    return f"HTTP/1.1 {status.value} {status.phrase}\r\nconnection: close\r\n{lines}\r\n".encode("latin-1")
