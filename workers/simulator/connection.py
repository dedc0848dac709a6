"""One client's WebSocket: the control protocol, the limits and the outbox, on top of the shared server core."""

from http import HTTPStatus
from typing import Any, Protocol

from fsnats.binance.streams import Market, Stream
from fsnats.clock import Clock
from fsnats.websocket import frames, server
from fsnats.websocket.handshake import Request, Response
from fsnats.window import SlidingWindow
from workers.simulator import control, ledger, routes
from workers.simulator.hub import Hub
from workers.simulator.limits import Dials, Pulse, charge
from workers.simulator.settings import Settings

SIMULATED = "X-Fsnats-Simulated"  # on every reply, so that nobody mistakes it for the exchange
_GOING_AWAY = 1001


class House(Protocol):
    """What connections need of the simulator."""

    settings: Settings
    clock: Clock
    ledger: ledger.Ledger
    hub: Hub
    dials: Dials
    life: float

    def accepts(self) -> bool:
        """Whether new connections are let in at all."""

    def admit(self, connection: "Connection") -> int:
        """Enter an opened connection and return its id."""

    def dismiss(self, connection: "Connection") -> None:
        """Forget a connection that is gone."""


class Connection(server.Connection):
    """A client of the simulated exchange."""

    message_bytes_max = 4 * 1024 * 1024  # the exchange's own limit is not known; long requests are only noted

    def __init__(self, connections: set[Any], house: House) -> None:
        super().__init__(connections)
        self._house = house
        self.combined = False
        self.microseconds = False
        self.muted = False
        self.outbox: list[bytes] = []

    # The handshake.

    def opening(self, request: Request) -> Response | None:
        if not self._house.accepts():
            self.abort()
            return Response(HTTPStatus.SERVICE_UNAVAILABLE)
        return self._admission(request)

    def answer_headers(self) -> bytes:
        return f"{SIMULATED}: true\r\n".encode()

    def refuse(self, status: HTTPStatus, text: str, *headers: tuple[str, str]) -> Response:
        """A refusal for `opening` to return."""
        return Response(status, text, ((SIMULATED, "true"), *headers))

    def _admission(self, request: Request) -> Response | None:
        """A refusal, or None."""
        house, settings = self._house, self._house.settings
        self.ip = self.peer.rpartition(":")[0]
        house.ledger.dials += 1
        endpoint = routes.endpoint(request.path)
        market = endpoint.market if endpoint is not None else Market.SPOT
        if not house.dials.allows(self.ip, market, house.clock.monotonic()):
            self._violated("dials", market, f"more than {settings.dials} in {settings.dials_span:g} s")
            return self.refuse(HTTPStatus.TOO_MANY_REQUESTS, "Too many connection attempts")
        if len(request.path) > settings.url_bytes_max:
            self._violated("url_bytes", market, str(len(request.path)))
            return self.refuse(HTTPStatus.REQUEST_URI_TOO_LONG, "URI Too Long")
        if endpoint is None:
            return self.refuse(HTTPStatus.NOT_FOUND, "Not Found")
        self.endpoint = endpoint
        return None

    def opened(self) -> None:
        house, endpoint = self._house, self.endpoint
        now = house.clock.monotonic()
        self.market = endpoint.market
        self.combined = endpoint.combined
        self.microseconds = endpoint.microseconds
        self._held = control.Subscriptions(self.market, self.combined, most=house.settings.streams_per_connection)
        self.record = ledger.Connection(
            id=0,
            market=self.market,
            route=endpoint.route,
            peer=self.peer,
            opened=house.clock.time_ns() // 1_000_000,
            streams=self._held.names,
        )
        self._messages = SlidingWindow(house.settings.messages_in_a_second(self.market), 1.0)
        self._pulse = Pulse(
            house.settings.ping_every(self.market),
            house.settings.pong_within(self.market),
            any_pong=self.market is not Market.SPOT,
            now=now,
        )
        self._born = now
        self.record.id = house.admit(self)
        if len(endpoint.streams) > self._held.most:
            self._limit("streams", f"{len(endpoint.streams)} in the URL")
            self._answer('{"error":{"code":4,"msg":"Too many subscriptions"}}')
            self.end(control.POLICY, "Invalid request")
            return
        self._subscribe(endpoint.streams)

    # What the client sends.

    def received(self, text: str) -> None:
        if not self._counted():
            return
        self.record.requests += 1
        size = len(text.encode())
        if size > self._house.settings.request_bytes_max:
            self._limit("request_bytes", str(size))
        self._carry_out(control.decide(text, self._held))

    def received_binary(self, data: bytes) -> None:
        if self._counted():
            self._carry_out(control.binary())

    def ponged(self, payload: bytes) -> None:
        self._pulse.ponged(payload)
        self._counted()

    def pinged(self, payload: bytes) -> None:
        self._counted()

    def _counted(self) -> bool:
        """Count one message; False when it was one too many and the connection is closing."""
        if not self.is_open:
            return False
        self.record.received += 1
        if charge(self._messages, self._house.clock.monotonic()):
            return True
        self._limit("messages", f"more than {self._messages.limit} in a second")
        self.end(control.POLICY, "Too many requests")
        return False

    def _carry_out(self, decision: control.Decision) -> None:
        if decision.violation:
            self._limit(decision.violation, decision.reply[:200])
        if decision.close is None or decision.reply:
            self._answer(decision.reply)
        if decision.combined is not None:
            self.combined = self._held.combined = decision.combined
        self._subscribe(decision.added)
        for name in decision.removed:
            if self._held.names.pop(name, self) is None:
                self.record.silent.pop(name, None)
                self._house.hub.leave(self, self.market, name)
        if decision.close is not None:
            self.end(control.POLICY, decision.close)

    def _subscribe(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name in self._held.names:
                continue
            self._held.names[name] = None
            stream = self._delivers(name)
            if stream is None:
                self.record.silent[name] = None
            else:
                self._house.hub.join(self, self.market, stream)
        self.record.streams_most = max(self.record.streams_most, len(self._held.names))

    def _delivers(self, name: str) -> Stream | None:
        """The stream that comes of a name here."""
        return routes.delivered(self.market, self.endpoint.route, name)

    def _answer(self, reply: str) -> None:
        # Events that are waiting were there first.
        self.outbox.append(frames.text(reply.encode()))
        self.flush()

    # What time brings.

    def beat(self, now: float, milliseconds: int) -> None:
        """Ping, and end what has missed a pong or lived its life."""
        if not self.is_open:
            return
        if now - self._born >= self._house.life:
            self.end(_GOING_AWAY, "")
            return
        if self._pulse.timed_out(now):
            self._limit("pong", "no answer to a ping")
            self.end(control.POLICY, "Pong timeout")
            return
        if self._pulse.due(now):
            payload = str(milliseconds).encode()
            self._pulse.pinged(payload, now)
            self.write(frames.ping(payload))

    def flush(self) -> None:
        """Write the outbox; a reader that lags too far is cut, as the exchange does."""
        if not self.outbox:
            return
        data = b"".join(self.outbox)
        self.record.sent += len(self.outbox)
        self.record.sent_bytes += len(data)
        self.outbox.clear()
        self.write(data)
        if self.backlog() > self._house.settings.buffer_bytes_max:
            self.cut("slow reader")

    def backlog(self) -> int:
        """Bytes that were written and not yet taken by the reader's side."""
        return self.transport.get_write_buffer_size()

    def end(self, code: int, reason: str) -> None:
        """Close with a code, and remember it."""
        self.record.ended = self.record.ended or f"{code} {reason}".strip()
        self._silence()
        self.close(code, reason)

    def cut(self, why: str) -> None:
        """End the connection without a word."""
        self.record.ended = self.record.ended or why
        self.abort()

    def closed(self) -> None:
        self.record.ended = self.record.ended or "client"
        self._silence()
        self._house.dismiss(self)

    def _silence(self) -> None:
        """Leave every channel; the names stay in the record until the connection is gone."""
        for name in self._held.names:
            self._house.hub.leave(self, self.market, name)

    def _limit(self, limit: str, detail: str) -> None:
        self._violated(limit, self.market, detail, self.record.id)

    def _violated(self, limit: str, market: Market, detail: str, connection: int = 0) -> None:
        house = self._house
        house.ledger.violate(
            ledger.Violation(limit, market, connection, self.peer, detail, house.clock.time_ns() // 1_000_000)
        )
