"""A batch in the making: rows by series and origin, and what they prove to be complete.  Pure."""

from collections.abc import Iterable, Sequence

from fsnats.store import Batch, ConnectionRecord, KlineData, Origin, RawAggTrade, RawFrame, Rows, Series, Span
from workers.recorder.rows import Row


class Sheet:
    """Takes rows in the order in which they came; `batch` is what the store is to write."""

    def __init__(self) -> None:
        self._klines: dict[tuple[Series, Origin], dict[int, KlineData]] = {}
        self._trades: dict[tuple[Series, Origin], dict[int, RawAggTrade]] = {}
        self._frames: list[RawFrame] = []

    def add(self, series: Series, origin: Origin, row: Row) -> None:
        """Take a row.  Of several states of one candle the closed one stays, else the one with most trades."""
        if isinstance(row, RawAggTrade):
            self._trades.setdefault((series, origin), {})[row.agg_id] = row
            return
        bars = self._klines.setdefault((series, origin), {})
        before = bars.get(row.start_time)
        if before is None or (row.is_closed, row.number_of_trades) >= (before.is_closed, before.number_of_trades):
            bars[row.start_time] = row

    def keep(self, frame: RawFrame) -> None:
        """Take a raw frame."""
        self._frames.append(frame)

    def batch(self, connections: Sequence[ConnectionRecord] = ()) -> Batch:
        """All of it."""
        rows = [
            Rows(series, origin, klines=(klines := [bars[key] for key in sorted(bars)]), covered=of_candles(klines))
            for (series, origin), bars in self._klines.items()
        ]
        rows += [
            Rows(series, origin, trades=[trades[key] for key in sorted(trades)], covered=of_ids(sorted(trades)))
            for (series, origin), trades in self._trades.items()
        ]
        return Batch(rows, connections, self._frames)


def of_ids(ids: Iterable[int]) -> list[Span]:
    """The runs of ids that follow one another; each id proves itself.  The ids are in order."""
    spans: list[Span] = []
    for number in ids:
        if spans and number == spans[-1].last + 1:
            spans[-1] = Span(spans[-1].first, number)
        else:
            spans.append(Span(number, number))
    return spans


def of_candles(klines: Iterable[KlineData]) -> list[Span]:
    """The runs of closed candles that follow one another, by their openings.  The candles are in order.

    An open one proves nothing: what comes after this state of it may never come.
    """
    spans: list[Span] = []
    following = -1
    for kline in klines:
        if not kline.is_closed:
            continue
        if spans and kline.start_time == following:
            spans[-1] = Span(spans[-1].first, kline.start_time)
        else:
            spans.append(Span(kline.start_time, kline.start_time))
        following = kline.end_time + 1
    return spans
