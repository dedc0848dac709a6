"""A store in memory that takes what is written, for tests of who writes; it can be locked."""

from collections.abc import AsyncIterator, Sequence

from fsnats.binance.streams import Market
from fsnats.candles.candle import Candle
from fsnats.errors import StoreUnavailable, Unusable
from fsnats.store import Batch, ConnectionRecord, KlineData, RawAggTrade, RawFrame, Series, Span, Stretch


class Shelf:
    """`batches` is what was written; nothing can be while `locked`."""

    def __init__(self, *, locked: bool = False) -> None:
        self.locked = locked
        self.batches: list[Batch] = []
        self.tries = 0
        self.refused: set[str] = set()  # names of series that it does not take
        self.known: dict[Series, list[Span]] = {}

    async def opened(self) -> "Shelf":
        """Open it; raises StoreUnavailable while it is locked."""
        self._try()
        return self

    def _try(self) -> None:
        self.tries += 1
        if self.locked:
            raise StoreUnavailable("the shelf is locked")

    @property
    def ids(self) -> list[int]:
        """The ids of all trades, in the order in which they were written."""
        return [trade.agg_id for batch in self.batches for rows in batch.rows for trade in rows.trades]

    async def write(self, batch: Batch) -> None:
        self._try()
        if any(rows.series.name in self.refused for rows in batch.rows):
            raise Unusable("the shelf is too short for that")
        self.batches.append(batch)

    async def klines(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False
    ) -> list[KlineData]:
        found = [
            kline
            for batch in self.batches
            for rows in batch.rows
            if rows.series == series
            for kline in rows.klines
            if first <= kline.start_time <= last
        ]
        latest = sorted({kline.start_time: kline for kline in found}.values(), key=lambda kline: kline.start_time)
        return latest[-limit:] if newest else latest[:limit]

    async def whole(self, series: Series, stretches: Sequence[Stretch]) -> list[Candle | None]:
        return [None for _ in stretches]

    async def trades(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False
    ) -> list[RawAggTrade]:
        found = {
            trade.agg_id: trade
            for batch in self.batches
            for rows in batch.rows
            if rows.series == series
            for trade in rows.trades
            if first <= trade.agg_id <= last
        }
        inside = [found[number] for number in sorted(found)]
        return inside[-limit:] if newest else inside[:limit]

    async def trade_at(self, series: Series, time_ms: int, *, before: bool = False) -> RawAggTrade | None:
        return None

    async def spans(self, series: Series) -> list[Span]:
        self._try()
        return self.known.get(series, [])

    async def series(self, market: Market | None = None) -> list[Series]:
        self._try()
        return sorted(self.known)

    async def connections(self) -> list[ConnectionRecord]:
        return [record for batch in self.batches for record in batch.connections]

    async def frames(self, market: Market, stream: str, first_ns: int, last_ns: int) -> AsyncIterator[RawFrame]:
        for batch in self.batches:
            for frame in batch.frames:
                yield frame

    async def close(self) -> None:
        self.locked = True
