"""Listens to streams straight on the bus, and asks workers for them as a gateway does."""

import asyncio
import contextlib

from fsnats import demand
from fsnats.binance.streams import Stream
from fsnats.bus import Bus
from fsnats.errors import FrameError
from fsnats.frames import Frame, Key, between, decode, key_of
from fsnats.subjects import DEMAND_REQUEST, subject_of
from fsnats.subjects import demand as demand_subject

QUEUE_MOST = 10_000  # frames that may wait for a reader who is slow; later ones are counted, not kept


class Listener:
    """What arrives is in `frames`, in order.  `run` keeps the demand alive, `withdraw` ends it.

    `lost` counts what the sequence numbers say was sent and never came, `skipped` what came and found no room.
    """

    def __init__(self, bus: Bus, name: str, streams: list[Stream]) -> None:
        """`name` is what workers know this listener by; nobody else on the bus may have it."""
        self._bus = bus
        self._name = name
        self._streams = streams
        self._asked = asyncio.Event()
        self._round = 0
        self._newest: dict[str, Key] = {}  # by stream
        self.frames: asyncio.Queue[Frame] = asyncio.Queue(QUEUE_MOST)
        self.lost = 0
        self.skipped = 0
        self.unreadable = 0

    async def run(self) -> None:
        """Listen and announce the whole set every few seconds and whenever a worker asks, until cancelled."""
        self._bus.subscribe(DEMAND_REQUEST, lambda _subject, _reply, _payload: self._asked.set())
        for stream in self._streams:
            self._bus.subscribe(subject_of(stream.market, stream.name), self._received)
        while True:
            self._asked.clear()
            self._announce([stream.name for stream in self._streams])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(demand.WHOLE_EVERY):
                    await self._asked.wait()

    def withdraw(self) -> None:
        """Nothing is wanted any more."""
        self._announce([])

    def _announce(self, names: list[str]) -> None:
        self._round += 1
        market = self._streams[0].market
        for announcement in demand.whole(self._name, market, names, self._round):
            self._bus.publish(demand_subject(market), demand.encode(announcement))

    def _received(self, _subject: str, _reply: str, payload: bytes) -> None:
        try:
            frame = decode(payload)
        except FrameError:
            self.unreadable += 1
            return
        lost = between(self._newest.get(frame.stream, (frame.epoch, frame.seq - 1)), frame) or 0
        if lost < 0:
            return  # sent again, after NATS was lost
        self.lost += lost
        self._newest[frame.stream] = key_of(frame)
        try:
            self.frames.put_nowait(frame)
        except asyncio.QueueFull:
            self.skipped += 1
