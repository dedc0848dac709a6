"""Candles made of aggregated trades, as they come or all at once.  Pure."""

from collections.abc import Iterable, Iterator
from decimal import Decimal, Inexact

import msgspec

from fsnats.binance.streams import Market
from fsnats.candles.calendar import span
from fsnats.candles.candle import EXACT, Candle, Span, number
from fsnats.candles.sums import Sums, quiet, zero
from fsnats.errors import Unusable

QUOTE_DECIMALS = 8  # of what Binance prints at most; futures print as many as price and quantity have together
MOST_QUIET = 100_000  # candles without trades that one trade may leave behind it: a bit more than a day of seconds
_QUOTE = Decimal(1).scaleb(-QUOTE_DECIMALS)


class Trade(msgspec.Struct, frozen=True, gc=False):
    """Trades of one order at one price, as in `aggTrade`: `first_id` to `last_id`, all of them at `time_ms`."""

    price: Decimal
    quantity: Decimal
    first_id: int
    last_id: int
    time_ms: int
    buyer_maker: bool

    @property
    def void(self) -> bool:
        """Whether it is one of the places that Binance left in its count for trades that it took back."""
        return self.first_id < 0

    def candle(self) -> Candle:
        """Itself as a candle of one millisecond."""
        value = _value(self.price, self.quantity)
        return Candle(
            self.time_ms,
            self.time_ms,
            self.price,
            self.price,
            self.price,
            self.price,
            self.quantity,
            value,
            self.last_id - self.first_id + 1,
            zero(self.quantity) if self.buyer_maker else self.quantity,
            zero(value) if self.buyer_maker else value,
            self.first_id,
            self.last_id,
        )


def _value(price: Decimal, quantity: Decimal) -> Decimal:
    value = EXACT.multiply(price, quantity)
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -QUOTE_DECIMALS:
        return value
    try:
        return EXACT.quantize(value, _QUOTE)
    except Inexact:  # more decimals than Binance prints: how it rounds is not known, so nothing is rounded
        return value


class _Fields(msgspec.Struct):
    p: str
    q: str
    f: int
    l: int  # noqa: E741 # Binance's name
    T: int
    m: bool


_fields = msgspec.json.Decoder(_Fields).decode


def of_payload(payload: bytes) -> Trade:
    """A payload of `aggTrade`, or a row of `aggTrades`: both name their fields alike.

    Raises msgspec.DecodeError for another shape, Unusable for what is no number.
    """
    fields = _fields(payload)
    return Trade(number(fields.p), number(fields.q), fields.f, fields.l, fields.T, fields.m)


class _Hole(msgspec.Struct, frozen=True):
    """Trades that never came: their ids, and when they were."""

    first_id: int
    last_id: int  # below `first_id` if nothing can fill it
    start_ms: int
    stop_ms: int


class _Making:
    """One candle in the making."""

    def __init__(self, bounds: Span, trade: Trade, place: int) -> None:
        self.start, self.stop = bounds
        self._sums = Sums(trade.candle(), place)

    def add(self, trade: Trade, place: int) -> None:
        self._sums.add(trade.candle(), place)

    def candle(self, closed: bool, holes: Iterable[_Hole]) -> Candle:
        clipped = ((max(hole.start_ms, self.start), min(hole.stop_ms, self.stop)) for hole in holes)
        return self._sums.candle(self.start, self.stop, closed, [(a, b) for a, b in clipped if a < b])


class TradeCandles:
    """Makes candles of an interval of one symbol's aggregated trades, fed one after the other.

    The ids of trades show what is missing, and the time from the trade before to the one after is then `missing` of the
    candles that it touches.  The first candle misses what was before the first trade, unless that is the symbol's very
    first: feed the trade before, too.  A candle is closed when a trade comes that is behind it.  Repeats change
    nothing.  A late trade mends the newest candle and the one before; what belongs to older ones is counted in `late`
    and left alone.  A silence of more than MOST_QUIET candles is told as missing: it may be one wrong time.

    Raises Unusable for COIN-M, which tells contracts and rounds what they are worth trade by trade: sums of aggregated
    trades would differ from Binance's candles in the last digits.
    """

    def __init__(self, market: Market, interval: str) -> None:
        if market is Market.COINM:
            raise Unusable("coinm: its aggregated trades do not tell the base volume exactly; use candles of 1m")
        span(interval, 0)
        self._interval = interval
        self._before: _Making | None = None
        self._now: _Making | None = None
        self._newest: Trade | None = None
        self._holes: list[_Hole] = []
        self._counted = 0  # ids of earlier counts: what ids of this one are behind
        self.late = 0

    @property
    def newest(self) -> Candle | None:
        """The newest candle as known now, open; None before the first trade."""
        return None if self._now is None else self._now.candle(False, self._holes)

    def feed(self, trade: Trade) -> list[Candle]:
        """Take a trade.  Gives the candles that it closed, or that were closed and are mended.

        Raises Unusable for a new trade that is older than the one before it; it changes nothing.
        """
        now, newest = self._now, self._newest
        if trade.void:
            return []
        if now is None or newest is None:
            self._begin(trade)
            return []
        if trade.first_id <= newest.last_id:
            if trade.time_ms <= newest.time_ms:
                return self._fill(trade, now)
            self._count_anew(newest, trade)
        elif trade.time_ms < newest.time_ms:
            raise Unusable(f"trade {trade.first_id}: older than trade {newest.last_id}")
        elif trade.first_id > newest.last_id + 1:
            self._holes.append(_Hole(newest.last_id + 1, trade.first_id - 1, newest.time_ms, trade.time_ms + 1))
        self._newest = trade
        if trade.time_ms >= now.stop:
            return self._pass(trade, now, trade.first_id == newest.last_id + 1)
        now.add(trade, self._place(trade))
        return []

    def _place(self, trade: Trade) -> int:
        return self._counted + trade.first_id

    def _begin(self, trade: Trade) -> None:
        bounds = span(self._interval, trade.time_ms)
        if trade.first_id > 0:
            # Those before may have been in the same millisecond.
            self._holes.append(_Hole(0, trade.first_id - 1, bounds[0], trade.time_ms + 1))
        self._now, self._newest = _Making(bounds, trade, self._place(trade)), trade

    def _count_anew(self, newest: Trade, trade: Trade) -> None:
        """Ids that go back while times go on: no id of the old count can be told from one of the new."""
        self._counted += newest.last_id + 1
        self._holes.append(_Hole(0, -1, newest.time_ms, trade.time_ms + 1))
        self._holes = [_Hole(0, -1, hole.start_ms, hole.stop_ms) for hole in self._holes]

    def _pass(self, trade: Trade, now: _Making, complete: bool) -> list[Candle]:
        """A trade behind the newest candle.  What lies between is quiet if nothing is missing, else not known."""
        bounds = span(self._interval, trade.time_ms)
        if bounds[0] - now.stop > MOST_QUIET * (bounds[1] - bounds[0]):
            complete = False
            self._holes.append(_Hole(0, -1, now.stop - 1, trade.time_ms + 1))
        closed = [now.candle(True, self._holes)]
        if complete:
            start, stop = span(self._interval, now.stop)
            while start < bounds[0]:
                closed.append(quiet(closed[0], start, stop))
                start, stop = span(self._interval, stop)
        self._before, self._now = now, _Making(bounds, trade, self._place(trade))
        self._holes = [hole for hole in self._holes if hole.stop_ms > now.start]
        return closed

    def _fill(self, trade: Trade, now: _Making) -> list[Candle]:
        """An old trade: a repeat, or one that was missing."""
        making = next((m for m in (now, self._before) if m is not None and m.start <= trade.time_ms < m.stop), None)
        if making is None:
            self.late += 1
            return []
        for at, hole in enumerate(self._holes):
            if hole.first_id <= trade.first_id and trade.last_id <= hole.last_id:
                rest = [
                    _Hole(hole.first_id, trade.first_id - 1, hole.start_ms, trade.time_ms + 1),
                    _Hole(trade.last_id + 1, hole.last_id, trade.time_ms, hole.stop_ms),
                ]
                self._holes[at : at + 1] = [part for part in rest if part.first_id <= part.last_id]
                making.add(trade, self._place(trade))
                return [making.candle(True, self._holes)] if making is self._before else []
        return []


def traded(trades: Iterable[Trade], market: Market, interval: str) -> Iterator[Candle]:
    """Candles of an interval, made of one symbol's aggregated trades in the order of their ids; the last one is open.

    Raises Unusable as `TradeCandles`, and for a trade out of order.
    """
    candles = TradeCandles(market, interval)
    newest: Trade | None = None
    for trade in trades:
        if newest is not None and not trade.void and trade.time_ms < newest.time_ms:
            raise Unusable(f"trade {trade.first_id}: older than trade {newest.last_id}")
        newest = newest if trade.void else trade
        closed = candles.feed(trade)
        if closed:
            yield from closed
    last = candles.newest
    if last is not None:
        yield last
