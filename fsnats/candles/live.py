"""Candles made of shorter ones, as they come or all at once.  Pure."""

from collections.abc import Iterable, Iterator

from fsnats.candles.calendar import fills, length_of, span
from fsnats.candles.candle import Candle, Span
from fsnats.candles.sums import Sums
from fsnats.errors import Unusable


class _Making:
    """One candle in the making: what is counted, up to where, and what is missing before that."""

    def __init__(self, start: int, stop: int) -> None:
        self.start = start
        self.stop = stop
        self.reached = start
        self.told = False  # it was handed out as closed
        self._missing: list[Span] = []
        self._sums: Sums | None = None

    def add(self, piece: Candle) -> bool:
        """Count a closed piece; False if it is counted already."""
        start, stop = piece.open_ms, piece.stop_ms
        if start >= self.reached:
            if start > self.reached:
                self._missing.append((self.reached, start))
            self.reached = stop
        elif not self._fill(start, stop):
            return False
        self._missing += piece.missing
        if self._sums is None:
            self._sums = Sums(piece, start)
        else:
            self._sums.add(piece, start)
        return True

    def _fill(self, start: int, stop: int) -> bool:
        for number, (first, last) in enumerate(self._missing):
            if first <= start and stop <= last:
                rest = [(first, start), (stop, last)]
                self._missing[number : number + 1] = [(a, b) for a, b in rest if a < b]
                return True
        return False

    def candle(self, tip: Candle | None, over: bool) -> Candle | None:
        """What is known, with the piece that is still open; None if that is nothing."""
        missing = self._missing
        if tip is not None:
            missing = [*missing, (self.reached, tip.open_ms)] if tip.open_ms > self.reached else missing
            sums = Sums(tip, tip.open_ms) if self._sums is None else self._sums.with_piece(tip, tip.open_ms)
            return sums.candle(self.start, self.stop, False, [*missing, *tip.missing])
        if over and self.reached < self.stop:
            missing = [*missing, (self.reached, self.stop)]
        if self._sums is None:
            return None
        return self._sums.candle(self.start, self.stop, over or self.reached == self.stop, missing)


class Live:
    """Makes candles of `interval` of those of `lower`, fed one state after the other.

    Repeats change nothing.  A piece whose end nobody saw is missing, and so is one that never came (a candle of which
    no piece was ever closed is not told when it is over); when it comes after all, while its candle is the newest or
    the one before, the candle is mended.  What comes later still is counted in `late` and left alone: make that candle
    anew.  Raises Unusable if `lower` does not fill `interval`.
    """

    def __init__(self, lower: str, interval: str, zone_ms: int = 0) -> None:
        if not fills(lower, interval):
            raise Unusable(f"{interval}: not made of candles of {lower}")
        self._lower = lower
        self._length = length_of(lower)
        self._interval = interval
        self._zone_ms = zone_ms
        self._before: _Making | None = None
        self._now: _Making | None = None
        self._tip: Candle | None = None
        self.late = 0

    @property
    def newest(self) -> Candle | None:
        """The newest candle as known now, usually open; None before the first event."""
        return None if self._now is None else self._now.candle(self._tip, over=False)

    def feed(self, piece: Candle) -> list[Candle]:
        """Take a state of a shorter candle.  Gives the candles that it closed, or that were closed and are mended.

        Raises Unusable for what is no candle of the shorter interval; it changes nothing.
        """
        # No interval that fills a longer one is longer than a day, and time zones go by minutes.
        if (piece.open_ms + self._zone_ms) % self._length or piece.stop_ms - piece.open_ms != self._length:
            raise Unusable(f"{piece.open_ms} to {piece.close_ms}: not a candle of {self._lower}")
        closed: list[Candle] = []
        now = self._now
        if now is None or piece.open_ms >= now.stop:
            if now is not None:
                self._tip = None
                _tell(now, closed)
            self._before = now
            now = self._now = _Making(*span(self._interval, piece.open_ms, self._zone_ms))
        if piece.open_ms < now.start:
            self._mend(piece, closed)
        elif not piece.closed:
            self._show(piece, now)
        elif now.add(piece):
            if self._tip is not None and self._tip.open_ms < now.reached:
                self._tip = None
            if now.reached == now.stop:
                now.told = False
                _tell(now, closed)
        return closed

    def _mend(self, piece: Candle, closed: list[Candle]) -> None:
        before = self._before
        if before is None or piece.open_ms < before.start or piece.open_ms >= before.stop:
            self.late += 1
        elif piece.closed and before.add(piece):
            before.told = False
            _tell(before, closed)

    def _show(self, piece: Candle, now: _Making) -> None:
        tip = self._tip
        # Of two states of one candle the one with more trades is the later.
        if piece.open_ms >= now.reached and (tip is None or (piece.open_ms, piece.trades) >= (tip.open_ms, tip.trades)):
            self._tip = piece


def _tell(making: _Making, closed: list[Candle]) -> None:
    candle = None if making.told else making.candle(None, over=True)
    if candle is not None:
        making.told = True
        closed.append(candle)


def merged(pieces: Iterable[Candle], lower: str, interval: str, zone_ms: int = 0) -> Iterator[Candle]:
    """Candles of `interval`, made of those of `lower`, which come in the order of their opening.

    Where nothing is known there is no candle; the last one may be open.  Raises Unusable as `Live`, and for a piece
    out of order.
    """
    live = Live(lower, interval, zone_ms)
    newest: int | None = None
    for piece in pieces:
        if newest is not None and piece.open_ms < newest:
            raise Unusable(f"{piece.open_ms}: comes after the candle of {newest}")
        newest = piece.open_ms
        closed = live.feed(piece)
        if closed:
            yield from closed
    last = live.newest
    if last is not None and not last.closed:
        yield last
