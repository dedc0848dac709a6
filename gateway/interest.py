"""The streams that this gateway reads from the bus, and announces to the workers."""

from collections.abc import Callable

from fsnats.announcer import Announcer
from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.subjects import subject_of
from gateway.fanout.channel import Channel
from gateway.fanout.hub import Key

LINGER = 1.0  # seconds that a stream without listeners stays subscribed: reconnecting crowds do not thrash the bus


class Interest:
    """Subscribes channels on the bus and announces them."""

    def __init__(self, gateway: str, markets: tuple[Market, ...], bus: Bus, monotonic: Callable[[], float]) -> None:
        self._bus = bus
        self._monotonic = monotonic
        self._subscribed: dict[Key, tuple[int, Channel]] = {}
        self._idle: dict[Key, float] = {}  # when its last listener left
        self._announcer = Announcer(gateway, markets, bus, monotonic, self._names)

    def first(self, channel: Channel) -> None:
        """A stream has its first listener here."""
        stream = channel.stream
        key = (stream.market, stream.name)
        self._idle.pop(key, None)
        before = self._subscribed.pop(key, None)
        if before is not None:  # it lingered
            self._bus.redirect(before[0], channel.receive)
            self._subscribed[key] = (before[0], channel)
        else:
            sid = self._bus.subscribe(subject_of(stream.market, stream.name), channel.receive)
            self._subscribed[key] = (sid, channel)
            self._announcer.add(stream.market, stream.name)

    def last(self, channel: Channel) -> None:
        """A stream has lost its last listener here."""
        self._idle[(channel.stream.market, channel.stream.name)] = self._monotonic()

    def bus_changed(self, connected: bool) -> None:
        """The bus came back: tell everything.  What was sent meanwhile shows as a hole in each stream's sequence."""
        if connected:
            self._announcer.repeat()

    async def run(self) -> None:
        """Announce what is wanted, until cancelled."""
        await self._announcer.run(self._drop_idle)

    def withdraw(self) -> None:
        """This gateway stops: it wants nothing any more."""
        self._subscribed.clear()
        self._idle.clear()
        self._announcer.announce_whole()

    def _names(self, market: Market) -> list[str]:
        return [name for where, name in self._subscribed if where is market]

    def _drop_idle(self) -> None:
        now = self._monotonic()
        dropped: dict[Market, list[str]] = {}
        for key in [key for key, since in self._idle.items() if now - since >= LINGER]:
            del self._idle[key]
            sid, _ = self._subscribed.pop(key)
            self._bus.unsubscribe(sid)
            dropped.setdefault(key[0], []).append(key[1])
        for market, names in dropped.items():
            self._announcer.drop(market, names)
