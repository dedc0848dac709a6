"""Pieces of a candle added up, in whatever order they come.  Pure."""

from collections.abc import Iterable
from decimal import Decimal

from fsnats.candles.candle import EXACT, UNKNOWN, Candle, Span

_add = EXACT.add


class Sums:
    """What is known of the trades of a candle.

    Only pieces with trades have a say in its prices: the price that Binance writes into a candle without trades is the
    one before, and no part of a longer candle in which there are some.
    """

    __slots__ = (
        "_close",
        "_first",
        "_first_id",
        "_high",
        "_last",
        "_last_id",
        "_low",
        "_open",
        "_quote_volume",
        "_taker_quote_volume",
        "_taker_volume",
        "_trades",
        "_volume",
    )

    def __init__(self, piece: Candle, place: int) -> None:
        self._volume, self._taker_volume = piece.volume, piece.taker_volume
        self._quote_volume, self._taker_quote_volume = piece.quote_volume, piece.taker_quote_volume
        self._trades = piece.trades
        self._take_prices(piece, place)

    def _take_prices(self, piece: Candle, place: int) -> None:
        self._open, self._high, self._low, self._close = piece.open, piece.high, piece.low, piece.close
        self._first_id, self._last_id = piece.first_id, piece.last_id
        self._first = self._last = place

    def add(self, piece: Candle, place: int) -> None:
        """Count a piece.  Pieces are in the order of their `place`s."""
        if self._trades == 0 and piece.trades:
            self._take_prices(piece, place)
        elif piece.trades or not self._trades:
            if piece.high > self._high:
                self._high = piece.high
            if piece.low < self._low:
                self._low = piece.low
            if place > self._last:
                self._last, self._close, self._last_id = place, piece.close, piece.last_id
            elif place < self._first:
                self._first, self._open, self._first_id = place, piece.open, piece.first_id
        self._trades += piece.trades
        self._volume = _add(self._volume, piece.volume)
        self._quote_volume = _add(self._quote_volume, piece.quote_volume)
        self._taker_volume = _add(self._taker_volume, piece.taker_volume)
        self._taker_quote_volume = _add(self._taker_quote_volume, piece.taker_quote_volume)

    def with_piece(self, piece: Candle, place: int) -> "Sums":
        """The same with one more piece; this one stays as it is."""
        more = Sums.__new__(Sums)
        for name in Sums.__slots__:
            setattr(more, name, getattr(self, name))
        more.add(piece, place)
        return more

    def candle(self, start: int, stop: int, closed: bool, missing: Iterable[Span]) -> Candle:
        """The candle of all pieces, from `start` up to but without `stop`."""
        return Candle(
            start,
            stop - 1,
            self._open,
            self._high,
            self._low,
            self._close,
            self._volume,
            self._quote_volume,
            self._trades,
            self._taker_volume,
            self._taker_quote_volume,
            self._first_id,
            self._last_id,
            closed,
            joined(missing),
        )


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in order, those that touch made one."""
    made: list[Span] = []
    for start, stop in sorted(spans):
        if made and start <= made[-1][1]:
            made[-1] = (made[-1][0], max(stop, made[-1][1]))
        else:
            made.append((start, stop))
    return tuple(made)


def quiet(before: Candle, start: int, stop: int) -> Candle:
    """The candle that Binance writes where nothing was traded: the price before, and nothing else."""
    price = before.close
    base, quote = zero(before.volume), zero(before.quote_volume)
    return Candle(start, stop - 1, price, price, price, price, base, quote, 0, base, quote, UNKNOWN, UNKNOWN)


def zero(like: Decimal) -> Decimal:
    """Nothing, with as many decimals."""
    return EXACT.subtract(like, like)
