"""The order book as a pure function of time: what stands in it, and what changed between two moments.

The book moves in ticks of 100 ms.  At any tick it has the best bid and ask, which the market model gives, and further
levels on a grid of prices; the quantity of a grid level changes once in `_TURN` ticks.  So the difference of two
moments is computed from the two alone, and streams of any speed and the REST snapshot belong to the same chain.
"""

import msgspec

from fsnats.binance.streams import Market
from workers.simulator.instruments import Instrument, number
from workers.simulator.market import HOUR, Model

TICK = 100  # milliseconds
_EPOCH = 1_577_836_800_000 // TICK
_TURN = 64  # ticks between two changes of a grid level; a power of two
_STRIDE = 37  # odd, so that each of _TURN neighbouring grid levels changes at a tick of its own
_STRIDE_INVERSE = pow(_STRIDE, -1, _TURN)
_GRID = 300  # levels of the grid on either side of the hour's first price
_MASK = (1 << 64) - 1

Level = tuple[int, int]  # price and quantity
_Moment = tuple[int, int, int, int]  # a tick, its best bid, the lowest and the highest grid level of its hour


class Change(msgspec.Struct):
    """What happened to a book after tick `after` and until tick `until`; a quantity of 0 removes."""

    first_id: int  # U
    last_id: int  # u
    previous_id: int  # pu, on futures
    bids: list[Level]
    asks: list[Level]


def last_tick(time: int) -> int:
    """The newest tick that is over at `time`."""
    return time // TICK - 1


class Book:
    """One instrument's book."""

    def __init__(self, model: Model, instrument: Instrument) -> None:
        self._model = model
        self.instrument = instrument
        self._salt = number(model.seed, "book", instrument.key)
        self._gap = max(1, instrument.level // 8000)  # ticks of price between two grid levels
        self._usual = max(4, 40 * model.minute(instrument, 0).unit)
        spot = instrument.market is Market.SPOT
        self._ids = 3 if spot else 60  # ids that one tick uses
        self._skip = 1 if spot else 7  # futures ids are venue-wide: others' come in between
        # How many ticks the quantity at the best prices stands still: 0.1 s for the busy, longer for the others.
        self.best_turn = max(1, 240 // instrument.aggregates)
        self._edges: tuple[int, int, int] = (-1, 0, 0)

    def id_at(self, tick: int) -> int:
        """The last update id of a tick."""
        return (tick - _EPOCH) * self._ids

    def best(self, tick: int) -> tuple[Level, Level]:
        """The best bid and ask."""
        bid = self._bid(tick)
        return (bid, self._best_quantity(0, tick)), (bid + 1, self._best_quantity(1, tick))

    def best_changed(self, after: int, until: int) -> bool:
        """Whether the best prices or their quantities differ between two ticks."""
        return after // self.best_turn != until // self.best_turn or self._bid(after) != self._bid(until)

    def top(self, tick: int, levels: int) -> tuple[list[Level], list[Level]]:
        """The best `levels` of either side, best first."""
        bid = self._bid(tick)
        low, high = self._bounds(tick)
        bids = [(bid, self._best_quantity(0, tick))]
        below = (bid - 1) // self._gap
        for grid in range(below, max(below - levels + 1, low - 1), -1):
            bids.append((grid * self._gap, self._grid_quantity(0, grid, tick)))
        asks = [(bid + 1, self._best_quantity(1, tick))]
        above = (bid + 1) // self._gap + 1
        for grid in range(above, min(above + levels - 1, high + 1)):
            asks.append((grid * self._gap, self._grid_quantity(1, grid, tick)))
        return bids[:levels], asks[:levels]

    def change(self, after: int, until: int) -> Change:
        """How the book of tick `after` becomes the book of tick `until`."""
        before, now = self._moment(after), self._moment(until)
        prices = self._touched(before, now)
        sides: list[list[Level]] = [[], []]
        for side, levels in enumerate(sides):
            for price in prices:
                quantity = self._quantity(side, price, now)
                if quantity != self._quantity(side, price, before):
                    levels.append((price, quantity))
        change = self.ids(after, until)
        change.bids, change.asks = sides
        return change

    def ids(self, after: int, until: int) -> Change:
        """A change without levels: only its ids."""
        previous = self.id_at(after)
        return Change(previous + self._skip, self.id_at(until), previous, [], [])

    def _touched(self, before: _Moment, now: _Moment) -> list[int]:
        """Every price whose quantity may differ between two moments, ascending."""
        (after, was, low, high), (until, becomes, new_low, new_high) = before, now
        grids = set(range(min(was, becomes) // self._gap, max(was, becomes) // self._gap + 2))
        bottom, summit = min(low, new_low), max(high, new_high)
        if until - after >= _TURN or (low, high) != (new_low, new_high):
            grids.update(range(bottom, summit + 1))
        else:
            for tick in range(after + 1, until + 1):
                # The grid levels g with (tick + g * _STRIDE) % _TURN == 0.
                residue = -tick * _STRIDE_INVERSE % _TURN
                grids.update(range(bottom + (residue - bottom) % _TURN, summit + 1, _TURN))
        prices = {grid * self._gap for grid in grids}
        prices.update((was, was + 1, becomes, becomes + 1))
        return sorted(prices)

    def _quantity(self, side: int, price: int, moment: _Moment) -> int:
        """What stands on a side at a price: 0 for nothing."""
        tick, bid, low, high = moment
        best = bid + side
        if price == best:
            return self._best_quantity(side, tick)
        grid, off = divmod(price, self._gap)
        if off or not low <= grid <= high or (price > best if side == 0 else price < best):
            return 0
        return self._grid_quantity(side, grid, tick)

    def _moment(self, tick: int) -> _Moment:
        return (tick, self._bid(tick), *self._bounds(tick))

    def _bid(self, tick: int) -> int:
        return self._model.price(self.instrument, tick * TICK + TICK - 1)

    def _bounds(self, tick: int) -> tuple[int, int]:
        """The lowest and highest level of the grid: the same for a whole hour."""
        hour = (tick * TICK + TICK - 1) // HOUR
        if self._edges[0] != hour:
            middle = self._model.hour_price(self.instrument, hour) // self._gap
            self._edges = (hour, max(1, middle - _GRID), middle + _GRID)
        return self._edges[1], self._edges[2]

    def _best_quantity(self, side: int, tick: int) -> int:
        return self._draw(side + 2, 0, tick // self.best_turn)

    def _grid_quantity(self, side: int, grid: int, tick: int) -> int:
        return self._draw(side, grid, (tick + grid * _STRIDE) // _TURN)

    def _draw(self, kind: int, place: int, turn: int) -> int:
        """A quantity that depends on the arguments alone."""
        mixed = (self._salt ^ place * 0x9E3779B97F4A7C15 ^ (turn * 4 + kind) * 0xC2B2AE3D27D4EB4F) & _MASK
        mixed = (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9 & _MASK
        return 1 + (mixed >> 33) % self._usual
