"""Rolling windows, as the tickers show them: one hour, four, or a day back from now.

Looking at each minute of a day for a thousand symbols each second would be too much.  First and last price, trade ids
and base volume are exact; the highest and lowest price and the quote volume are taken from one price an hour, so they
may differ a little from the candles of the same time.
"""

import msgspec

from fsnats.binance.streams import Market
from workers.simulator.instruments import Instrument
from workers.simulator.market import Model
from workers.simulator.minutes import MINUTE, first_trade

_HOUR = 60  # minutes


class Window(msgspec.Struct):
    """What a ticker says.  `opens` and `closes` are in milliseconds, `first` and `last` trade ids."""

    open: int
    high: int
    low: int
    close: int
    volume: int
    quote: int
    last_quantity: int
    opens: int
    closes: int
    first: int
    last: int


class Windows:
    """The windows of all instruments; remembers what stands still for an hour."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._sampled: dict[tuple[str, int], tuple[int, int, int, int]] = {}

    def at(self, instrument: Instrument, hours: int, now: int) -> Window:
        """The window of the last `hours` up to `now`, beginning at a full minute."""
        minute = self._model.at(instrument, now)
        current = now // MINUTE
        begins = max(current - hours * _HOUR + 1, instrument.listed // MINUTE)
        part = minute.part(0, minute.count_at(now))
        opening = self._model.open_price(instrument, begins) if begins < current else part.open
        high, low, mean = self._sample(instrument, hours, current // _HOUR)
        volume = self._model.volume(instrument, begins, current)
        high, low = max(high, opening, part.high), min(low, opening, part.low)
        last = part.last if part.count else first_trade(instrument, current) - 1
        count = minute.count_at(now)
        return Window(
            opening, high, low, part.close, volume + part.volume,
            self._turnover(instrument, volume, mean) + part.quote,
            minute.trade(count - 1).quantity if count else minute.unit * 2,
            begins * MINUTE, now, first_trade(instrument, begins), last,
        )  # fmt: skip

    def _sample(self, instrument: Instrument, hours: int, hour: int) -> tuple[int, int, int]:
        """The highest, lowest and mean price among the first ones of the last hours."""
        key = (instrument.key, hours)
        known = self._sampled.get(key)
        if known is None or known[0] != hour:
            earliest = max(hour - hours + 1, instrument.listed // MINUTE // _HOUR)
            prices = [self._model.hour_price(instrument, each) for each in range(min(earliest, hour), hour + 1)]
            known = self._sampled[key] = (hour, max(prices), min(prices), sum(prices) // len(prices))
        return known[1:]

    @staticmethod
    def _turnover(instrument: Instrument, volume: int, price: int) -> int:
        if instrument.market is Market.COINM:
            return int(volume * instrument.contract_size * 10 ** (8 + instrument.tick_digits)) // price
        return volume * price
