"""Recorded captures, sent again: the same bytes in the same order, spaced as they were or faster.

What a capture is: `fsnats.captures`.  Several are merged by their times; no exchange tells gaps: notices are left out.
"""

from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from fsnats.binance.parameters import Query, RestError
from fsnats.binance.streams import Market, parse
from fsnats.captures.check import messages
from fsnats.captures.files import Reader
from fsnats.captures.lines import Message, message_of
from fsnats.captures.order import merged
from fsnats.errors import ConfigError, StreamNameError
from workers.simulator.hub import Channel, Hub
from workers.simulator.instruments import Instrument, instrument
from workers.simulator.rest import Rest
from workers.simulator.settings import Settings
from workers.simulator.world import World

_BATCH = 500  # rows between two looks at how far the readers are, when the speed has no limit
_BUFFERED_MAX = 4 * 1024 * 1024  # bytes that may wait in one reader's connection then


def events(paths: tuple[Path, ...]) -> Iterator[Message]:
    """The events of all captures in the order of their times; those of one stream keep their order."""
    return (message for message in merged(map(messages, paths)) if not message.is_gap)


class Replay:
    """Takes the place of the market: streams that were captured speak, all others are silent."""

    def __init__(self, settings: Settings, hub: Hub, monotonic: Callable[[], float]) -> None:
        self._paths = tuple(Path(path) for path in settings.replay)
        for path in self._paths:
            if not path.is_file():
                raise ConfigError("replay", f"no such file: {path}")
        self._speed = settings.speed
        self._unpaced = settings.unpaced
        self._waits = settings.replay_waits
        self._seed = settings.seed
        self._hub = hub
        self._monotonic = monotonic
        self._snapshots: dict[tuple[Market, str], bytes] = {}
        self.streams: dict[tuple[Market, str], int] = {}
        self.total = 0
        self.done = 0  # rows that had their time, heard or not
        self.sent = 0  # rows that somebody was subscribed to
        self._scan()
        self._missing = set(self.streams)
        self._upcoming: Iterator[Message] | None = None
        self._next: Message | None = None
        self._begun = 0.0
        self._first = 0

    @property
    def finished(self) -> bool:
        """Whether everything was sent."""
        return self._upcoming is not None and self._next is None

    def progress(self) -> dict[str, object]:
        """For the ledger."""
        return {
            "started": self._upcoming is not None,
            "finished": self.finished,
            "total": self.total,
            "done": self.done,
            "sent": self.sent,
            "streams": len(self.streams),
            "unsubscribed": sorted(f"{market} {name}" for market, name in self._missing),
        }

    def instruments(self) -> list[Instrument]:
        """What the captures are about; all of it trades."""
        symbols = {}
        for market, name in self.streams:
            try:
                subject = parse(market, name).subject
            except StreamNameError:
                continue  # captures of old hosts hold streams that exist no more
            if subject:
                symbols[market, subject] = instrument(market, subject, seed=self._seed, listed=0)
        return list(symbols.values())

    def rest(self, world: World) -> Rest:
        """REST beside a replay: what is listed and the captured depth snapshots; no history, none was recorded."""
        return _ReplayRest(world, self._snapshots)

    def start(self) -> None:
        """Begin to send, whoever is subscribed.  Does nothing once begun."""
        if self._upcoming is None:
            self._upcoming = events(self._paths)
            self._next = next(self._upcoming, None)
            self._begun = self._monotonic()
            self._first = self._next.due_ns if self._next is not None else 0

    def opened(self, channel: Channel) -> None:
        """A stream is subscribed; the last captured one starts the replay, unless it waits to be told."""
        self._missing.discard((channel.market, channel.name))
        if not self._missing and not self._waits:
            self.start()

    def closed(self, channel: Channel) -> None:
        """A stream is no longer subscribed: its rows pass unheard."""
        if self._upcoming is None and (channel.market, channel.name) in self.streams:
            self._missing.add((channel.market, channel.name))

    def turn(self, now: int) -> None:
        """Send what is due."""
        if self._upcoming is None:
            return
        if self._unpaced:
            while self._next is not None and not self._congested():
                self._send(self._take(_BATCH))
                self._hub.flush()
            return
        self._send(self._take_until(self._first + (self._monotonic() - self._begun) * self._speed * 1e9))

    def _take(self, count: int) -> Iterator[Message]:
        return islice(self._take_until(float("inf")), count)

    def _take_until(self, until_ns: float) -> Iterator[Message]:
        assert self._upcoming is not None
        while self._next is not None and self._next.due_ns <= until_ns:
            message, self._next = self._next, next(self._upcoming, None)
            yield message

    def _send(self, due: Iterator[Message]) -> None:
        for message in due:
            self.done += 1
            channel = self._hub.channels.get((message.market, message.stream))
            if channel is not None:
                self.sent += 1
                self._hub.deliver(channel, message.data, message.raw)

    def _congested(self) -> bool:
        return any(
            listener.backlog() > _BUFFERED_MAX
            for channel in self._hub.channels.values()
            for listener in channel.listeners
        )

    def _scan(self) -> None:
        """Read all captures once: which streams they hold, and their first depth snapshots."""
        for row in chain.from_iterable(Reader(path).rows() for path in self._paths):
            message = message_of(row)
            if message is not None and not message.is_gap:
                key = (message.market, message.stream)
                self.streams[key] = self.streams.get(key, 0) + 1
                self.total += 1
            elif row.kind == "rest" and row.raw is not None and (url := urlsplit(row.url)).path.endswith("/depth"):
                symbol = parse_qs(url.query).get("symbol", [""])[0]
                self._snapshots.setdefault((row.market, symbol), row.raw.encode())


class _ReplayRest(Rest):
    """REST without a market model behind it."""

    def __init__(self, world: World, snapshots: dict[tuple[Market, str], bytes]) -> None:
        super().__init__(world)
        self._snapshots = snapshots

    async def answer(self, market: Market, name: str, query: Query, now: int) -> bytes:
        """A captured snapshot, an empty history, or what does not depend on prices."""
        if name in ("ping", "time", "exchangeInfo"):
            return await super().answer(market, name, query, now)
        if name == "depth":
            snapshot = self._snapshots.get((market, query.get("symbol", "")))
            if snapshot is not None:
                return snapshot
            raise RestError(-1001, "This capture holds no snapshot of that book.", 503)
        brief = {key: value for key, value in query.items() if key not in ("startTime", "endTime", "fromId")}
        await super().answer(market, name, {**brief, "limit": "1"}, now)  # for its errors
        return b"[]"
