"""Reads streams from the bus and has them written, each in its order; what is missing is read again, or told."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial

from fsnats import catalogue, frames, replay
from fsnats.announcer import Announcer
from fsnats.binance.streams import Market, Stream, parse
from fsnats.bus import Bus
from fsnats.captures.lines import Line, Spelling
from fsnats.captures.manifest import StreamTally
from fsnats.errors import BusUnavailable, FrameError, StreamNameError
from fsnats.frames import GAP, Frame
from fsnats.subjects import PREFIX, subject_of
from fsnats.symbols import Listing
from workers.capture import wishes
from workers.capture.desk import Desk
from workers.capture.track import Track, Verdict

PATIENCE = 2.0  # seconds that filling a hole may take
_PAUSE = 0.05  # seconds between two looks: the window lags behind what is live by a moment
_AT_ONCE = 8  # holes that are filled at a time
_MOST = 20_000  # frames that are read of one; a busy stream brings so many while a capture is started again

logger = logging.getLogger(__name__)


class _Captured:
    """One stream that is captured; `sid` is its subscription, 0 where one of many."""

    __slots__ = ("sid", "spelling", "track")

    def __init__(self, stream: Stream, place: StreamTally | None) -> None:
        self.spelling = Spelling(stream.market, stream.name)
        self.track = Track(stream) if place is None else Track(stream, (place.epoch, place.seq), place.last_ns)
        self.sid = 0


class Capture:
    """What one process captures: the streams that patterns name, or, without any, whatever is on the bus."""

    def __init__(
        self,
        bus: Bus,
        name: str,
        patterns: Mapping[Market, list[str]],
        listings: Mapping[Market, Listing],
        places: Mapping[str, StreamTally],
        desk: Callable[[Callable[[], None]], Desk],
    ) -> None:
        """`listings` are those of the markets to capture from, `places` where an earlier capture stopped."""
        self._bus = bus
        self._patterns = patterns
        self._places = places
        self._streams: dict[Market, dict[str, _Captured]] = {market: {} for market in listings}
        self._listings = listings
        self._announcer = Announcer(name, listings, bus, time.monotonic, lambda market: self._streams[market])
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._tasks = asyncio.TaskGroup()
        self._unknown: set[str] = set()
        self._empty: set[str] = set()  # patterns of which it was told that they fit nothing
        self._held_bytes = 0
        self._is_closed = False
        self.desk = desk(self._emptied)
        self.gaps = 0
        self.refused = 0  # frames for which there was no room; they are read again, or told
        self.unreadable = 0

    async def run(self) -> None:
        """Capture, until cancelled."""
        async with self._tasks as tasks:
            forget = self._bus.on_connect(self._connected)
            try:
                for market, listing in self._listings.items():
                    if self._patterns:
                        self._listed(listing)
                        tasks.create_task(catalogue.watch(self._bus, catalogue.LISTINGS, market, Listing, self._listed))
                    else:
                        self._bus.subscribe(f"{PREFIX}.{market}.>", partial(self._received, market))
                        self._resume_all(market)
                tasks.create_task(self._catch_up())
                await (self._announcer.run() if self._patterns else asyncio.Event().wait())
            finally:
                forget()

    def close(self) -> None:
        """Want nothing more, and put what waits for holes to be filled."""
        self._is_closed = True
        for market, streams in self._streams.items():
            for captured in streams.values():
                for frame in captured.track.close():
                    self._put(market, captured, frame)
            streams.clear()
        if self._patterns:
            self._announcer.announce_whole()

    @property
    def streams(self) -> int:
        """How many streams are captured."""
        return sum(map(len, self._streams.values()))

    # What comes.

    def _received(self, market: Market, _subject: str, _reply: str, data: bytes) -> None:
        try:
            frame = frames.decode(data)
        except FrameError:
            self.unreadable += 1
            return
        captured = self._streams[market].get(frame.stream) or self._found(market, frame.stream)
        if captured is None or self._is_closed:
            return
        track = captured.track
        if not self.desk.admits(self._held_bytes):
            self.refused += 1
            track.refuse(frame)
            return
        match track.take(frame):
            case Verdict.WRITE:
                self._put(market, captured, frame)
            case Verdict.HOLE:
                self._held_bytes += len(frame.payload)
                self._tasks.create_task(self._fill(market, captured))
            case Verdict.HELD:
                self._held_bytes += len(frame.payload)
            case Verdict.OVERRUN:
                self._held_bytes += len(frame.payload)
                self._filled(market, captured, [])

    def _found(self, market: Market, name: str) -> _Captured | None:
        """A stream that was not captured so far, where whatever comes is."""
        if self._patterns or name in self._unknown:
            return None
        try:
            stream = parse(market, name)
        except StreamNameError:
            self.unreadable += 1
            self._unknown.add(name)
            return None
        captured = self._streams[market][name] = _Captured(stream, self._places.get(f"{market}:{name}"))
        return captured

    def _put(self, market: Market, captured: _Captured, frame: Frame) -> None:
        notice = frame.payload if frame.flags & GAP else None
        self.gaps += notice is not None
        text = captured.spelling.line(frame)
        line = Line(text, market, captured.track.stream.name, frame.received_ns, frame.epoch, frame.seq, notice)
        self.desk.put(line)

    # What is wanted.

    def _listed(self, listing: Listing) -> None:
        market = listing.market
        streams, patterns = self._streams[market], self._patterns.get(market, ())
        wanted = wishes.expand(patterns, listing)
        for pattern in patterns:
            if f"{market}:{pattern}" not in self._empty and not wishes.fits(pattern, listing):
                self._empty.add(f"{market}:{pattern}")
                logger.warning(
                    "a pattern fits nothing that trades now; it is captured as soon as something does",
                    extra={"event": "capture.fits_nothing", "market": market, "pattern": pattern},
                )
        for name, stream in wanted.items():
            if name not in streams:
                captured = streams[name] = _Captured(stream, self._places.get(f"{market}:{name}"))
                captured.sid = self._bus.subscribe(subject_of(market, name), partial(self._received, market))
                self._announcer.add(market, name)
        gone = [name for name in streams if name not in wanted]
        for name in gone:
            captured = streams.pop(name)
            self._bus.unsubscribe(captured.sid)
            for frame in captured.track.close():
                self._put(market, captured, frame)
        if gone:
            self._announcer.drop(market, gone)

    def _resume_all(self, market: Market) -> None:
        """Where whatever comes is captured, what an earlier capture held is looked for at once, too."""
        for key in self._places:
            prefix, _, name = key.partition(":")
            if prefix == market:
                self._found(market, name)

    # What is missing.

    def _connected(self) -> None:
        self._announcer.repeat()
        self._tasks.create_task(self._catch_up())

    def _emptied(self) -> None:
        if self._is_closed:
            return  # what was refused is told
        self._tasks.create_task(self._catch_up())

    async def _catch_up(self) -> None:
        """Look in the window for what came of streams while nobody listened: the next message may be long in coming."""
        for pause in (0.0, PATIENCE):  # what came in the last moment may not be in the window yet
            await asyncio.sleep(pause)
            await self._look()

    async def _look(self) -> None:
        by_market: dict[Market, dict[str, _Captured]] = {}
        captured = ((market, one) for market, streams in self._streams.items() for one in streams.values())
        for market, one in captured:
            if one.track.key is not None:
                by_market.setdefault(market, {})[one.track.stream.name] = one
        for market, streams in by_market.items():
            try:
                newest = await replay.lasts(self._bus, market, streams)
            except BusUnavailable:
                continue  # no window: the next message of each stream shows what is missing
            for name, frame in newest.items():
                track = streams[name].track
                if track.key is not None and frames.key_of(frame) > track.key and not track.is_waiting:
                    track.wait()
                    self._tasks.create_task(self._fill(market, streams[name]))

    async def _fill(self, market: Market, captured: _Captured) -> None:
        track, found = captured.track, list[Frame]()
        assert track.key is not None
        # Its time begins with its turn: a connection that was lost leaves a hole in every stream.
        async with self._slots:
            try:
                async with asyncio.timeout(PATIENCE):
                    while track.is_waiting:
                        read = await replay.after(self._bus, market, track.stream.name, *track.key, most=_MOST)
                        found = read.frames
                        if not track.is_waiting or track.reaches(found):
                            break
                        await asyncio.sleep(_PAUSE)
            except (TimeoutError, BusUnavailable):
                pass  # what could not be read is told
        self._filled(market, captured, found)

    def _filled(self, market: Market, captured: _Captured, found: list[Frame]) -> None:
        track = captured.track
        if not track.is_waiting or self._is_closed:
            return
        self._held_bytes -= track.held_bytes
        for frame in track.filled(found):
            self._put(market, captured, frame)
