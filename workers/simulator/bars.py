"""Candles of any interval, made of the market model's minutes.  A pure computation with a bounded memory."""

from collections.abc import Iterator

from fsnats.candles.calendar import span
from workers.simulator.instruments import Instrument
from workers.simulator.market import Model
from workers.simulator.minutes import MINUTE, Bar

_KEPT = 50_000  # hours and days


class Bars:
    """Answers for any stretch of time of any instrument."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._known: dict[tuple[str, int, int], Bar] = {}

    def between(self, instrument: Instrument, start: int, stop: int) -> Bar:
        """The bar of the trades from `start` up to but without `stop`, in milliseconds.

        Before the instrument was listed there is nothing.
        """
        start = max(start, instrument.listed)
        if stop <= start:
            price = self._model.open_price(instrument, start // MINUTE)
            return Bar(price, price, price, price)
        first, last = start // MINUTE, stop // MINUTE
        if first == last:
            return self._part(instrument, start, stop)
        bar: Bar | None = None
        if start % MINUTE:
            bar = self._part(instrument, start, (first + 1) * MINUTE)
            first += 1
        for piece in self._whole(instrument, first, last):
            bar = piece if bar is None else bar.then(piece)
        if stop % MINUTE:
            piece = self._part(instrument, last * MINUTE, stop)
            bar = piece if bar is None else bar.then(piece)
        assert bar is not None
        return bar

    def candle(
        self, instrument: Instrument, interval: str, time: int, now: int, shift: int = 0
    ) -> tuple[int, int, Bar]:
        """The candle that `time` lies in, as known at `now`: its bounds and its bar."""
        start, stop = span(interval, time, shift)
        return start, stop, self.between(instrument, start, min(stop, now + 1))

    def rows(
        self, instrument: Instrument, interval: str, start: int, now: int, shift: int = 0
    ) -> Iterator[tuple[int, int, Bar]]:
        """The candles from the one that opens at or after `start`, up to the open one of `now`."""
        opens, closes = span(interval, max(start, instrument.listed), shift)
        if opens < start:
            opens, closes = span(interval, closes, shift)
        while opens <= now:
            yield opens, closes, self.between(instrument, opens, min(closes, now + 1))
            opens, closes = span(interval, closes, shift)

    def _part(self, instrument: Instrument, start: int, stop: int) -> Bar:
        """A piece of one minute."""
        minute = self._model.at(instrument, start)
        return minute.part(minute.count_at(start - 1), minute.count_at(stop - 1))

    def _whole(self, instrument: Instrument, first: int, last: int) -> Iterator[Bar]:
        """The bars of whole minutes, in the largest pieces that are known or worth knowing."""
        minute = first
        while minute < last:
            if minute % 1440 == 0 and minute + 1440 <= last:
                yield self._piece(instrument, minute, 1440)
                minute += 1440
            elif minute % 60 == 0 and minute + 60 <= last:
                yield self._piece(instrument, minute, 60)
                minute += 60
            else:
                yield self._model.minute(instrument, minute).bar()
                minute += 1

    def _piece(self, instrument: Instrument, minute: int, length: int) -> Bar:
        key = (instrument.key, minute, length)
        bar = self._known.get(key)
        if bar is None:
            if length == 60:
                pieces = (self._model.minute(instrument, each).bar() for each in range(minute, minute + 60))
            else:
                pieces = (self._piece(instrument, each, 60) for each in range(minute, minute + length, 60))
            bar = next(pieces)
            for piece in pieces:
                bar = bar.then(piece)
            if len(self._known) >= _KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = bar
        return bar
