"""Reads streams of any market off the bus as a gateway would, and tells a judge of each."""

import asyncio
import contextlib
import time

import msgspec

from fsnats import demand, frames
from fsnats.binance.streams import Market, Stream
from fsnats.bus import Bus
from fsnats.chaos.identity import identify
from fsnats.chaos.judge import StreamJudge
from fsnats.errors import UNREADABLE, FrameError
from fsnats.subjects import DEMAND_REQUEST, subject_of
from fsnats.subjects import demand as demand_subject


class Notice(msgspec.Struct):
    """The payload of a frame that is flagged GAP."""

    start: int = msgspec.field(name="from")
    end: int = msgspec.field(name="to")
    unit: str = "ms"
    reason: str = ""


_LATE = "late"  # the reason of a notice whose messages are still to come
_notice = msgspec.json.Decoder(Notice).decode


class Reading:
    """One stream that is read."""

    def __init__(self, stream: Stream, *, steady: bool) -> None:
        self.stream = stream
        self.steady = steady  # it speaks several times a second while all is well
        self.judge = StreamJudge()
        self.epoch = self.seq = 0  # of the newest frame
        self.known = 0  # how many of the exchange's events the judge was told of
        self.live = 0.0  # monotonic seconds of the newest frame that was not fetched afterwards
        self.back: float | None = None  # monotonic seconds of the first such frame after the mark


class Reader:
    """What arrives goes to the judges; `run` keeps the demand alive."""

    def __init__(self, bus: Bus, name: str) -> None:
        """`name` is what workers know this reader by."""
        self._bus = bus
        self._name = name
        self._asked = asyncio.Event()
        self._round = 0
        self.readings: dict[tuple[Market, str], Reading] = {}
        self.unreadable = 0
        self.notices = 0
        self.marked = 0.0  # monotonic seconds
        self.frames = 0

    def read(self, stream: Stream, *, steady: bool = True) -> None:
        """Want a stream from now on."""
        reading = self.readings[stream.market, stream.name] = Reading(stream, steady=steady)
        self._bus.subscribe(
            subject_of(stream.market, stream.name), lambda _subject, _reply, payload: self._received(reading, payload)
        )
        self._asked.set()

    def mark(self) -> None:
        """From now on `back` is looked for."""
        self.marked = time.monotonic()
        for reading in self.readings.values():
            reading.back = None

    async def run(self) -> None:
        """Announce the whole set every few seconds and whenever a worker asks, until cancelled."""
        self._bus.subscribe(DEMAND_REQUEST, lambda _subject, _reply, _payload: self._asked.set())
        self._bus.on_connect(self._asked.set)
        while True:
            self._asked.clear()
            self._round += 1
            for market in {market for market, _ in self.readings}:
                names = [name for of, name in self.readings if of is market]
                for announcement in demand.whole(self._name, market, names, self._round):
                    self._bus.publish(demand_subject(market), demand.encode(announcement))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(demand.WHOLE_EVERY):
                    await self._asked.wait()

    def _received(self, reading: Reading, data: bytes) -> None:
        self.frames += 1
        try:
            frame = frames.decode(data)
            if frame.epoch == reading.epoch and frame.seq <= reading.seq:
                return  # sent again, after NATS was lost
            reading.epoch, reading.seq = frame.epoch, frame.seq
            if frame.flags & frames.GAP:
                self.notices += 1
                notice = _notice(frame.payload)
                reading.judge.noticed(notice.unit, notice.start, notice.end, late=notice.reason == _LATE)
        except (FrameError, *UNREADABLE):
            self.unreadable += 1
            return
        now, instant = time.time_ns() // 1_000_000, time.monotonic()
        reading.judge.numbered(frame.epoch, frame.seq, now)
        if frame.flags & (frames.GAP | frames.SNAPSHOT):
            return
        recovered = bool(frame.flags & frames.RECOVERED)
        identity = identify(reading.stream.kind, frame.payload)
        reading.judge.delivered(now, identity, recovered=recovered, late=bool(frame.flags & frames.LATE))
        if not recovered:
            reading.live = instant
            if reading.back is None and self.marked:
                reading.back = instant
