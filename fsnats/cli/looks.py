"""What live views look at: everybody's status, what is wrong, what happened; asked over NATS, again and again."""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.fleet.events import Chronicle, Told
from fsnats.fleet.statuses import Fleet, read
from fsnats.fleet.streams import Merged, StreamsRequest, encode, merged
from fsnats.fleet.troubles import Place, Severity, Trouble, troubles
from fsnats.rollcall import PATIENCE, RollCall
from fsnats.subjects import EVENTS_REQUEST, STREAMS_REQUEST

_GONE = Trouble(
    Severity.ERROR, "NATS is not connected", Place(), "nothing is known until it is; `fsnats doctor` looks closer"
)
_LATELY = 5  # events that a screen shows


class Look(NamedTuple):
    """How the fleet is, as far as anybody says."""

    answers: list[bytes]
    fleet: Fleet
    troubles: list[Trouble]

    @property
    def fields(self) -> dict[str, object]:
        """For programs."""
        return {
            "simulated": self.fleet.simulated,
            "at": time.time_ns() // 1_000_000,
            "programs": [msgspec.Raw(answer) for answer in self.answers],
            "troubles": self.troubles,
        }


class Streams(NamedTuple):
    """How streams flow, and how the fleet is."""

    seen: Look
    found: Merged

    @property
    def fields(self) -> dict[str, object]:
        """For programs."""
        head = {name: value for name, value in self.seen.fields.items() if name != "programs"}
        return {**head, **self.found._asdict()}


class Lookout:
    """Asks everybody."""

    def __init__(self, bus: Bus, name: str) -> None:
        """`name` is one that nobody else has."""
        self._bus = bus
        self._statuses = RollCall(bus, f"_INBOX.{name}.statuses")
        self._streams = RollCall(bus, f"_INBOX.{name}.streams", STREAMS_REQUEST)
        self._events = RollCall(bus, f"_INBOX.{name}.events", EVENTS_REQUEST)
        self._chronicle = Chronicle()

    async def fleet(self, wait: float = PATIENCE) -> Look:
        """Everybody's status."""
        answers = await self._statuses.call(wait=wait)
        fleet = read(answers)
        return Look(answers, fleet, troubles(fleet) if self._bus.is_connected else [_GONE])

    async def streams(self, request: StreamsRequest) -> Streams:
        """Streams, lag by the exchange's clocks."""
        seen, answers = await asyncio.gather(self.fleet(), self._streams.call(encode(request)))
        clocks = seen.fleet.clocks
        offsets = {market: clocks[market] for market in Market if market in clocks}
        return Streams(seen, merged(answers, request, offsets, self._streams.absent))

    async def events(self) -> Sequence[Told]:
        """What happened lately, the newest first."""
        self._chronicle.take(await self._events.call(self._chronicle.question))
        return self._chronicle.since("").events[: -_LATELY - 1 : -1]
