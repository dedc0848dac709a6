"""Which streams clients listen to, as their gateways announce it (`fsnats.demand`).  Pure."""

import msgspec

from fsnats.binance.streams import Market
from fsnats.demand import FORGET_AFTER, Announcement

Key = tuple[Market, str]


class _Gateway(msgspec.Struct):
    heard: float
    wants: set[Key]
    pages: set[Key]


class Audience:
    """All gateways' announcements; times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._gateways: dict[str, _Gateway] = {}

    def hear(self, announcement: Announcement, now: float) -> None:
        """Take one announcement."""
        gateway = self._gateways.setdefault(announcement.gateway, _Gateway(now, set(), set()))
        gateway.heard = now
        market = announcement.market
        named = {(market, name) for name in announcement.streams}
        match announcement.kind:
            case "add":
                gateway.wants |= named
            case "drop":
                gateway.wants -= named
            case "whole":
                gateway.pages = gateway.pages | named if announcement.page else named
                if announcement.page == announcement.pages - 1:
                    gateway.wants = {key for key in gateway.wants if key[0] is not market} | gateway.pages

    def streams(self, now: float) -> int:
        """How many streams somebody listens to."""
        heard = (gateway for gateway in self._gateways.values() if now - gateway.heard <= FORGET_AFTER)
        return len(set[Key]().union(*(gateway.wants for gateway in heard)))
