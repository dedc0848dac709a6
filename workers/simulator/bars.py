"""Candles of any interval, made of the market model's minutes.  A pure computation with a bounded memory."""

from collections.abc import Iterator
from datetime import UTC, datetime

from workers.simulator.instruments import DAY, Instrument
from workers.simulator.market import HOUR, Model
from workers.simulator.minutes import MINUTE, Bar

_LENGTHS = {
    "1s": 1000, "1m": MINUTE, "3m": 3 * MINUTE, "5m": 5 * MINUTE, "15m": 15 * MINUTE, "30m": 30 * MINUTE,
    "1h": HOUR, "2h": 2 * HOUR, "4h": 4 * HOUR, "6h": 6 * HOUR, "8h": 8 * HOUR, "12h": 12 * HOUR,
    "1d": DAY, "3d": 3 * DAY, "1w": 7 * DAY,
}  # fmt: skip
_MONDAY = 4 * DAY  # 1970-01-05, the first Monday
_KEPT = 50_000  # hours and days


def bucket(interval: str, time: int, shift: int = 0) -> tuple[int, int]:
    """The candle that `time` lies in: its first millisecond, and the first one of the next.

    `shift` is the time zone's distance from UTC in milliseconds: a day begins when its clocks say midnight.
    """
    local = time + shift
    if interval == "1M":
        day = datetime.fromtimestamp(local / 1000, UTC).date().replace(day=1)
        following = day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)
        return _midnight(day.year, day.month) - shift, _midnight(following.year, following.month) - shift
    length = _LENGTHS[interval]
    origin = _MONDAY if interval == "1w" else 0
    start = (local - origin) // length * length + origin - shift
    return start, start + length


def _midnight(year: int, month: int) -> int:
    return int(datetime(year, month, 1, tzinfo=UTC).timestamp()) * 1000


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
        start, stop = bucket(interval, time, shift)
        return start, stop, self.between(instrument, start, min(stop, now + 1))

    def rows(
        self, instrument: Instrument, interval: str, start: int, now: int, shift: int = 0
    ) -> Iterator[tuple[int, int, Bar]]:
        """The candles from the one that opens at or after `start`, up to the open one of `now`."""
        opens, closes = bucket(interval, max(start, instrument.listed), shift)
        if opens < start:
            opens, closes = bucket(interval, closes, shift)
        while opens <= now:
            yield opens, closes, self.between(instrument, opens, min(closes, now + 1))
            opens, closes = bucket(interval, closes, shift)

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
