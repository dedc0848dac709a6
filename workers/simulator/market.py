"""The market model: prices and trades as a pure function of seed, instrument and time.

Nothing is stored, so any minute of the past can be asked for, and streams and REST cannot disagree.
"""

import hashlib
from functools import lru_cache
from random import Random

from fsnats.binance.streams import Market
from workers.simulator.instruments import Instrument, number
from workers.simulator.minutes import MINUTE, SEGMENTS, Minute, pattern

HOUR = 3_600_000  # milliseconds
_TURNOVER = 64  # minutes after which the volumes repeat
_VARIANTS = 4  # patterns of trades that the minutes of one instrument alternate between
_HOURS_KEPT = 4096


class Hour:
    """The prices at the 61 edges of an hour's minutes, and the noise within the minutes."""

    __slots__ = ("noise", "prices")

    def __init__(self, prices: list[int], noise: bytes) -> None:
        self.prices = prices
        self.noise = noise


class Model:
    """All instruments' markets under one seed.  Holds nothing but what can be computed again."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._hours: dict[tuple[str, int], Hour] = {}
        self._current: dict[str, Minute] = {}
        self._units: dict[str, tuple[list[int], list[int]]] = {}

    def at(self, instrument: Instrument, time: int) -> Minute:
        """The minute that `time` (milliseconds) lies in; asking for the same one again costs nothing."""
        number = time // MINUTE
        minute = self._current.get(instrument.key)
        if minute is None or minute.number != number:
            minute = self._current[instrument.key] = self.minute(instrument, number)
        return minute

    def minute(self, instrument: Instrument, number: int) -> Minute:
        """A minute by its number since 1970."""
        hour = self.hour(instrument, number // 60)
        within = number % 60
        before, after = hour.prices[within], hour.prices[within + 1]
        spread = max(2, before // 3000)
        noise = hour.noise[within * 8 : within * 8 + 8]
        move = after - before
        levels = [before + move * step // 7 + (noise[step] - 128) * spread // 128 for step in range(SEGMENTS)]
        levels[0] = before
        levels[-1] = after
        units, _ = self._unit_tables(instrument)
        shape = pattern(instrument.aggregates, noise[0] % _VARIANTS)
        return Minute(instrument, number, levels, units[number % _TURNOVER], shape)

    def price(self, instrument: Instrument, time: int) -> int:
        """The best bid at `time`."""
        return self.at(instrument, time).level_at(time)

    def open_price(self, instrument: Instrument, minute: int) -> int:
        """The price at the beginning of a minute."""
        return self.hour(instrument, minute // 60).prices[minute % 60]

    def hour_price(self, instrument: Instrument, hour: int) -> int:
        """The price at the beginning of an hour, without computing the hour."""
        return instrument.level + (instrument.level * _drift(self.seed, instrument.path, hour) >> 32)

    def volume(self, instrument: Instrument, start: int, stop: int) -> int:
        """The volume of the minutes from `start` up to but without `stop`, without looking at each."""
        _, before = self._unit_tables(instrument)

        def until(minute: int) -> int:
            return minute // _TURNOVER * before[-1] + before[minute % _TURNOVER]

        return (until(stop) - until(start)) * pattern(instrument.aggregates, 0).total

    def hour(self, instrument: Instrument, number: int) -> Hour:
        """An hour by its number since 1970."""
        key = (instrument.key, number)
        hour = self._hours.get(key)
        if hour is None:
            if len(self._hours) >= _HOURS_KEPT:
                del self._hours[next(iter(self._hours))]
            hour = self._hours[key] = self._make_hour(instrument, number)
        return hour

    def _make_hour(self, instrument: Instrument, number: int) -> Hour:
        noise = hashlib.shake_128(f"{self.seed}/{instrument.path}/{number}".encode()).digest(60 * 8 + 13 + 60)
        level = instrument.level
        start = self.hour_price(instrument, number)
        move = self.hour_price(instrument, number + 1) - start
        coarse, fine = max(2, level // 700), max(1, level // 2500)
        # Noise vanishes at the edges of the hour, so that an hour is known without its neighbours.
        knots = [0, *((noise[480 + knot] - 128) * coarse // 128 for knot in range(1, 12)), 0]
        prices = [start]
        for minute in range(1, 60):
            knot, within = divmod(minute, 5)
            wave = (knots[knot] * (5 - within) + knots[knot + 1] * within) // 5
            prices.append(start + move * minute // 60 + wave + (noise[493 + minute] - 128) * fine // 128)
        prices.append(start + move)
        return Hour(prices, noise[:480])

    def _unit_tables(self, instrument: Instrument) -> tuple[list[int], list[int]]:
        """How much one weight is in each of the repeating minutes, and the sums before each."""
        tables = self._units.get(instrument.key)
        if tables is None:
            random = Random(number(self.seed, "volume", instrument.key))
            usual = max(1, self._usual_steps(instrument))
            units = [random.randint(usual, usual * 4) for _ in range(_TURNOVER)]
            before = [0]
            for unit in units:
                before.append(before[-1] + unit)
            tables = self._units[instrument.key] = (units, before)
        return tables

    @staticmethod
    def _usual_steps(instrument: Instrument) -> int:
        """Steps of quantity that are worth about forty units of the quote asset, a small trade."""
        if instrument.market is Market.COINM:
            return 1
        worth = instrument.level / 10**instrument.tick_digits
        scale = 0.0007 if instrument.quote in ("BTC", "ETH", "BNB") else 40.0
        return int(scale / worth * 10**instrument.lot_digits)


_OCTAVES = ((168, 1200), (24, 400), (6, 120), (1, 40))  # hours between two knots, how far they lie apart in 10^-4


@lru_cache(maxsize=1 << 16)
def _drift(seed: int, path: str, hour: int) -> int:
    """How far the price stands from its level at the beginning of an hour, in parts of 2^32."""
    total = 0
    for period, size in _OCTAVES:
        index, within = divmod(hour, period)
        near, far = _knot(seed, path, period, index), _knot(seed, path, period, index + 1)
        total += (near * (period - within) + far * within) * size * (1 << 17) // (period * 10_000)
    return total


@lru_cache(maxsize=1 << 16)
def _knot(seed: int, path: str, period: int, index: int) -> int:
    return number(seed, path, period, index) % 65537 - 32768
