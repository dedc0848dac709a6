"""Keeps pinned streams wanted at this gateway, whichever gateway they were pinned at."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

import msgspec

from fsnats.binance.streams import Market, parse
from fsnats.bus import Answer, Bus, jetstream
from fsnats.errors import BusUnavailable, StreamNameError
from fsnats.pins import ALL, BUCKET, Pin, Table, flag, subject
from gateway.fanout.hub import Hub
from gateway.fanout.lane import Lane
from gateway.protocol.forms import BARE

logger = logging.getLogger(__name__)


_STREAM = f"KV_{BUCKET}"
_REFRESH = 15.0  # seconds between two looks at everything
_RETRY = 1.0  # seconds after a look that failed
_BATCH = 1_000  # values of one question


class Nobody:
    """Listens, so that somebody does: channels keep the newest value themselves."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.send: Callable[[bytes], int] = len  # it takes everything

    @property
    def waiting(self) -> None:
        return None

    def keep(self, rest: bytes) -> None:
        """Nothing is left."""

    def forget(self, lane: Lane) -> None:
        """Nothing waits."""


class Keeper:
    """The pins of all sessions, and this gateway's part of them."""

    def __init__(self, bus: Bus, hub: Hub) -> None:
        self._bus = bus
        self._hub = hub
        self._nobody = Nobody()
        self._held: set[tuple[Market, str]] = set()
        self._news = asyncio.Event()
        self._heard_since: list[tuple[str, bytes]] = []  # since we last began to read everything
        self.table = Table()

    async def run(self) -> None:
        """Follow the bucket for ever."""
        self._bus.subscribe(ALL, self._heard)
        self._bus.on_connect(self._news.set)
        while True:
            self._news.clear()
            try:
                await self._load()
                again = _REFRESH
            except BusUnavailable as error:
                logger.debug("pins cannot be read", extra={"event": "pins.unreadable", "error": str(error)})
                again = _RETRY
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(again):
                    await self._news.wait()

    async def pin(self, session: str, pins: Iterable[Pin]) -> None:
        """Pin streams.  Raises BusUnavailable; then some may be pinned already."""
        for pin in pins:
            await self._put(subject(session, pin.market, pin.stream), msgspec.json.encode(pin))
        await self._put(flag(session), b"true")

    async def unpin(self, session: str, pins: Iterable[Pin]) -> None:
        """Undo `pin`.  Raises BusUnavailable."""
        for pin in pins:
            await self._put(subject(session, pin.market, pin.stream), b"")

    async def connect(self, session: str, connected: bool) -> None:
        """Hold a session's pins, or hold them no more.  Raises BusUnavailable."""
        await self._put(flag(session), b"true" if connected else b"false")

    async def _put(self, where: str, value: bytes) -> None:
        # We hear it like everybody else, and before JetStream's acknowledgement.
        await jetstream.put(self._bus, where, value)

    async def _load(self) -> None:
        """Read everything, and clear away what was taken out."""
        self._heard_since.clear()
        answers = await self._everything()
        self.table.clear()
        for answer in answers:
            self.table.put(jetstream.field(answer, "Nats-Subject"), answer.payload)
        for where, value in self._heard_since:  # in its order, and no older than what was read
            self.table.put(where, value)
        self._hold()
        for answer in answers:
            if not answer.payload:
                # Up to this value, and not one that was put in its place meanwhile.
                where, behind = jetstream.field(answer, "Nats-Subject"), jetstream.number(answer, "Nats-Sequence") + 1
                wish = msgspec.json.encode({"filter": where, "seq": behind})
                await jetstream.ask(self._bus, f"STREAM.PURGE.{_STREAM}", wish, kind=jetstream.Reply)

    async def _everything(self) -> list[Answer]:
        """The values of all keys, also the empty ones of those that were taken out."""
        found: list[Answer] = []
        start = 1
        while True:
            question = msgspec.json.encode({"seq": start, "next_by_subj": ALL, "batch": _BATCH})
            answers = await jetstream.held(self._bus, _STREAM, question, _BATCH + 1)
            found += answers
            if not answers or jetstream.number(answers[-1], "Nats-Num-Pending") == 0:
                return found
            start = jetstream.number(answers[-1], "Nats-Sequence") + 1

    def _heard(self, where: str, _reply: str, value: bytes) -> None:
        self._heard_since.append((where, value))
        self.table.put(where, value)
        self._hold()

    def _hold(self) -> None:
        wanted = self.table.held()
        for market, name in self._held - wanted:
            self._hub.leave(parse(market, name), BARE, self._nobody)
        for market, name in wanted - self._held:
            try:
                self._hub.listen(parse(market, name), BARE, self._nobody)
            except StreamNameError as error:
                logger.warning(
                    "a pin is no stream", extra={"event": "pins.no_stream", "stream": name, "error": str(error)}
                )
                wanted = wanted - {(market, name)}
        self._held = wanted
