"""Streams that one of several connections was acknowledged for and never brings, while another one does.

Nobody misses anything yet, but the redundancy is gone: the next loss of the good connection would be one of data.
"""

import logging
from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

from workers.ingest.probe import Probe, Step
from workers.ingest.silence import SOONEST
from workers.ingest.subscriptions import Subscriptions

logger = logging.getLogger(__name__)

_NAMES = 8  # streams that a line of the log names


class Carrier(Hashable, Protocol):
    """A connection, as far as it matters here."""

    @property
    def name(self) -> str: ...

    @property
    def subscriptions(self) -> Subscriptions: ...

    def audit(self) -> None: ...

    def renew(self, names: set[str]) -> None: ...


class OneSided:
    """One worker's.  What helps is listing subscriptions, and subscribing again; the rest is the feed's to do."""

    def __init__(self) -> None:
        self._probes: dict[Carrier, dict[str, Probe]] = {}

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(map(len, self._probes.values()))

    def look(self, now: float, feeds: Sequence[Sequence[Carrier]], speaks: Callable[[str], bool]) -> None:
        """Look at the connections of each feed; `speaks` says whether a stream speaks by any of them."""
        before, self._probes = self._probes, {}
        for carriers in feeds:
            for carrier in carriers if len(carriers) > 1 else ():
                held, known = carrier.subscriptions, before.get(carrier, {})
                old = {name for name, since in held.acknowledged.items() if now - since >= SOONEST}
                # One that is subscribed again stays what it is until it speaks.
                silent = [name for name in (old | known.keys()) & held.wanted - held.live if speaks(name)]
                probes = {name: known.get(name) or Probe(now, None, has_routes=False) for name in silent}
                if probes:
                    self._probes[carrier] = probes
                if new := sorted(probes.keys() - known.keys()):
                    extra = {"feed": carrier.name, "count": len(new), "streams": ", ".join(new[:_NAMES])}
                    logger.warning(
                        "a connection does not bring what another one does",
                        extra={"event": "streams.one_sided", **extra},
                    )
                self._try(carrier, probes, now)

    def _try(self, carrier: Carrier, probes: dict[str, Probe], now: float) -> None:
        steps = {name: probe.due(now) for name, probe in probes.items()}
        if Step.LIST in steps.values():
            carrier.audit()
        if renewed := {name for name, step in steps.items() if step is Step.RENEW}:
            carrier.renew(renewed)
