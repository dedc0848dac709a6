"""Which streams this worker carries now: what gateways want, what is always wanted, and a linger.  No clock, no bus."""

from collections.abc import Callable, Iterable

import msgspec

from fsnats.demand import FORGET_AFTER, Announcement


class _Gateway(msgspec.Struct):
    heard: float
    wants: set[str]
    round: int = -1
    pages: dict[int, list[str]] = {}


class DemandBook:
    """The wishes of all gateways, reduced to the streams that this worker owns.

    Times are seconds of one monotonic clock.
    """

    def __init__(self, is_mine: Callable[[str], bool], linger: float) -> None:
        """`is_mine` says whether this worker owns a stream name; names it does not own are not kept."""
        self._is_mine = is_mine
        self._linger = linger
        self._gateways: dict[str, _Gateway] = {}
        self._always: frozenset[str] = frozenset()
        self._carried: dict[str, float | None] = {}  # stream -> when the last wish for it ended; None while wanted

    def hear(self, announcement: Announcement, now: float) -> None:
        """Take one announcement."""
        gateway = self._gateways.get(announcement.gateway)
        if gateway is None:
            gateway = self._gateways[announcement.gateway] = _Gateway(now, set())
        gateway.heard = now
        match announcement.kind:
            case "add":
                gateway.wants.update(filter(self._is_mine, announcement.streams))
            case "drop":
                gateway.wants.difference_update(announcement.streams)
            case "whole":
                self._hear_page(gateway, announcement)

    def _hear_page(self, gateway: _Gateway, announcement: Announcement) -> None:
        if announcement.round != gateway.round:
            gateway.round, gateway.pages = announcement.round, {}
        gateway.pages[announcement.page] = announcement.streams
        if len(gateway.pages) == announcement.pages:
            gateway.wants = {name for page in gateway.pages.values() for name in page if self._is_mine(name)}
            gateway.pages = {}

    def keep_always(self, names: Iterable[str]) -> None:
        """Carry these whether or not a gateway wants them."""
        self._always = frozenset(names)

    def forgive(self, now: float) -> None:
        """Count every gateway as just heard: nobody could be heard while the bus was down."""
        for gateway in self._gateways.values():
            gateway.heard = now

    def carried(self, now: float) -> set[str]:
        """The streams to carry now.  Forgets silent gateways and streams whose linger is over."""
        for name in [name for name, gateway in self._gateways.items() if now - gateway.heard > FORGET_AFTER]:
            del self._gateways[name]
        wanted = set(self._always).union(*(gateway.wants for gateway in self._gateways.values()))
        for name in wanted:
            self._carried[name] = None
        for name, ended in list(self._carried.items()):
            if name in wanted:
                continue
            if ended is None:
                self._carried[name] = ended = now
            if now - ended >= self._linger or not self._is_mine(name):
                del self._carried[name]
        return set(self._carried)

    @property
    def gateways(self) -> dict[str, int]:
        """The gateways heard lately and how many of this worker's streams each wants."""
        return {name: len(gateway.wants) for name, gateway in self._gateways.items()}
