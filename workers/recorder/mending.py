"""Has holes in what is recorded filled from REST, through the history workers."""

import logging
from collections.abc import Callable, Iterable
from itertools import groupby

from fsnats.backfill.asking import Asking
from fsnats.backfill.filler import Filler, Outcome, Want
from fsnats.bus import Bus
from fsnats.clock import Clock
from fsnats.errors import FsnatsError, Unavailable
from fsnats.store import Series, Store
from workers.recorder.holes import Holes

logger = logging.getLogger(__name__)

LOOK = 10.0  # seconds between two looks for holes

Filled = Callable[[Outcome], None]


class Mending:
    """`series` says what is recorded, `store` where, once that is open; `filled` hears of what was asked for."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        series: Callable[[], Iterable[Series]],
        store: Callable[[], Store | None],
        filled: Filled = lambda outcome: None,
    ) -> None:
        self._clock = clock
        self._series = series
        self._store = store
        self._filled = filled
        self._asking = Asking(bus, clock)
        self.holes = Holes()
        self.rows = 0  # that were fetched
        self.trouble = ""

    async def run(self) -> None:
        """Look and fill, until cancelled."""
        while True:
            await self._clock.sleep(LOOK)
            trouble = ""
            try:
                await self._look()
            except* Unavailable as group:
                trouble = str(_first(group))
            if trouble and trouble != self.trouble:
                logger.warning("holes cannot be filled now", extra={"error": trouble})
            self.trouble = trouble

    async def _look(self) -> None:
        store = self._store()
        if store is None:
            return
        wants = self.holes.look({series: await store.spans(series) for series in self._series()})
        for market, some in groupby(wants, key=lambda want: want.series.market):
            filler = Filler(store, self._asking, await self._asking.time(market))
            await filler.fill_all(list(some), self._done)

    def _done(self, outcome: Outcome) -> None:
        want: Want = outcome.want
        self.rows += outcome.rows
        self.holes.asked([want])
        extra: dict[str, object] = {"series": want.series.name, "rows": outcome.rows}
        if outcome.refused:
            logger.warning("a hole cannot be filled", extra={**extra, "error": outcome.refused})
        else:
            logger.info("a hole was filled", extra=extra)
        self._filled(outcome)


def _first(group: BaseExceptionGroup[FsnatsError]) -> BaseException:
    """One of the errors of a group, for a sentence."""
    leaf: BaseException = group
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    return leaf
