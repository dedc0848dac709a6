"""How far an exchange's clock is from this machine's, by the exchange's answers to "what time is it?".  Pure.

The answer was written between the question's leaving and the answer's coming, so the offset lies within half the round
trip of what the midpoint says.  History workers ask once a minute and publish on `subjects.clock(market)`, as JSON.
"""

import logging
from collections import deque

import msgspec

from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.errors import UNREADABLE
from fsnats.subjects import clock

logger = logging.getLogger(__name__)

MOST_MS = 500.0  # beyond it, and what the round trip leaves open, ages and delays mislead
_KEPT = 5  # measurements: minutes in which clocks drift by milliseconds
_RESOLUTION_MS = 1.0  # the exchange tells whole milliseconds, rounded down


class Offset(msgspec.Struct, frozen=True):
    """One market's estimate: its clock less this machine's, the round trip that it was measured with, and when."""

    market: Market
    offset_ms: float
    rtt_ms: float
    at_ms: int

    @property
    def misleads(self) -> bool:
        """Whether the clocks differ by more than they should, whatever the round trip hides."""
        return abs(self.offset_ms) > MOST_MS + self.rtt_ms

    def __str__(self) -> str:
        direction = "behind" if self.offset_ms > 0 else "ahead of"
        return f"this machine's clock is {abs(self.offset_ms) / 1000:.2f} s {direction} the exchange's"


def measured(market: Market, sent_ns: int, exchange_ms: int, received_ns: int) -> Offset:
    """What one question says.  Times are since 1970, by this machine's clock and by the exchange's."""
    rtt_ms = (received_ns - sent_ns) / 1e6
    midpoint_ms = (sent_ns + received_ns) / 2e6
    offset_ms = exchange_ms + _RESOLUTION_MS / 2 - midpoint_ms
    return Offset(market, round(offset_ms, 3), round(rtt_ms, 3), received_ns // 1_000_000)


class Estimator:
    """The best of the last few measurements: the one with the shortest round trip."""

    def __init__(self) -> None:
        self._kept: deque[Offset] = deque(maxlen=_KEPT)

    def add(self, offset: Offset) -> None:
        """Take one measurement.  One that contradicts the best means that a clock was set: what was before is void."""
        if offset.rtt_ms < 0:  # ours was set back meanwhile
            self._kept.clear()
            return
        best = self.best
        if best is not None:
            open_ms = (offset.rtt_ms + best.rtt_ms) / 2 + _RESOLUTION_MS
            if abs(offset.offset_ms - best.offset_ms) > open_ms:
                self._kept.clear()
        self._kept.append(offset)

    @property
    def best(self) -> Offset | None:
        """None before the first measurement."""
        return min(self._kept, key=lambda one: one.rtt_ms, default=None)


encode = msgspec.json.Encoder().encode


class Offsets:
    """Reads what is published: `newest`, by market; empty until something came."""

    def __init__(self, bus: Bus) -> None:
        self.newest: dict[Market, Offset] = {}
        self._decode = msgspec.json.Decoder(Offset).decode
        for market in Market:
            bus.subscribe(clock(market), self._heard)

    def _heard(self, subject: str, _reply: str, payload: bytes) -> None:
        try:
            offset = self._decode(payload)
        except UNREADABLE as error:
            logger.warning(
                "an offset cannot be read", extra={"event": "bus.unreadable", "subject": subject, "error": str(error)}
            )
            return
        self.newest[offset.market] = offset
