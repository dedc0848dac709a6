"""A feed: streams that go together, and the strands that carry them, each the same."""

import asyncio
from collections.abc import Callable, Collection, Sequence

from fsnats.binance.streams import Market
from fsnats.clock import Clock
from fsnats.fleet.events import Journal
from workers.ingest.carrier import Carrier
from workers.ingest.record import Record
from workers.ingest.rotation import Rotation
from workers.ingest.router import Router
from workers.ingest.shared import Shared, Way
from workers.ingest.strand import Strand
from workers.ingest.traffic import Traffic

_LOOK = 0.2  # seconds between two looks at who has waited long enough
_LETTERS = "abcdefgh"  # the field speaks of the A and the B feed


class Feed:
    """Carries what it is told to want; `run` ends only by cancellation."""

    def __init__(
        self,
        name: str,
        market: Market,
        url: str,
        ways: Sequence[Way],
        router: Router,
        clock: Clock,
        jitter: Callable[[], float],
        rotation: Rotation,
        traffic: Traffic | None = None,
        journal: Journal | None = None,
    ) -> None:
        """One strand for each of the ways to `url`; `traffic` counts for the whole worker."""
        self.name = name
        self._shared = shared = Shared(market, url, router, clock, jitter, rotation, traffic, journal)
        names = [name + letter for letter in _LETTERS[: len(ways)]] if len(ways) > 1 else [name]
        shared.strands = self.strands = [Strand(*each, shared) for each in zip(names, ways, strict=True)]

    def want(self, names: set[str]) -> None:
        """Carry exactly these streams from now on."""
        if names == self._shared.wanted:
            return
        self._shared.wanted = set(names)
        self._shared.arbiter.carry(self._shared.router.lines(names))
        for carrier in self.carriers:
            carrier.want(names)

    @property
    def wanted(self) -> Collection[str]:
        """The streams that it is to carry."""
        return self._shared.wanted

    @property
    def carriers(self) -> list[Carrier]:
        """Its open connections."""
        return [carrier for strand in self.strands for carrier in strand.carriers]

    @property
    def records(self) -> list[Record]:
        """Its connections as they are now."""
        return [strand.record for strand in self.strands]

    async def run(self) -> None:
        """Carry until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for strand in self.strands:
                tasks.create_task(strand.run(), name=strand.name)
            if len(self.strands) > 1:
                tasks.create_task(self._look())

    async def _look(self) -> None:
        while True:
            await self._shared.clock.sleep(_LOOK)
            self._shared.arbiter.look(self._shared.clock.monotonic())
