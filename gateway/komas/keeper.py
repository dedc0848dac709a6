"""Keeps pinned streams wanted at this gateway, whichever gateway they were pinned at."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

import msgspec

from fsnats.binance.streams import Market, parse
from fsnats.bus import Bus, jetstream
from fsnats.errors import BusUnavailable, StreamNameError
from fsnats.pins import ALL, BUCKET, Pin, Table, flag, subject
from gateway.hub import Hub
from gateway.lane import Lane
from gateway.protocol.forms import BARE

logger = logging.getLogger(__name__)


_TIMEOUT = 5.0  # seconds for one look at the bucket
_REFRESH = 15.0  # seconds between two looks at everything
_RETRY = 1.0  # seconds after a look that failed
_BATCH = 10_000


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
        await jetstream.put(self._bus, where, value)
        self._heard(where, "", value)

    async def _load(self) -> None:
        question = msgspec.json.encode({"multi_last": [ALL], "batch": _BATCH})
        answers = await self._bus.collect(f"$JS.API.DIRECT.GET.KV_{BUCKET}", question, _TIMEOUT, _BATCH + 1)
        if answers[-1].status not in ("204", "404"):
            raise BusUnavailable(f"the bucket answers {answers[-1].status}")
        self.table.clear()
        for answer in answers[:-1]:
            self.table.put(_subject_in(answer.head), answer.payload)
        self._hold()

    def _heard(self, where: str, _reply: str, value: bytes) -> None:
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


def _subject_in(head: bytes) -> str:
    _, _, rest = head.partition(b"\r\nNats-Subject:")
    return rest.partition(b"\r\n")[0].strip().decode()
