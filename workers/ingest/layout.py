"""Which feed carries which stream.  Streams stay where they are; feeds are filled in order and dropped when empty."""

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
        for name in [name for name in self._place if name not in streams]:
            self._feeds[self._place.pop(name)].discard(name)
        for name in sorted(streams.keys() - self._place.keys()):  # sorted: the same wishes make the same layout
            key = self._room(streams[name])
            self._feeds.setdefault(key, set()).add(name)
            self._place[name] = key
        for key in [key for key, names in self._feeds.items() if not names]:
            del self._feeds[key]
        return self._feeds

    def _room(self, route: Route) -> FeedKey:
        number = 0
        while len(self._feeds.get(key := FeedKey(route, number), ())) >= self._capacity:
            number += 1
        return key
