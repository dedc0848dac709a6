"""An exchange with exactly these candles and trades, asked over the bus, and a store in memory."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

import msgspec

from fsnats.backfill.asking import Asking
from fsnats.backfill.keys import after
from fsnats.backfill.pages import COINM_RANGE
from fsnats.binance.streams import Market
from fsnats.binance.weights import weight_of
from fsnats.bus.memory import MemoryBus
from fsnats.candles.calendar import span as span_of
from fsnats.candles.candle import Candle
from fsnats.history import RestReply, RestRequest
from fsnats.store import Batch, ConnectionRecord, KlineData, Origin, RawAggTrade, RawFrame, Series, Span, Stretch
from fsnats.store.spans import steps, union
from fsnats.subjects import REST
from tests.clock import HandClock


class Exchange:
    """Answers as Binance does.  `openings` are those of candles of `interval`, `trades` ids with their times."""

    def __init__(
        self, bus: MemoryBus, interval: str = "1m", openings: Iterable[int] = (), now_ms: int = 1_795_000_000_000
    ) -> None:
        self.interval = interval
        self.openings = sorted(openings)
        self.rows: dict[int, list[Any]] = {}  # candles that are not like all others
        self.trades: dict[int, int] = {}
        self.now_ms = now_ms
        self.asked: list[RestRequest] = []
        self.weight = 0
        self.in_work = self.most_in_work = 0
        self.replies: list[RestReply] = []  # instead of an answer, the next ones
        self.before: Callable[[RestRequest], None] = lambda request: None
        self._bus = bus
        self._tasks: set[asyncio.Task[None]] = set()
        bus.subscribe(REST, self._heard)

    @property
    def methods(self) -> Counter[str]:
        return Counter(request.method for request in self.asked)

    def _heard(self, _subject: str, reply: str, payload: bytes) -> None:
        task = asyncio.get_running_loop().create_task(self._reply(reply, payload))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply(self, reply: str, payload: bytes) -> None:
        self.in_work += 1
        self.most_in_work = max(self.most_in_work, self.in_work)
        await asyncio.sleep(0)
        self.in_work -= 1
        self._bus.publish(reply, msgspec.msgpack.encode(self._answer(payload)))

    def _answer(self, payload: bytes) -> RestReply:
        request = msgspec.json.decode(payload, type=RestRequest)
        self.asked.append(request)
        if self.replies:
            return self.replies.pop(0)
        self.before(request)
        self.weight += weight_of(request.market, request.method, request.query)
        if request.method == "time":
            return RestReply(200, b'{"serverTime":%d}' % self.now_ms)
        numbers = {name: int(value) for name, value in request.query.items() if value.isdigit()}
        rows = self._trades(**numbers) if request.method == "aggTrades" else self._candles(request, **numbers)
        if isinstance(rows, RestReply):
            return rows
        return RestReply(200, msgspec.json.encode(rows))

    def _candles(
        self, request: RestRequest, limit: int, startTime: int = 0, endTime: int | None = None
    ) -> list[Any] | RestReply:
        coinm = request.market is Market.COINM
        if coinm and endTime is None:
            endTime = startTime + COINM_RANGE
        end = self.now_ms if endTime is None else endTime
        if coinm and end - startTime > COINM_RANGE:
            return RestReply(400, b'{"code":-1127,"msg":"Lookup interval is too big."}')
        series = Series(request.market, "kline", "", request.query["interval"])
        openings = self.openings
        if series.interval != self.interval:  # days of what there is
            openings = sorted({span_of(series.interval, at)[0] for at in openings})
        told = [at for at in openings if startTime <= at <= min(end, self.now_ms)]
        told = told[-limit:] if coinm else told[:limit]
        return [self.rows.get(at) or candle_row(series, at) for at in told]

    def _trades(
        self, limit: int, fromId: int | None = None, startTime: int | None = None
    ) -> list[dict[str, Any]] | RestReply:
        if startTime is not None and startTime < self.now_ms - 48 * 3_600_000:
            return RestReply(400, b'{"code":-4166,"msg":"Search window is restricted to recent 48 hours."}')
        told = [
            (number, at)
            for number, at in sorted(self.trades.items())
            if number >= (fromId or 0) and at >= (startTime or 0)
        ]
        told = told[-limit:] if fromId is None and startTime is None else told[:limit]
        return [
            {"a": number, "p": "1.50", "q": "2", "f": number * 2, "l": number * 2 + 1, "T": at, "m": number % 2 == 0}
            for number, at in told
        ]


def candle_row(series: Series, at: int) -> list[Any]:
    return [at, "1.0", "2.0", "0.5", "1.5", "10", after(series, at) - 1, "15", 3, "4", "6", "0"]


def candle(series: Series, at: int, *, closed: bool = True) -> KlineData:
    return KlineData(
        at, after(series, at) - 1, series.interval, -1, -1, "1.0", "1.5", "2.0", "0.5", "10", 3, closed, "15", "4", "6"
    )


class Kept:
    """A store that forgets with its process.  Spans are kept as a set of what they say, joined when asked for."""

    def __init__(self) -> None:
        self.rows: dict[Series, dict[int, KlineData]] = {}
        self.ids: dict[Series, dict[int, RawAggTrade]] = {}
        self.covered: dict[Series, list[Span]] = {}
        self.origins: set[Origin] = set()
        self.batches = 0

    async def write(self, batch: Batch) -> None:
        self.batches += 1
        for rows in batch.rows:
            self.origins.add(rows.origin)
            self.rows.setdefault(rows.series, {}).update({row.start_time: row for row in rows.klines})
            self.ids.setdefault(rows.series, {}).update({row.agg_id: row for row in rows.trades})
            held = [*self.covered.get(rows.series, []), *rows.covered]
            self.covered[rows.series] = union(held, steps(rows.series))

    async def klines(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False
    ) -> list[KlineData]:
        found = [row for at, row in sorted(self.rows.get(series, {}).items()) if first <= at <= last]
        return found[-limit:] if newest else found[:limit]

    async def whole(self, series: Series, stretches: Sequence[Stretch]) -> list[Candle | None]:
        return [None for _ in stretches]  # who asks adds up what there is

    async def trades(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False
    ) -> list[RawAggTrade]:
        found = [row for at, row in sorted(self.ids.get(series, {}).items()) if first <= at <= last]
        return found[-limit:] if newest else found[:limit]

    async def trade_at(self, series: Series, time_ms: int, *, before: bool = False) -> RawAggTrade | None:
        rows = sorted(self.ids.get(series, {}).values(), key=lambda row: row.agg_id)
        if before:
            return next((row for row in reversed(rows) if row.trade_time < time_ms), None)
        return next((row for row in rows if row.trade_time >= time_ms), None)

    async def spans(self, series: Series) -> list[Span]:
        return self.covered.get(series, [])

    async def series(self, market: Market | None = None) -> list[Series]:
        return sorted({*self.rows, *self.ids, *self.covered})

    async def connections(self) -> list[ConnectionRecord]:
        return []

    async def frames(self, market: Market, stream: str, first_ns: int, last_ns: int) -> AsyncIterator[RawFrame]:
        for frame in list[RawFrame]():
            yield frame

    async def close(self) -> None:
        return


def asking(bus: MemoryBus, clock: HandClock | None = None, patience: float | None = 1.0) -> Asking:
    return Asking(bus, clock or HandClock(), patience=patience, jitter=lambda: 0.0)
