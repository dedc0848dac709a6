"""When each stream says something, and what: one feed per stream that anybody listens to.

A feed has a `due` time and a `produce(now)`; it holds only how far it has come.  Everything it says is computed from
the market model, so a feed that starts later says the same as one that ran all along.
"""

from collections.abc import Callable
from typing import Protocol

from fsnats.binance.streams import Market, Stream
from fsnats.candles.calendar import span
from workers.simulator import payloads
from workers.simulator.book import TICK, last_tick
from workers.simulator.instruments import Instrument, number
from workers.simulator.minutes import MINUTE, Bar
from workers.simulator.world import World

_EDGE = 3  # milliseconds after a candle's end at which its closing frame is due
_BEIJING = 8 * 3_600_000


class Feed(Protocol):
    """One stream's source.  Times are milliseconds since 1970."""

    due: int

    def produce(self, now: int) -> list[bytes]:
        """Everything there is to say up to `now`; moves `due` beyond it."""


class Periodic:
    """Says its state once per period, at a phase of its own so that not all speak at once."""

    def __init__(self, period: int, now: int, say: Callable[[int], list[bytes]], phase: int = 0) -> None:
        self._period = period
        self._say = say
        self._phase = phase % period
        self.due = self._after(now)

    def produce(self, now: int) -> list[bytes]:
        self.due = self._after(now)
        return self._say(now)

    def _after(self, now: int) -> int:
        return (now - self._phase) // self._period * self._period + self._period + self._phase


class Klines:
    """A candle at its cadence, and once more with `x` true when it has ended."""

    def __init__(self, world: World, stream: Stream, instrument: Instrument, now: int, say: "SayCandle") -> None:
        self._world = world
        self._instrument = instrument
        self._interval = stream.interval
        self._shift = _BEIJING if stream.name.endswith("+08:00") else 0
        self._say = say
        self._period = 1000 if stream.interval == "1s" else int(stream.cadence * 1000)
        self._phase = number(stream.name) % self._period
        self._opens, self._closes = span(self._interval, now, self._shift)
        self._whole: Bar | None = None  # the candle's minutes that are over
        self._whole_until = self._opens
        self._spoken = False
        self.due = now

    def produce(self, now: int) -> list[bytes]:
        said = []
        while now >= self._closes:
            # Time may have jumped; a candle of which nobody heard anything is not closed to anybody.
            if self._spoken:
                said.append(self._frame(self._closes - 1, now, closed=True))
            self._opens, self._closes = span(self._interval, self._closes, self._shift)
            self._whole, self._whole_until = None, self._opens
            if now >= self._closes + 100 * (self._closes - self._opens):
                self._opens, self._closes = span(self._interval, now, self._shift)
                self._whole_until = self._opens
        said.append(self._frame(now, now, closed=False))
        self._spoken = True
        self.due = (now - self._phase) // self._period * self._period + self._period + self._phase
        if self.due >= self._closes:
            self.due = self._closes + _EDGE
        return said

    def _frame(self, time: int, now: int, *, closed: bool) -> bytes:
        bar = self._bar(time)
        return self._say(self._instrument, self._interval, self._opens, self._closes, bar, closed, now)

    def _bar(self, time: int) -> Bar:
        """The candle up to and with `time`."""
        minute = time // MINUTE * MINUTE
        if minute <= self._opens:
            return self._world.bars.between(self._instrument, self._opens, time + 1)
        if minute > self._whole_until:
            later = self._world.bars.between(self._instrument, self._whole_until, minute)
            self._whole = later if self._whole is None else self._whole.then(later)
            self._whole_until = minute
        part = self._world.bars.between(self._instrument, minute, time + 1)
        return part if self._whole is None else self._whole.then(part)


SayCandle = Callable[[Instrument, str, int, int, Bar, bool, int], bytes]


class Trades:
    """Aggregate trades, or the single ones in them, as they happen."""

    def __init__(self, world: World, instrument: Instrument, now: int, *, single: bool, delay: int) -> None:
        self._model = world.model
        self._instrument = instrument
        self._single = single
        self._delay = delay  # futures aggregate over 100 ms
        self._minute = (now - delay) // MINUTE
        self._index = self._model.at(instrument, now - delay).count_at(now - delay)
        self.due = now

    def produce(self, now: int) -> list[bytes]:
        said: list[bytes] = []
        until = now - self._delay
        if until // MINUTE > self._minute + 5:  # time jumped
            self._minute, self._index = until // MINUTE, 0
        while self._minute <= until // MINUTE:
            minute = self._model.at(self._instrument, self._minute * MINUTE)
            count = minute.count_at(until)
            for index in range(self._index, count):
                trade = minute.trade(index)
                if self._single:
                    for trade_id, quantity in minute.fills(index):
                        said.append(payloads.trade(self._instrument, trade, trade_id, quantity, now))
                else:
                    said.append(payloads.agg_trade(self._instrument, trade, now))
            self._index = max(count, self._index)
            if self._minute == until // MINUTE:
                offsets = minute.pattern.offsets
                ahead = offsets[self._index] if self._index < len(offsets) else MINUTE
                self.due = max(now + 1, minute.start + ahead + self._delay)
                break
            self._minute, self._index = self._minute + 1, 0
        return said


class Depth:
    """Diff depth: what changed since the last period ended.  The chain of ids is the same for whoever looks."""

    def __init__(self, world: World, instrument: Instrument, period: int, now: int) -> None:
        self._book = world.book(instrument)
        self._instrument = instrument
        self._period = period
        self._done = last_tick(now // period * period)
        self.due = now // period * period + period

    def produce(self, now: int) -> list[bytes]:
        said = []
        while self.due <= now:
            until = last_tick(self.due)
            if until > self._done:
                change = self._book.change(self._done, until)
                if change.bids or change.asks:
                    time = until * TICK + TICK - 1
                    said.append(payloads.depth(self._instrument, change, time, now))
                    self._done = until
            self.due += self._period
        return said


def partial_depth(world: World, instrument: Instrument, levels: int, period: int) -> Callable[[int], list[bytes]]:
    """The best levels; on futures in the shape, and with the ids, of a difference."""
    book = world.book(instrument)

    def say(now: int) -> list[bytes]:
        tick = last_tick(now)
        if instrument.market is Market.SPOT:
            return [payloads.partial_depth(instrument, book.id_at(tick), book.top(tick, levels))]
        change = book.ids(last_tick(now - period), tick)
        change.bids, change.asks = book.top(tick, levels)
        return [payloads.depth(instrument, change, tick * TICK + TICK - 1, now)]

    return say


class BookTickers:
    """The best prices of one or more books, whenever they changed."""

    def __init__(self, world: World, instruments: Callable[[], list[Instrument]], period: int, now: int) -> None:
        self._world = world
        self._instruments = instruments
        self._period = period
        self._done = last_tick(now) - 1
        self.due = now

    def produce(self, now: int) -> list[bytes]:
        tick = last_tick(now)
        said = []
        for instrument in self._instruments():
            book = self._world.book(instrument)
            if book.best_changed(self._done, tick):
                time = tick * TICK + TICK - 1
                said.append(payloads.book_ticker(instrument, book.id_at(tick), book.best(tick), time, now))
        self._done = tick
        self.due = now // self._period * self._period + self._period
        return said
