"""The fleet over HTTP, for dashboards and scripts: what `fsnats status` shows, as JSON (docs/fleet.md)."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Protocol

import msgspec

from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.fleet.statuses import read
from fsnats.fleet.troubles import troubles
from fsnats.rollcall import RollCall
from fsnats.websocket.handshake import Headers
from gateway.admission.pace import Paces
from gateway.rest import visits
from gateway.rest.browsers import METHODS
from gateway.rest.fresh import Fresh
from gateway.rest.problem import Problem
from gateway.rest.visits import Receive, Scope, Send, Visits, path_of

PREFIX = "/api/fleet"
_LIMIT = 5.0  # seconds for an answer, the questions of others before it included
_AGAIN = 1.0  # seconds after which it helps to ask again


class House(visits.House, Protocol):
    """The gateway."""

    name: str


class FleetView:
    """An ASGI application for everything below `/api/fleet`."""

    def __init__(self, house: House, bus: Bus, clock: Clock, paces: Paces) -> None:
        """`paces` are those of the other REST requests."""
        self._house = house
        self._bus = bus
        self._clock = clock
        self._visits = Visits(house, paces, clock.monotonic)
        self._statuses = RollCall(bus, f"_INBOX.{house.name}.fleet")
        self._told = Fresh[str, bytes](clock.monotonic)
        self._asked: dict[str, Callable[[], Awaitable[bytes]]] = {"": self._programs}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def tell(headers: Headers) -> bytes:
            return await self._tell(scope, headers)

        await self._visits.respond(scope, send, tell)

    async def _tell(self, scope: Scope, headers: Headers) -> bytes:
        self._visits.guest(scope, headers)
        path = path_of(scope)
        ask = self._asked.get(path.removeprefix(PREFIX).rstrip("/"))
        if ask is None:
            there = ", ".join(PREFIX + each for each in self._asked)
            raise Problem(HTTPStatus.NOT_FOUND, f"nothing at {path[:200]}; there are {there}")
        if scope["method"] not in ("GET", "HEAD"):
            raise Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"{scope['method']} {path}; allowed: GET, HEAD", allow=METHODS)
        try:
            async with asyncio.timeout(_LIMIT):
                return await ask()
        except TimeoutError:
            raise _unavailable("too many ask for other things at once", "BUSY") from None

    async def _programs(self) -> bytes:
        """What everybody says, and what is wrong."""

        async def ask() -> bytes:
            answers = await self._everybody(self._statuses)
            fleet = read(answers)
            return self._encoded(
                fleet.simulated,
                programs=[msgspec.Raw(answer) for answer in answers],
                troubles=troubles(fleet),
            )

        return await self._told.get("", ask)

    async def _everybody(self, asked: RollCall, question: bytes = b"") -> list[bytes]:
        """What everybody answers.  Raises Problem without NATS: each answer goes by way of it, also our own."""
        answers = await asked.call(question) if self._bus.is_connected else []
        if not self._bus.is_connected:
            raise _unavailable("NATS is not connected", "NOT_READY")
        if not answers:
            raise _unavailable("nobody answers over NATS", "NOT_READY")
        return answers

    def _encoded(self, simulated: bool, **more: object) -> bytes:
        told = {
            "simulated": simulated or bool(self._visits.simulation),
            "at": self._clock.time_ns() // 1_000_000,
            "gateway": self._house.name,
        }
        return msgspec.json.encode({**told, **more})


def _unavailable(detail: str, code: str) -> Problem:
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, code, _AGAIN)
