"""One minute of one instrument: its trades, and the bar of any part of them.  A pure computation.

A minute has a fixed number of aggregate trades per instrument, so ids are arithmetic.  It is cut into eight segments;
in each, the best bid stands still at the segment's level and the best ask one tick above, sellers trade at the one and
buyers at the other.  The first segment stands where the minute before ended: its close is the next one's open.
"""

from bisect import bisect_right
from functools import lru_cache
from operator import mul
from random import Random

import msgspec

from fsnats.binance.streams import Market
from workers.simulator.instruments import Instrument

MINUTE = 60_000  # milliseconds
SEGMENTS = 8
EPOCH = 1_577_836_800_000 // MINUTE  # 2020-01-01: the minute from which ids are counted


class Trade(msgspec.Struct):
    """An aggregate trade; `first` to `last` are the ids of the trades in it."""

    id: int
    price: int
    quantity: int
    first: int
    last: int
    time: int
    maker: bool  # the buyer was the maker: somebody sold into the book


class Bar(msgspec.Struct):
    """What a candle says of some trades; a bar without trades has count 0 and stands where the price stood.

    `quote` and `buy_quote` are in units of 10^-quote_digits.
    """

    open: int
    high: int
    low: int
    close: int
    volume: int = 0
    quote: int = 0
    count: int = 0
    buy_volume: int = 0
    buy_quote: int = 0
    first: int = -1
    last: int = -1

    def then(self, later: "Bar") -> "Bar":
        """The bar of this one's time and the time of `later` behind it."""
        if not later.count:
            return self
        if not self.count:
            return later
        return Bar(
            self.open,
            self.high if self.high > later.high else later.high,
            self.low if self.low < later.low else later.low,
            later.close,
            self.volume + later.volume,
            self.quote + later.quote,
            self.count + later.count,
            self.buy_volume + later.buy_volume,
            self.buy_quote + later.buy_quote,
            self.first,
            later.last,
        )


class Pattern:
    """How the trades of a minute lie in time, and who sold.

    All patterns with as many trades have the same total of weights: the volume of a minute is its unit times that.
    """

    def __init__(self, aggregates: int, variant: int) -> None:
        random = Random(f"{aggregates}/{variant}")
        self.aggregates = aggregates
        self.per_segment = aggregates // SEGMENTS
        slot = MINUTE / aggregates
        self.offsets = [int(slot * (index + random.random() * 0.95)) for index in range(aggregates)]
        # At least two, because an aggregate of two fills needs something for each.
        self.weights = [2 + index * 7 % 9 for index in range(aggregates)]
        random.shuffle(self.weights)
        # Each segment begins with a sale and a purchase, the minute ends with a sale: so each segment shows both of
        # its prices, and the last price of a minute is the first of the next.
        self.buys = [random.random() < 0.5 for _ in range(aggregates)]
        for start in range(0, aggregates, self.per_segment):
            self.buys[start : start + 2] = [False, True]
        self.buys[-1] = False
        self.weight_before = [0]
        self.bought_before = [0]
        for weight, bought in zip(self.weights, self.buys, strict=True):
            self.weight_before.append(self.weight_before[-1] + weight)
            self.bought_before.append(self.bought_before[-1] + weight * bought)
        edges = range(0, aggregates + 1, self.per_segment)
        self.segment_weights = [
            self.weight_before[end] - self.weight_before[end - self.per_segment] for end in edges[1:]
        ]
        self.segment_bought = [
            self.bought_before[end] - self.bought_before[end - self.per_segment] for end in edges[1:]
        ]
        self.total = self.weight_before[-1]
        self.bought = self.bought_before[-1]


@lru_cache(maxsize=256)
def pattern(aggregates: int, variant: int) -> Pattern:
    """The pattern of that name; they are shared by all instruments."""
    return Pattern(aggregates, variant)


class Minute:
    """One minute of one instrument: any part of it can be asked for."""

    __slots__ = ("instrument", "levels", "number", "pattern", "start", "unit")

    def __init__(self, instrument: Instrument, number: int, levels: list[int], unit: int, pattern: Pattern) -> None:
        self.instrument = instrument
        self.number = number
        self.start = number * MINUTE
        self.levels = levels
        self.unit = unit  # steps of quantity of one weight
        self.pattern = pattern

    def count_at(self, time: int) -> int:
        """How many aggregate trades have happened at `time`, those at that very millisecond included."""
        return bisect_right(self.pattern.offsets, time - self.start)

    def level_at(self, time: int) -> int:
        """The best bid at `time`; the best ask is one tick above."""
        count = self.count_at(time)
        return self.levels[(count - 1) // self.pattern.per_segment if count else 0]

    def trade(self, index: int) -> Trade:
        """The index-th aggregate trade."""
        shape = self.pattern
        first = first_trade(self.instrument, self.number) + index + index // 3
        bought = shape.buys[index]
        return Trade(
            (self.number - EPOCH) * shape.aggregates + index,
            self.levels[index // shape.per_segment] + bought,
            self.unit * shape.weights[index],
            first,
            first + (index % 3 == 2),
            self.start + shape.offsets[index],
            not bought,
        )

    def fills(self, index: int) -> list[tuple[int, int]]:
        """The id and quantity of each trade in the index-th aggregate."""
        trade = self.trade(index)
        if trade.first == trade.last:
            return [(trade.first, trade.quantity)]
        half = trade.quantity // 2
        return [(trade.first, half), (trade.last, trade.quantity - half)]

    def bar(self) -> Bar:
        """The whole minute."""
        if self.instrument.market is Market.COINM:
            return self.part(0, self.pattern.aggregates)
        shape, levels, unit = self.pattern, self.levels, self.unit
        first = first_trade(self.instrument, self.number)
        count = trades_per_minute(shape.aggregates)
        return Bar(
            levels[0],
            max(levels) + 1,
            min(levels),
            levels[-1],
            unit * shape.total,
            unit * (sum(map(mul, levels, shape.segment_weights)) + shape.bought),
            count,
            unit * shape.bought,
            unit * (sum(map(mul, levels, shape.segment_bought)) + shape.bought),
            first,
            first + count - 1,
        )

    def part(self, start: int, stop: int) -> Bar:
        """The aggregate trades from index `start` up to but without `stop`."""
        shape = self.pattern
        per = shape.per_segment
        if start >= stop:
            stands = self.levels[(start - 1) // per if start else 0] + (shape.buys[start - 1] if start else 0)
            return Bar(stands, stands, stands, stands)
        highest = volume = quote = bought = bought_quote = 0
        lowest = 1 << 62
        inverse = self._inverse()
        for segment in range(start // per, (stop - 1) // per + 1):
            low = max(start, segment * per)
            high = min(stop, (segment + 1) * per)
            weight = shape.weight_before[high] - shape.weight_before[low]
            bought_weight = shape.bought_before[high] - shape.bought_before[low]
            sold_weight = weight - bought_weight
            level = self.levels[segment]
            highest = max(highest, level + 1 if bought_weight else level)
            lowest = min(lowest, level if sold_weight else level + 1)
            volume += weight
            bought += bought_weight
            if inverse:
                taken = bought_weight * self.unit * inverse // (level + 1)
                bought_quote += taken
                quote += taken + sold_weight * self.unit * inverse // level
            else:
                bought_quote += (level + 1) * bought_weight * self.unit
                quote += (level * weight + bought_weight) * self.unit
        earliest = first_trade(self.instrument, self.number)
        first = earliest + start + start // 3
        last = earliest + stop - 1 + stop // 3
        return Bar(
            self.levels[start // per] + shape.buys[start],
            highest,
            lowest,
            self.levels[(stop - 1) // per] + shape.buys[stop - 1],
            volume * self.unit,
            quote,
            last - first + 1,
            bought * self.unit,
            bought_quote,
            first,
            last,
        )

    def _inverse(self) -> int:
        """On COIN-M, what one contract at a price of one tick is worth in 10^-8 of the base asset; otherwise 0."""
        if self.instrument.market is not Market.COINM:
            return 0
        return self.instrument.contract_size * int(10 ** (8 + self.instrument.tick_digits))


def trades_per_minute(aggregates: int) -> int:
    """Every third aggregate consists of two trades."""
    return aggregates + aggregates // 3


def first_trade(instrument: Instrument, minute: int) -> int:
    """The id of the first trade of a minute."""
    return (minute - EPOCH) * trades_per_minute(instrument.aggregates)
