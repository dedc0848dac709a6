"""What the simulator did and saw: each event sent, each connection, each broken limit.  Tests compare against it."""

from collections import deque
from collections.abc import Iterable
from itertools import islice

import msgspec

from fsnats.binance.streams import Market
from fsnats.chaos.identity import Identity, identify

_CONNECTIONS_KEPT = 10_000  # closed ones
_VIOLATIONS_KEPT = 10_000
_IDENTITIES_KEPT = 20_000  # of one stream: 40 s of 10,000 messages a second over twenty streams


class Violation(msgspec.Struct, frozen=True):
    """A limit that a client broke.  `connection` is 0 for REST and for dials that were refused."""

    limit: str  # streams, messages, request_bytes, dials, pong, url_bytes, weight, ban, json, binary
    market: Market
    connection: int
    peer: str
    detail: str
    at: int  # milliseconds


class Events(msgspec.Struct):
    """The events of one stream: how many were produced while anybody was subscribed, and how many frames went out."""

    produced: int = 0
    delivered: int = 0
    payloads: list[bytes] = msgspec.field(default_factory=list)  # only when recording
    identities: deque[tuple[int, Identity]] = msgspec.field(  # only for a judge: milliseconds and who
        default_factory=lambda: deque(maxlen=_IDENTITIES_KEPT)
    )

    def note(self, kind: str, payload: bytes, at: int) -> None:
        """Remember who an event was, of the newest ones."""
        self.identities.append((at, identify(kind, payload)))

    def since(self, number: int) -> dict[str, object]:
        """The identities from the event of that number on; the first event is number 0.

        `first` is the number of the first one listed: higher than asked for when older ones are forgotten.
        """
        forgotten = self.produced - len(self.identities)
        first = min(max(number, forgotten), self.produced)
        return {
            "first": first,
            "next": self.produced,
            "events": [[at, identity] for at, identity in islice(self.identities, first - forgotten, None)],
        }


class Connection(msgspec.Struct):
    """One WebSocket.  `streams` holds every name it subscribed, `silent` those of them that can never deliver here."""

    id: int
    market: Market
    route: str
    peer: str
    opened: int  # milliseconds
    streams: dict[str, None] = msgspec.field(default_factory=dict)
    silent: dict[str, None] = msgspec.field(default_factory=dict)
    received: int = 0  # messages, pings and pongs included
    requests: int = 0
    sent: int = 0
    sent_bytes: int = 0
    streams_most: int = 0
    ended: str = ""  # why, once it is over


class Ledger:
    """The simulator's memory of itself."""

    def __init__(self) -> None:
        self.events: dict[tuple[Market, str], Events] = {}
        self.connections: dict[int, Connection] = {}
        self.closed: deque[Connection] = deque(maxlen=_CONNECTIONS_KEPT)
        self.violations: list[Violation] = []
        self.violations_count = 0
        self.dials = 0  # handshakes asked for, refused ones included
        self.requests: dict[tuple[Market, str], int] = {}  # REST requests by path
        self.callers: dict[str, int] = {}  # REST requests by address, refused ones included
        self.shortfall = 0  # messages that the asked-for rate had and this machine had not

    def of(self, market: Market, stream: str) -> Events:
        """The events of a stream."""
        events = self.events.get((market, stream))
        if events is None:
            events = self.events[market, stream] = Events()
        return events

    def produced(self, market: Market | None = None) -> int:
        """How many events there were, on one market or all."""
        return sum(events.produced for (of, _), events in self.events.items() if market in (None, of))

    def payloads(self, market: Market, stream: str) -> list[bytes]:
        """The recorded bytes of a stream's events, oldest first."""
        return self.of(market, stream).payloads

    def subscribers(self, market: Market, stream: str) -> int:
        """How many of the current connections have subscribed to a stream."""
        return sum(each.market is market and stream in each.streams for each in self.connections.values())

    def subscribed(self, market: Market) -> list[str]:
        """Every stream that a current connection has subscribed to, once per connection, sorted."""
        return sorted(name for each in self.connections.values() if each.market is market for name in each.streams)

    def violate(self, violation: Violation) -> None:
        """Note a broken limit."""
        self.violations_count += 1
        if len(self.violations) < _VIOLATIONS_KEPT:
            self.violations.append(violation)

    def snapshot(self) -> dict[str, object]:
        """Everything but payloads, for JSON."""
        return {
            "events": {market: self._counts(market) for market in Market},
            "produced": self.produced(),
            "delivered": sum(events.delivered for events in self.events.values()),
            "dials": self.dials,
            "shortfall": self.shortfall,
            "violations_count": self.violations_count,
            "violations": self.violations,
            "connections": _listed(self.connections.values()),
            "closed": _listed(self.closed),
            "callers": self.callers,
            "requests": {f"{market}{path}": count for (market, path), count in sorted(self.requests.items())},
        }

    def _counts(self, market: Market) -> dict[str, int]:
        return {stream: events.produced for (of, stream), events in self.events.items() if of is market}


def _listed(connections: Iterable[Connection]) -> list[dict[str, object]]:
    return [
        {**msgspec.structs.asdict(each), "streams": list(each.streams), "silent": list(each.silent)}
        for each in connections
    ]
