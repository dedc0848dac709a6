"""Candles of longer intervals, made of one series as it comes: the shorter made ones are what the longer are made of.

Pure.  Only what is exactly the exchange's own candle is told: one of which a part is missing is kept back.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from fsnats.candles.calendar import DAY, LENGTHS, fills
from fsnats.candles.candle import Candle
from fsnats.candles.live import Live
from fsnats.candles.trades import Trade, TradeCandles
from fsnats.errors import Unusable
from fsnats.store import KlineData, Origin, Rows, Series
from workers.recorder.sheet import of_candles

_MONTH = 31 * DAY  # milliseconds; its place among the others


class Link:
    """One interval of a chain: `lower` is what it is made of, another link's or the source's."""

    def __init__(self, series: Series, lower: Series) -> None:
        self.series = series
        self.lower = lower
        self.live = Live(lower.interval, series.interval)
        self.shown: Candle | None = None  # the open one that was told last


class Chain:
    """Feed it the states of a series' candles; `rows` gives what is to be written of longer ones."""

    def __init__(self, source: Series, intervals: Iterable[str]) -> None:
        """Intervals that candles of the source do not fill are left out."""
        self.source = source
        self.links: list[Link] = []
        lowers = [source]
        for interval in sorted(set(intervals), key=_length):
            lower = next((each for each in reversed(lowers) if fills(each.interval, interval)), None)
            if lower is not None:
                made = msgspec.structs.replace(source, interval=interval)
                self.links.append(Link(made, lower))
                lowers.append(made)
        self._closed: dict[Series, list[Candle]] = {}
        self.partial = False  # a candle was over of which something is missing

    def begin(self) -> None:
        """Forget all candles in the making."""
        for link in self.links:
            link.live = Live(link.lower.interval, link.series.interval)
            link.shown = None
        self.partial = False

    def prime(self, link: Link, pieces: Iterable[Candle]) -> None:
        """Have one link know closed pieces that are stored, without telling what follows from them."""
        for piece in pieces:
            link.live.feed(piece)

    def feed(self, piece: Candle) -> None:
        """Take a state of a candle of the source.  Raises Unusable for what is no candle of its interval."""
        self._feed(self.source, piece)

    def _feed(self, lower: Series, piece: Candle) -> None:
        for link in self.links:
            if link.lower == lower:
                for made in link.live.feed(piece):
                    if made.whole:
                        self._closed.setdefault(link.series, []).append(made)
                    else:
                        self.partial = True
                    self._feed(link.series, made)

    def rows(self, *, opened: bool) -> Iterator[Rows]:
        """What became of candles since the last time: those that closed, and with `opened` the newest states, too."""
        for link in self.links:
            told = self._closed.pop(link.series, [])
            newest = link.live.newest if opened else None
            if newest is not None and not newest.closed:
                self._feed(link.series, newest)
                if not newest.missing and newest != link.shown:
                    link.shown = newest
                    told = [*told, newest]
            if told:
                yield rows_of(link.series, told)


class TradeChain:
    """Feed it a series of aggregated trades; the shortest interval is made of them, the longer ones of that."""

    def __init__(self, source: Series, intervals: Iterable[str]) -> None:
        """Raises Unusable for COIN-M: see `TradeCandles`."""
        shortest, *longer = sorted(set(intervals), key=_length)
        self.source = source
        self.series = Series(source.market, "kline", source.name, shortest)
        self.chain = Chain(self.series, longer)
        self._candles = TradeCandles(source.market, shortest)
        self._closed: list[Candle] = []
        self._shown: Candle | None = None
        self.unusable = 0

    def feed(self, trades: Sequence[Trade]) -> None:
        """Take trades.  Those whose times go back are counted and left out: the candle is made of the store later."""
        for trade in trades:
            try:
                closed = self._candles.feed(trade)
            except Unusable:
                self.unusable += 1
                continue
            for made in closed:
                if made.whole:
                    self._closed.append(made)
                else:
                    self.chain.partial = True
                self.chain.feed(made)

    def rows(self, *, opened: bool) -> Iterator[Rows]:
        """As `Chain.rows`."""
        told, self._closed = self._closed, []
        newest = self._candles.newest if opened else None
        if newest is not None:
            self.chain.feed(newest)
            if not newest.missing and newest != self._shown:
                self._shown = newest
                told = [*told, newest]
        if told:
            yield rows_of(self.series, told)
        yield from self.chain.rows(opened=opened)


def rows_of(series: Series, candles: Iterable[Candle]) -> Rows:
    """Made candles, the newest state of each, and what those that are over prove."""
    latest = {candle.open_ms: candle for candle in candles}
    klines = [kline_of(latest[at], series.interval) for at in sorted(latest)]
    return Rows(series, Origin.MADE, klines=klines, covered=of_candles(klines))


def kline_of(candle: Candle, interval: str) -> KlineData:
    """A candle as the store has it."""
    row = candle.row()
    return KlineData(
        row.t, row.T, interval, candle.first_id, candle.last_id, row.o, row.c, row.h, row.l, row.v, row.n,
        candle.closed, row.q, row.V, row.Q, row.B,
    )  # fmt: skip


def _length(interval: str) -> int:
    return LENGTHS.get(interval, _MONTH)
