"""A store in memory that can break, and an exchange with candles that is asked over no network."""

from collections.abc import Awaitable, Callable, Mapping

import msgspec

from fsnats.binance.limits import KLINES_LIMIT
from fsnats.binance.rest import Answer, BadRequest
from fsnats.binance.rows import Candle
from fsnats.binance.streams import Market
from fsnats.candles.calendar import moved, opening, span
from fsnats.errors import StoreUnavailable
from fsnats.store import Batch, KlineData, RawAggTrade, Series, Span, Store
from fsnats.store.forms import AggTrade
from fsnats.store.spans import steps, union
from tests.clock import HandClock
from workers.history.shelf import Shelf


class Table:
    """As much of a store as history workers use."""

    def __init__(self) -> None:
        self.bars: dict[Series, dict[int, KlineData]] = {}
        self.deals: dict[Series, dict[int, RawAggTrade]] = {}
        self.known: dict[Series, list[Span]] = {}
        self.broken = False

    def _work(self) -> None:
        if self.broken:
            raise StoreUnavailable("the disk is gone")

    async def write(self, batch: Batch) -> None:
        self._work()
        for rows in batch.rows:
            bars = self.bars.setdefault(rows.series, {})
            bars.update({row.start_time: row for row in rows.klines})
            self.deals.setdefault(rows.series, {}).update({row.agg_id: row for row in rows.trades})
            self.known[rows.series] = union([*self.known.get(rows.series, []), *rows.covered], steps(rows.series))

    async def klines(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False
    ) -> list[KlineData]:
        self._work()
        rows = [row for key, row in sorted(self.bars.get(series, {}).items()) if first <= key <= last]
        return rows[-limit:] if newest else rows[:limit]

    async def trades(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False
    ) -> list[RawAggTrade]:
        self._work()
        rows = [row for key, row in sorted(self.deals.get(series, {}).items()) if first <= key <= last]
        return rows[-limit:] if newest else rows[:limit]

    async def trade_at(self, series: Series, time_ms: int, *, before: bool = False) -> RawAggTrade | None:
        self._work()
        rows = [row for _, row in sorted(self.deals.get(series, {}).items())]
        if before:
            return next((row for row in reversed(rows) if row.trade_time < time_ms), None)
        return next((row for row in rows if row.trade_time >= time_ms), None)

    async def spans(self, series: Series) -> list[Span]:
        self._work()
        return self.known.get(series, [])

    async def close(self) -> None:
        pass


def shelf_of(table: Table, clock: HandClock | None = None) -> Shelf:
    """A shelf with this store on it."""
    store: Store = table  # type: ignore[assignment]  # as much of it as is used

    async def opening() -> Store:
        return store

    return Shelf(opening, clock or HandClock())


class Exchange:
    """One symbol's candles; `holes` are openings that it does not have.  It counts what it is asked."""

    def __init__(
        self, market: Market, interval: str, listed: int, now: int, holes: frozenset[int] = frozenset()
    ) -> None:
        self.market = market
        self.interval = interval
        self.listed = opening(interval, listed)
        self.now = now
        self.holes = holes
        self.asked: list[dict[str, str | int]] = []
        self.wait: Callable[[], Awaitable[object]] | None = None

    def bars(self, first: int, last: int) -> list[Candle]:
        """All that there is of a range."""
        key, made = max(opening(self.interval, max(first, 0)), self.listed), []
        while key <= min(last, self.now):
            if key not in self.holes:
                made.append(bar_of(self.interval, key))
            key = moved(self.interval, key, 1)
        return made

    # What a program that asks needs.

    def now_ms(self, market: Market) -> int:
        return self.now

    def knows(self, market: Market) -> bool:
        return True

    async def get(self, method: str, parameters: Mapping[str, str | int]) -> Answer:
        self.asked.append(dict(parameters))
        if self.wait is not None:
            await self.wait()
        limit = int(parameters["limit"])
        assert 1 <= limit <= KLINES_LIMIT[self.market]
        start, end = parameters.get("startTime"), parameters.get("endTime")
        rows = self.bars(int(start or 0), self.now if end is None else int(end))
        newest = start is None or (self.market is Market.COINM and end is not None)
        if self.market is Market.COINM and start is not None and end is not None:
            assert int(end) - int(start) <= 200 * 86_400_000, "Lookup interval is too big."
        rows = rows[-limit:] if newest else rows[:limit]
        return Answer(msgspec.json.encode(rows), True, None)


def bar_of(interval: str, key: int) -> Candle:
    """A candle whose numbers tell which one it is."""
    price = f"{key // 1000}.{key % 1000:03}"
    return Candle(key, price, price, price, price, "1.50", span(interval, key)[1] - 1, "3.00", 7, "0.50", "1.00", "0")


class Deals:
    """One symbol's aggregated trades: ids from 0 on, two of them in every second from `begun` on."""

    def __init__(self, begun: int, count: int, reach: int = 10**15) -> None:
        self.begun = begun
        self.count = count
        self.reach = reach  # milliseconds for which trades are found by time
        self.asked: list[dict[str, str | int]] = []

    def rows(self, first: int, last: int) -> list[AggTrade]:
        """Those with ids between two, both included."""
        return [deal_of(self.begun, key) for key in range(max(0, first), min(last, self.count - 1) + 1)]

    def now_ms(self, market: Market) -> int:
        return self.begun + self.count * 500

    async def get(self, method: str, parameters: Mapping[str, str | int]) -> Answer:
        self.asked.append({name: value for name, value in parameters.items() if name != "symbol"})
        limit = int(parameters["limit"])
        assert method == "aggTrades"
        assert 1 <= limit <= 1000
        start = parameters.get("startTime")
        if start is not None and int(start) < self.now_ms(Market.USDM) - self.reach:
            raise BadRequest(-4166, "Search window is restricted to recent 48 hours.")
        if start is not None:
            first = max(0, -(-(int(start) - self.begun) // 500))
        else:
            first = int(parameters.get("fromId", self.count - limit))
        return Answer(msgspec.json.encode(self.rows(first, first + limit - 1)), True, None)


def deal_of(begun: int, key: int) -> AggTrade:
    return AggTrade(key, f"{key}.10", "1.0", 2 * key, 2 * key + 1, begun + key * 500, key % 2 == 0)
