"""What a batch comes to: by series, each row once, and nothing that a database would write otherwise.  Pure."""

import re

import msgspec

from fsnats.errors import Unusable
from fsnats.store import Batch, ConnectionRecord, KlineData, Origin, RawAggTrade, RawFrame, Rows, Series, Span
from fsnats.store.spans import steps, union
from fsnats.store.states import State, settled

# As every database writes it again: no exponent, no sign of nothing, no needless zero in front.
_NUMBER = r"(?!-0(?:\.0+)?(?:,|\Z))-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?"
_are_prices = re.compile(rf"{_NUMBER}(?:,{_NUMBER})*").fullmatch

Told = tuple[RawAggTrade, Origin]


class Merged(msgspec.Struct):
    """The rows of one series, by their keys in order, and the spans that they prove."""

    klines: dict[int, State] = {}
    trades: dict[int, Told] = {}
    covered: list[Span] = []


class Prepared(msgspec.Struct, frozen=True):
    """A batch without repeats, its series in order: two programs that write the same ones never wait in a circle."""

    series: dict[Series, Merged]
    connections: list[ConnectionRecord]
    frames: list[RawFrame]


def prepared(batch: Batch) -> Prepared:
    """Merge what a batch repeats.  Raises Unusable, naming the row, for one that is of another series or no numbers."""
    series: dict[Series, Merged] = {}
    for rows in batch.rows:
        if rows.klines or rows.trades or rows.covered:
            _merge(rows, series.setdefault(rows.series, Merged()))
    for merged in series.values():
        merged.klines = dict(sorted(merged.klines.items()))
        merged.trades = dict(sorted(merged.trades.items()))
    connections: dict[tuple[str, int, str], ConnectionRecord] = {}
    for record in batch.connections:
        newest = connections.setdefault((record.worker, record.epoch, record.id), record)
        if record.seen_ms >= newest.seen_ms:
            connections[record.worker, record.epoch, record.id] = record
    frames: dict[tuple[str, str, int, int], RawFrame] = {}
    for frame in batch.frames:
        frames.setdefault((frame.market, frame.stream, frame.epoch, frame.seq), frame)
    return Prepared(
        {one: series[one] for one in sorted(series)},
        [connections[key] for key in sorted(connections)],
        list(frames.values()),
    )


def _merge(rows: Rows, into: Merged) -> None:
    series, origin = rows.series, rows.origin
    if series.kind == "aggTrade":
        if rows.klines:
            raise Unusable(f"{_shown(series)}: candles among trades")
        for trade in rows.trades:
            _check_trade(trade, series)
            into.trades.setdefault(trade.agg_id, (trade, origin))
    else:
        if rows.trades:
            raise Unusable(f"{_shown(series)}: trades among candles")
        for candle in rows.klines:
            _check_candle(candle, series)
            there = into.klines.get(candle.start_time)
            new = (candle, origin)
            into.klines[candle.start_time] = new if there is None else settled(new, there)
    if rows.covered:
        for span in rows.covered:
            if span.first > span.last:
                raise Unusable(f"{_shown(series)}: a span from {span.first} back to {span.last}")
        into.covered = union([*into.covered, *rows.covered], steps(series))


def _check_candle(candle: KlineData, series: Series) -> None:
    if candle.interval != series.interval:
        raise Unusable(f"{_shown(series)}: a candle of {candle.interval}")
    c = candle
    numbers = (
        f"{c.open},{c.close},{c.high},{c.low},{c.volume},{c.quote_volume},{c.taker_buy_volume},"
        f"{c.taker_buy_quote_volume},{c.ignore}"
    )
    if not _are_prices(numbers) or numbers.count(",") != 8:
        raise Unusable(f"{_shown(series)}: the candle of {c.start_time} has what is no number: {numbers}")


def _check_trade(trade: RawAggTrade, series: Series) -> None:
    if trade.symbol != series.name:
        raise Unusable(f"{_shown(series)}: a trade of {trade.symbol}")
    numbers = f"{trade.price},{trade.quantity}"
    if not _are_prices(numbers) or numbers.count(",") != 1:
        raise Unusable(f"{_shown(series)}: trade {trade.agg_id} has what is no number: {numbers}")


def _shown(series: Series) -> str:
    return " ".join(filter(None, (series.market, series.kind, series.name, series.interval)))
