"""One connected client: its WebSocket, its session and its outbox, and the carrying out of what the session decides."""

import logging
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Protocol, assert_never

from fsnats.binance.streams import Market
from fsnats.changes import Change
from fsnats.config import Config
from fsnats.websocket import frames
from fsnats.websocket.handshake import Request, Response
from fsnats.websocket.server import Connection
from fsnats.websocket.socket import Socket, beneath
from gateway import closing
from gateway.admission.door import NOBODY
from gateway.admission.pace import Pace, Verdict
from gateway.effects import Close, Effect, Form, Klines, Leave, Listen, Send, Unknown, cost
from gateway.fanout.hub import Hub
from gateway.fanout.outbox import Outbox
from gateway.fanout.tally import Tally
from gateway.listening import Listening
from gateway.protocol.paths import Refusal

logger = logging.getLogger(__name__)


class Session(Protocol):
    """A dialect: decides what a client's messages mean."""

    def opening(self) -> list[Effect]: ...

    def receive(self, text: str) -> list[Effect]: ...

    def receive_binary(self, data: bytes) -> list[Effect]: ...

    def catalogue_changed(self, change: Change) -> list[Effect]: ...

    def goodbye(self, now_ms: int, closes_in: float) -> list[Effect]: ...

    def overrun(self, text: str, rate: float, wait: float) -> list[Effect]: ...


class House(Protocol):
    """What a client needs of the gateway it is connected to."""

    hub: Hub
    tally: Tally
    config: Config

    def entered(self, client: "Client") -> None: ...

    def left(self, client: "Client") -> None: ...

    def welcome(self, client: "Client", request: Request) -> "Session | Response": ...

    def fetch_before(self, client: "Client") -> None: ...

    def fetch_klines(self, client: "Client", request: Klines) -> None: ...

    def count_unknown(self, market: Market, name: str) -> None: ...


class Client(Connection):
    """A WebSocket connection to the gateway."""

    __slots__ = (
        "_house",
        "_lived",
        "_monotonic",
        "_outbox",
        "_pace",
        "_pinged",
        "_session",
        "_socket",
        "_unwritten",
        "guest",
        "listening",
    )

    def __init__(self, house: House, connections: set[Any], monotonic: Callable[[], float]) -> None:
        super().__init__(connections, house.config.gateway_message)
        self._house = house
        self._monotonic = monotonic
        self._session: Session | None = None
        self._pace: Pace | None = None  # until its first request
        self.guest = NOBODY  # until it was let in
        self._outbox = Outbox(self.write, self._fell_behind, house.hub.turn, house.config.gateway_outbox)
        self.listening = Listening(house.hub, self._outbox)
        self._socket: Socket | None = None
        self._unwritten = 0  # bytes, when somebody last looked
        self._pinged = monotonic()
        self._lived = self._pinged  # when it last showed that somebody reads

    # What happens to the connection.

    def opening(self, request: Request) -> Response | None:
        outcome = self._house.welcome(self, request)
        if isinstance(outcome, Response):
            return outcome
        self._session = outcome
        return None

    def may_deflate(self) -> bool:
        return self._house.config.gateway_deflate

    def opened(self) -> None:
        assert self._session is not None
        self._house.entered(self)
        self._pinged = self._lived = self._monotonic()
        self._socket = beneath(self.transport)
        direct = None if self._socket is None else self._socket.send
        # `closing` tells when they must not be used any more.
        self._outbox.open(self.transport.write, self.transport.get_write_buffer_size, direct)
        self.perform(self._session.opening())

    def received(self, text: str) -> None:
        assert self._session is not None
        pace, verdict = self._take()
        if verdict is Verdict.CARRIED_OUT:
            effects = self._session.receive(text)
            self.perform(effects)
            pace.charge(*cost(text, effects))
        elif verdict is Verdict.REFUSED:
            self.perform(self._session.overrun(text, pace.rate, pace.wait))

    def received_binary(self, data: bytes) -> None:
        assert self._session is not None
        if self._take()[1] is not Verdict.THE_LAST:
            self.perform(self._session.receive_binary(data))

    def pinged(self, payload: bytes) -> None:
        self._take()

    def ponged(self, payload: bytes) -> None:
        self._lived = self._monotonic()
        self._take()

    def fragmented(self) -> None:
        self._take()

    def wrote(self) -> None:
        self._outbox.queue()

    def closing(self) -> None:
        self._outbox.discard()
        if self._socket is not None:
            self._socket.detach()  # it is the transport's, who closes it
            self._socket = None
        self.listening.end()

    def closed(self) -> None:
        self._house.left(self)
        self.closing()

    def pause_writing(self) -> None:
        self._outbox.pause()

    def resume_writing(self) -> None:
        self._lived = self._monotonic()
        self._outbox.resume()
        self.listening.reads()

    # What the gateway asks of it.

    @property
    def session(self) -> Session | None:
        """The dialect's session; None until the handshake is done."""
        return self._session

    @property
    def outbox(self) -> Outbox:
        """What waits to be written."""
        return self._outbox

    @property
    def streams(self) -> int:
        """How many (stream, form) pairs the client listens to."""
        return len(self.listening)

    def refuse(self, refusal: Refusal) -> Response:
        """A refusal of the handshake."""
        bearer = (("WWW-Authenticate", "Bearer"),) if refusal.status is HTTPStatus.UNAUTHORIZED else ()
        return Response(refusal.status, refusal.reason + "\n", bearer)

    def catalogue_changed(self, change: Change) -> None:
        """A market lists other symbols than before."""
        if self._session is not None and self.is_open:
            self.perform(self._session.catalogue_changed(change))

    def say_goodbye(self, closes_in: float) -> None:
        """Tell that the gateway goes, and closes the connection in so many seconds."""
        if self._session is not None and self.is_open:
            self.perform(self._session.goodbye(time.time_ns() // 1_000_000, closes_in))

    def keep_alive(self, now: float) -> None:
        """Ping when it is time; close when nothing shows that somebody reads."""
        unwritten = self.transport.get_write_buffer_size()
        if unwritten < self._unwritten:  # slowly: the pong to a ping behind all this may take minutes
            self._lived = now
        self._unwritten = unwritten
        # Who was not pinged since is not to blame: we may have stood still ourselves.
        if now - self._lived > self._house.config.gateway_pong_within and self._pinged > self._lived:
            self.close(closing.PONG_TIMEOUT.code, closing.PONG_TIMEOUT.reason)
        elif now - self._pinged >= self._house.config.gateway_ping_every:
            self._pinged = now
            self._house.hub.touch(self._outbox, frames.ping(str(int(time.time() * 1000)).encode()))

    def perform(self, effects: Iterable[Effect]) -> None:
        """Carry out what a session decided, in order, and write what it said."""
        hub = self._house.hub
        for effect in effects:
            match effect:
                case Send(text):
                    hub.touch(self._outbox, frames.text(text))
                case Listen():
                    self.listening.begin(effect._replace(form=self._form(effect.form)))
                case Leave(stream, form):
                    self.listening.leave(stream, self._form(form))
                case Klines():
                    self._house.fetch_klines(self, effect)
                case Unknown(market, name):
                    self._house.count_unknown(market, name)
                case Close(code, reason):
                    hub.flush()
                    self.fail(code, reason)
                case _:
                    assert_never(effect)
        hub.flush()
        if self.listening.waits:
            self._house.fetch_before(self)

    def _form(self, form: Form) -> Form:
        return form._replace(deflated=True) if self.deflates else form

    def _take(self) -> tuple[Pace, Verdict]:
        """Decide on one frame by how fast they come; what is refused is counted, and the last one ends it."""
        now = self._monotonic()
        if self._pace is None:
            self._pace = Pace(self.guest.pass_.grant.requests or self._house.config.gateway_requests, now)
        verdict = self._pace.take(now)
        if verdict is not Verdict.CARRIED_OUT:
            self._house.tally.requests_refused += 1
        if verdict is Verdict.THE_LAST:
            self.fail(closing.TOO_MANY_REQUESTS.code, closing.TOO_MANY_REQUESTS.reason)
        return self._pace, verdict

    def _fell_behind(self) -> None:
        self._house.tally.slow += 1
        logger.info("a client does not read fast enough", extra={"event": "client.slow", "client": self.peer})
        # Its socket is full: the closing handshake may never get through, then `close_timeout` ends it.
        self.close(closing.SLOW_CONSUMER.code, closing.SLOW_CONSUMER.reason)
