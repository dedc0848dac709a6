"""Has holes in what is recorded filled from REST, through the history workers."""

import logging
from collections.abc import Callable, Iterable

from fsnats.backfill.asking import Asking
from fsnats.backfill.filler import Filler, Outcome, Want
from fsnats.binance.streams import Market
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
        self._begun: set[Market] = set()  # markets whose candles were looked for behind what was stored at the start

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
                logger.warning("holes cannot be filled now", extra={"event": "hole.waiting", "error": trouble})
            self.trouble = trouble

    async def _look(self) -> None:
        store = self._store()
        if store is None:
            return
        known = {series: await store.spans(series) for series in self._series()}
        wants = self.holes.look(known)
        for market in sorted({series.market for series in known}):
            here = [want for want in wants if want.series.market is market]
            if not here and market in self._begun:
                continue
            now_ms = await self._asking.time(market)
            if market not in self._begun:
                here += self.holes.begin({series: known[series] for series in known if series.market is market}, now_ms)
            await Filler(store, self._asking, now_ms).fill_all(here, self._done)
            self._begun.add(market)

    def _done(self, outcome: Outcome) -> None:
        want: Want = outcome.want
        self.rows += outcome.rows
        self.holes.asked([want])
        extra: dict[str, object] = {"series": want.series.name, "rows": outcome.rows}
        if outcome.refused:
            logger.warning(
                "a hole cannot be filled", extra={"event": "hole.unfilled", **extra, "error": outcome.refused}
            )
        else:
            logger.info("a hole was filled", extra={"event": "hole.filled", **extra})
        self._filled(outcome)


def _first(group: BaseExceptionGroup[FsnatsError]) -> BaseException:
    """One of the errors of a group, for a sentence."""
    leaf: BaseException = group
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    return leaf
