"""What the strands of one feed have in common, and the way to the exchange that each of them has for itself."""

import asyncio
import ssl
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from fsnats.binance.streams import Market
from fsnats.clock import Clock
from fsnats.errors import ExchangeUnavailable
from fsnats.exits.address import Exit
from fsnats.fleet.events import Journal
from workers.ingest.arbiter import Arbiter
from workers.ingest.rotation import Rotation
from workers.ingest.router import Router
from workers.ingest.traffic import Traffic


class Way(Protocol):
    """Towards one URL, by whichever exit is best (`fsnats.exits.client`)."""

    @property
    def tls(self) -> ssl.SSLContext | None: ...

    async def admitted(self, avoid: Collection[str] = ()) -> Exit:
        """Return when one more dial is allowed, by this exit: another than those to avoid, where one may be had."""
        ...

    async def other(self, avoid: Collection[str]) -> Exit | None:
        """An exit other than these by which one more dial is allowed now; None where there is none."""
        ...

    def failed(self, by: Exit, error: ExchangeUnavailable) -> None: ...

    def worked(self, by: Exit) -> None: ...


class Neighbour(Protocol):
    """A strand, as far as others have to know."""

    exit: Exit | None


class Shared:
    """What the strands of one feed have in common."""

    def __init__(
        self,
        market: Market,
        url: str,
        router: Router,
        clock: Clock,
        jitter: Callable[[], float],
        rotation: Rotation,
        traffic: Traffic | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.journal = journal or Journal(clock.time_ns)
        self.market = market
        self.url = url
        self.router = router
        self.clock = clock
        self.jitter = jitter
        self.rotation = rotation
        self.traffic = traffic or Traffic()
        self.arbiter = Arbiter(router)
        self.wanted: set[str] = set()
        self.turn = asyncio.Lock()  # one strand replaces its connection at a time
        self.strands: Sequence[Neighbour] = ()

    def taken(self, strand: Neighbour) -> set[str]:
        """The exits of the other strands."""
        return {each.exit.name for each in self.strands if each is not strand and each.exit is not None}

    def elders(self, strand: Neighbour) -> Sequence[Neighbour]:
        """The strands that need not make room for this one."""
        return self.strands[: self.strands.index(strand)]

    def is_crowded(self, strand: Neighbour) -> bool:
        """Whether one that need not make room goes by the same exit."""
        return strand.exit is not None and any(each.exit == strand.exit for each in self.elders(strand))
