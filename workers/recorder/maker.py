"""Makes longer candles of what is recorded while it comes, and of what is stored where it came while nobody looked."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

import msgspec

from fsnats import recording
from fsnats.backfill.keys import before
from fsnats.binance.streams import Market, parse
from fsnats.candles.calendar import LENGTHS, fills, span
from fsnats.candles.candle import Candle
from fsnats.errors import StoreUnavailable, StreamNameError, Unusable
from fsnats.recording import Entry, Making
from fsnats.store import Batch, KlineData, Origin, RawAggTrade, Rows, Series, Span, Store
from fsnats.store.made import candle_of, closed_candles, made, made_of_trades, trade_of
from fsnats.store.spans import missing, steps
from workers.recorder.chain import Chain, TradeChain, rows_of

logger = logging.getLogger(__name__)

SHOW = 1.0  # seconds between two states of an open candle
MEND = 30.0  # seconds that what is missing in a candle may still come, before the candle is made of the store
_TICK = 0.5  # seconds between two looks at what is to be made of the store
_PAGE = 5_000  # rows that are in memory at once


class _Work(msgspec.Struct):
    """What is made of one series.  What comes waits while candles in the making are read from the store."""

    chain: Chain | TradeChain
    waiting: dict[int, KlineData | RawAggTrade] | None  # by key, of each candle the latest state
    again_at: float | None = None  # when to read them anew, monotonic seconds

    @property
    def candles(self) -> Chain:
        """The part that makes candles of candles."""
        return self.chain if isinstance(self.chain, Chain) else self.chain.chain


class Maker:
    """Give `take` all rows that are to be written, in their order, and write what it gives; `run` must be running."""

    def __init__(
        self,
        makings: Iterable[Making],
        entries: Iterable[Entry],
        store: Callable[[], Store | None],
        monotonic: Callable[[], float],
    ) -> None:
        """`store` is where they are written, once that is open."""
        makings = list(makings)
        self._of_candles = [making.interval for making in makings if not making.of_trades]
        self._of_trades = [making.interval for making in makings if making.of_trades]
        self._entries = tuple(entries)
        self._store = store
        self._monotonic = monotonic
        self._works: dict[Series, _Work | None] = {}
        self._touched: dict[Series, _Work] = {}
        self._shown_at = 0.0
        self.unusable = 0

    def take(self, batch: Iterable[Rows]) -> list[Rows]:
        """What follows from these rows: closed candles, and once a second the newest states of open ones."""
        if not self._of_candles and not self._of_trades:
            return []
        for series, pieces in _by_series(batch):
            work = self._work(series)
            if work is None:
                continue
            if work.waiting is not None:
                _keep(work.waiting, pieces)
            else:
                self._feed(work, pieces)
            self._touched[series] = work
        now = self._monotonic()
        opened = now - self._shown_at >= SHOW
        found: list[Rows] = []
        for work in self._touched.values():
            if work.waiting is None:
                found += work.chain.rows(opened=opened)
                if work.candles.partial and work.again_at is None:
                    work.again_at = now + MEND
        if opened:
            self._shown_at = now
            self._touched.clear()
        return found

    def filled(self, series: Series) -> None:
        """Some of what was missing in a series is in the store now."""
        work = self._works.get(series)
        if work is not None:
            work.again_at = self._monotonic()

    def _work(self, series: Series) -> _Work | None:
        if series in self._works:
            return self._works[series]
        work: _Work | None = None
        if series.kind == "aggTrade":
            if self._of_trades and series.market is not Market.COINM:
                work = _Work(TradeChain(series, self._of_trades), {})
        elif self._of_candles and self._is_shortest(series):
            chain = Chain(series, [each for each in self._of_candles if not self._is_recorded(series, each)])
            work = _Work(chain, {}) if chain.links else None
        self._works[series] = work
        return work

    def _is_shortest(self, series: Series) -> bool:
        return not any(fills(each, series.interval) and self._is_recorded(series, each) for each in LENGTHS)

    def _is_recorded(self, series: Series, interval: str) -> bool:
        try:
            stream = parse(series.market, f"{series.name.lower()}@{series.kind}_{interval}")
        except StreamNameError:
            return False
        return recording.wish(self._entries, stream).rows

    def _feed(self, work: _Work, pieces: Iterable[KlineData | RawAggTrade]) -> None:
        for piece in pieces:
            try:
                if isinstance(piece, RawAggTrade):
                    assert isinstance(work.chain, TradeChain)
                    work.chain.feed([trade_of(piece)])
                else:
                    work.candles.feed(candle_of(piece))
            except Unusable:
                self.unusable += 1

    # From the store.

    async def run(self) -> None:
        """Read what is to be known, and make what was not made, until cancelled."""
        while True:
            await asyncio.sleep(_TICK)
            if (store := self._store()) is not None:
                with contextlib.suppress(StoreUnavailable):  # it is waited for, and tried again then
                    await self.look(store)

    async def look(self, store: Store) -> None:
        """The same once, for what needs it now."""
        for series, work in list(self._works.items()):
            if work is None:
                continue
            if work.again_at is not None and self._monotonic() >= work.again_at:
                work.again_at, work.waiting = None, work.waiting or {}
            if not work.waiting:
                continue
            try:
                await self._begin(store, work)
            except Unusable as error:  # somebody else wrote what is no candle of its series
                logger.error(
                    "nothing is made of what is stored",
                    extra={"event": "recorder.not_made", "series": series.name, "error": str(error)},
                )
                self._works[series] = None

    async def _begin(self, store: Store, work: _Work) -> None:
        assert work.waiting
        at = _time_of(next(iter(work.waiting.values())))
        chain = work.candles
        chain.begin()
        if isinstance(work.chain, TradeChain):
            await self._catch_up(store, work, chain.source, None, at)
        for link in chain.links:
            first = span(link.series.interval, at)[0]
            if link.lower != chain.source:
                await self._catch_up(store, work, link.lower, first, at)
            # Only what was over then: a candle that is closed by what waits is told when that is fed.
            async for candle in closed_candles(store, link.lower, first, _over(link.lower, at)):
                chain.prime(link, [candle])
        for link in chain.links:
            await self._catch_up(store, work, link.series, None, at)
        waiting, work.waiting = work.waiting, None
        self._feed(work, waiting.values())

    async def _catch_up(self, store: Store, work: _Work, series: Series, first: int | None, at: int) -> None:
        """Make what is missing of a series of made candles, from a candle on, or else the first one that there is."""
        spans = await store.spans(series)
        if first is None and spans:
            first = spans[0].first
        last = _over(series, at)
        if first is None or first > last:
            return
        for hole in missing(spans, Span(first, last), steps(series)):
            candles: list[Candle] = []
            async for candle in self._made(store, work, series, hole):
                candles.append(candle)
                if len(candles) == _PAGE:
                    await store.write(Batch([rows_of(series, candles)]))
                    candles.clear()
            if candles:
                await store.write(Batch([rows_of(series, candles)]))

    async def _made(self, store: Store, work: _Work, series: Series, hole: Span) -> AsyncIterator[Candle]:
        if isinstance(work.chain, TradeChain) and series == work.chain.series:
            async for candle in made_of_trades(store, work.chain.source, series.interval, hole.first, hole.last):
                if candle.whole:
                    yield candle
            return
        async for one in made(store, work.candles.source, series.interval, hole.first, hole.last):
            if one.whole and one.candle is not None:
                yield one.candle


def _over(series: Series, at: int) -> int:
    """The newest candle that is over at a time."""
    return before(series, span(series.interval, at)[0])


def _by_series(batch: Iterable[Rows]) -> Iterator[tuple[Series, list[KlineData | RawAggTrade]]]:
    """The rows of each series in order, wherever they came from."""
    found: dict[Series, list[KlineData | RawAggTrade]] = {}
    for rows in batch:
        if rows.origin is not Origin.MADE:
            found.setdefault(rows.series, []).extend([*rows.klines, *rows.trades])
    for series, pieces in found.items():
        yield series, sorted(pieces, key=_key_of)


def _keep(waiting: dict[int, KlineData | RawAggTrade], pieces: Iterable[KlineData | RawAggTrade]) -> None:
    for piece in pieces:
        before = waiting.get(_key_of(piece))
        if not isinstance(before, KlineData) or not isinstance(piece, KlineData) or _rank(piece) >= _rank(before):
            waiting[_key_of(piece)] = piece


def _rank(kline: KlineData) -> tuple[bool, int]:
    """Of two states of a candle the one with the higher rank is the later."""
    return kline.is_closed, kline.number_of_trades


def _key_of(piece: KlineData | RawAggTrade) -> int:
    return piece.agg_id if isinstance(piece, RawAggTrade) else piece.start_time


def _time_of(piece: KlineData | RawAggTrade) -> int:
    return piece.trade_time if isinstance(piece, RawAggTrade) else piece.start_time
