"""Which feed carries which stream.  Streams stay where they are unless they are told to move; feeds are filled in order
and dropped when empty."""

from typing import NamedTuple

from fsnats.binance.limits import STREAMS_PER_FEED
from fsnats.binance.streams import Route


class FeedKey(NamedTuple):
    """A feed's place: its route, and its number among the feeds of that route."""

    route: Route
    number: int


class Layout:
    """The assignment of streams to feeds."""

    def __init__(self, capacity: int = STREAMS_PER_FEED) -> None:
        self._capacity = capacity
        self._feeds: dict[FeedKey, set[str]] = {}
        self._place: dict[str, FeedKey] = {}

    def arrange(self, streams: dict[str, Route]) -> dict[FeedKey, set[str]]:
        """Carry exactly these streams from now on; returns what each feed carries.  Other feeds are to close."""
        for name in [name for name, key in self._place.items() if streams.get(name) != key.route]:
            self.displace(name)
        for name in sorted(streams.keys() - self._place.keys()):  # sorted: the same wishes make the same layout
            key = self._room(streams[name])
            self._feeds.setdefault(key, set()).add(name)
            self._place[name] = key
        for key in [key for key, names in self._feeds.items() if not names]:
            del self._feeds[key]
        return self._feeds

    def move(self, name: str) -> None:
        """Carry a stream on another feed of its route, if it has one."""
        here = self._place.get(name)
        if here is None:
            return
        there = self._room(here.route, but=here)
        self.displace(name)
        self._feeds.setdefault(there, set()).add(name)
        self._place[name] = there

    def displace(self, name: str) -> None:
        """Take a stream from its feed, so that it is given one as if it were new."""
        key = self._place.pop(name, None)
        if key is not None:
            self._feeds[key].discard(name)

    def __contains__(self, name: str) -> bool:
        return name in self._place

    def _room(self, route: Route, but: FeedKey | None = None) -> FeedKey:
        number = 0
        while (key := FeedKey(route, number)) == but or len(self._feeds.get(key, ())) >= self._capacity:
            number += 1
        return key
