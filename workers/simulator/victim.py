"""A connection to which things can be done: what faults do to one client, on top of how it is when all is well."""

import json
from collections import deque
from http import HTTPStatus
from typing import Any, Protocol

from websockets.frames import Frame, Opcode

from fsnats.binance.streams import Stream
from fsnats.websocket import frames
from fsnats.websocket.handshake import Request, Response
from workers.simulator import connection, routes

ILLEGAL = json.dumps(
    {
        "code": 0,
        "msg": "Service unavailable from a restricted location according to 'b. Eligibility' in "
        "https://www.binance.com/en/terms. Please contact customer service if you believe you received this message "
        "in error.",
    }
)
_GOING_AWAY = 1001
_LARGE = 1024 * 1024

GARBAGE = {
    "json": frames.text(b'{"stream":"btcusdt@aggTrade","data":{"e":"aggTr'),
    "html": frames.text(b"<html><head><title>502 Bad Gateway</title></head><body></body></html>"),
    "binary": Frame(Opcode.BINARY, bytes(range(256))).serialize(mask=False),
    "large": frames.text(b'{"stream":"!large@arr","data":{"x":"' + b"x" * _LARGE + b'"}}'),
    "event": frames.text(b'{"stream":"btcusdt@unheardOf","data":{"e":"unheardOf","E":1,"s":"BTCUSDT"}}'),
}


class Rules(Protocol):
    """The faults that also hold for connections to come."""

    silenced: set[str]
    rerouted: dict[str, str]  # streams that are served on another route than documented, and on which
    coming_lag: float

    def is_illegal(self, ip: str) -> bool: ...

    def limited(self, what: str, ip: str) -> tuple[int, int] | None: ...


class House(connection.House, Protocol):
    """What such connections need of the simulator."""

    @property
    def rules(self) -> Rules: ...


class Victim(connection.Connection):
    """A client of the simulated exchange, and its troubles."""

    def __init__(self, connections: set[Any], house: House) -> None:
        super().__init__(connections, house)
        self._rules = house.rules
        self._now = house.clock.monotonic
        self._dead = False
        self._lag = self._rules.coming_lag
        self._stalled_until = 0.0
        self._ends: float | None = None
        self._late: deque[tuple[float, bytes]] = deque()
        self._never: set[str] = set()  # streams that stay silent here however often they are subscribed

    # What faults do.

    def freeze(self) -> None:
        """Half-open: the socket stays, nothing is read, sent or answered any more."""
        self._dead = True

    def stall(self, seconds: float) -> None:
        """Send nothing for so long, then all of it at once."""
        self._stalled_until = self._now() + seconds

    def lag(self, milliseconds: float) -> None:
        """Send everything so much later; 0 ends it, in order."""
        self._lag = milliseconds / 1000

    def shut_down(self, seconds: float, milliseconds: int) -> None:
        """Announce the end, and end after so long."""
        notice = f'{{"e":"serverShutdown","E":{milliseconds}}}'
        if self.combined:
            notice = f'{{"stream":"!serverShutdown","data":{notice}}}'
        self._answer(notice)
        self._ends = self._now() + seconds

    def silence(self, name: str, on: bool, lasting: bool) -> bool:
        """Say nothing of one stream although it stays acknowledged; False when it is not subscribed here.

        Where it is `lasting`, subscribing again does not help.
        """
        if on and lasting:
            self._never.add(name)
        elif not on:
            self._never.discard(name)
        if name not in self._held.names:
            return False
        if not on:
            return self.review(name)
        self._mute(name)
        return True

    def forget(self, name: str) -> bool:
        """Drop a subscription without a word; False when there is none."""
        if name not in self._held.names:
            return False
        self._mute(name)
        del self._held.names[name]
        del self.record.silent[name]
        return True

    def review(self, name: str) -> bool:
        """Say of a stream here what there is to say of it now; False when it is not subscribed here."""
        if name not in self._held.names:
            return False
        stream = self._delivers(name)
        if stream is None:
            self._mute(name)
        else:
            self._house.hub.join(self, self.market, stream)
            self.record.silent.pop(name, None)
        return True

    def _mute(self, name: str) -> None:
        self._house.hub.leave(self, self.market, name)
        self.record.silent[name] = None

    def spew(self, kind: str) -> None:
        """Send something that is no message of the exchange's."""
        self.outbox.append(GARBAGE[kind])
        self.flush()

    # What is different because of it.

    def opening(self, request: Request) -> Response | None:
        ip = self.peer.rpartition(":")[0]
        if self._rules.is_illegal(ip):
            return self._refuse(HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS, ILLEGAL)
        limited = self._rules.limited("dials", ip)
        if limited is not None:
            return self._refuse(HTTPStatus(limited[0]), "", ("Retry-After", str(limited[1])))
        return super().opening(request)

    def _refuse(self, status: HTTPStatus, text: str, *headers: tuple[str, str]) -> Response:
        self._house.ledger.dials += 1
        return self.refuse(status, text, *headers)

    def _delivers(self, name: str) -> Stream | None:
        if name in self._rules.silenced or name in self._never:
            return None
        route = self._rules.rerouted.get(name)
        if route is None:
            return super()._delivers(name)
        return routes.delivered(self.market, "", name) if route == self.endpoint.route else None

    def data_received(self, data: bytes) -> None:
        if not self._dead:
            super().data_received(data)

    def write(self, frames: bytes) -> None:
        if not self._dead:
            super().write(frames)

    def flush(self) -> None:
        now = self._now()
        if self._dead:
            self.outbox.clear()
        elif self._lag or self._late or now < self._stalled_until:
            self._late.append((max(now + self._lag, self._stalled_until), b"".join(self.outbox)))
            self.record.sent += len(self.outbox)
            self.record.sent_bytes += len(self._late[-1][1])
            self.outbox.clear()
        else:
            super().flush()

    def beat(self, now: float, milliseconds: int) -> None:
        if self._dead:
            return
        if self._late and self._late[0][0] <= now:
            due = []
            while self._late and self._late[0][0] <= now:
                due.append(self._late.popleft()[1])
            self.write(b"".join(due))
        if self._ends is not None and now >= self._ends and self.is_open:
            self.end(_GOING_AWAY, "")
            return
        super().beat(now, milliseconds)
