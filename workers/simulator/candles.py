"""Candles over REST, of every kind that Binance has.  Each answers a request's parameters, or raises RestError."""

import asyncio
from collections.abc import Callable

from fsnats.binance.limits import KLINES_DEFAULT, KLINES_LIMIT
from fsnats.binance.parameters import Query, RestError, integer, limit_of, needed, shift_of
from fsnats.binance.streams import CONTINUOUS_INTERVALS, Market, intervals_of
from fsnats.candles.calendar import span
from workers.simulator.instruments import DAY, Instrument, fixed
from workers.simulator.minutes import Bar
from workers.simulator.selection import contracts, named
from workers.simulator.world import World

_COINM_RANGE = 200 * DAY


class Candles:
    """Candles of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def klines(self, market: Market, query: Query, now: int) -> bytes:
        """A symbol's."""
        instrument = named(self._world.exchange, market, query)
        return await self._rows(instrument, query, now, intervals_of(market))

    async def continuous(self, market: Market, query: Query, now: int) -> bytes:
        """Those of the contract that a pair and a type of contract mean."""
        instrument = self._world.exchange.contract(market, needed(query, "pair"), needed(query, "contractType"))
        if instrument is None:
            raise RestError(-1121, "Invalid symbol.")
        return await self._rows(instrument, query, now, CONTINUOUS_INTERVALS[market])

    async def index(self, market: Market, query: Query, now: int) -> bytes:
        """Those of a pair's index."""
        return await self._rows(
            contracts(self._world.exchange, market, query)[0], query, now, intervals_of(market), volumes=False
        )

    async def mark(self, market: Market, query: Query, now: int) -> bytes:
        """Those of a symbol's mark price."""
        return await self._rows(
            named(self._world.exchange, market, query), query, now, intervals_of(market), volumes=False
        )

    async def premium(self, market: Market, query: Query, now: int) -> bytes:
        """Those of a symbol's premium index."""
        instrument = named(self._world.exchange, market, query)

        def premium(ticks: int) -> str:  # the further the price, the higher
            return fixed((ticks - instrument.level) * 100_000 // instrument.level, 8)

        return await self._rows(instrument, query, now, intervals_of(market), volumes=False, price=premium)

    async def _rows(
        self,
        instrument: Instrument,
        query: Query,
        now: int,
        intervals: tuple[str, ...],
        *,
        volumes: bool = True,
        price: Callable[[int], str] | None = None,
    ) -> bytes:
        market = instrument.market
        interval = needed(query, "interval")
        if interval not in intervals:
            raise RestError(-1120, "Invalid interval.")
        limit = limit_of(query, KLINES_DEFAULT, KLINES_LIMIT[market])
        start, end = integer(query, "startTime"), integer(query, "endTime")
        if market is Market.COINM and start is not None and end is not None and end - start > _COINM_RANGE:
            raise RestError(-1127, "Lookup interval is too big.")
        shift = shift_of(query.get("timeZone", "0")) if market is Market.SPOT else 0
        last = now if end is None else min(end, now)
        if start is None or (market is Market.COINM and end is not None):
            opens, _ = span(interval, last, shift)
            for _ in range(limit - 1):
                opens, _ = span(interval, opens - 1, shift)
            start = max(opens, start or 0)
        rows: list[str] = []
        for opens, closes, bar in self._world.bars.rows(instrument, interval, start, last, shift):
            if len(rows) == limit:
                break
            if closes > last:  # the candle that `last` lies in is open, or ends after it all the same
                bar = self._world.bars.between(instrument, opens, min(closes, now + 1))
            rows.append(_candle(instrument, opens, closes, bar, price or instrument.price, volumes=volumes))
            if len(rows) % (100 if interval[-1] in "sm" else 1) == 0:
                await asyncio.sleep(0)  # a long history is much to compute; streams go on meanwhile
        return f"[{','.join(rows)}]".encode()


def _candle(
    instrument: Instrument, opens: int, closes: int, bar: Bar, price: Callable[[int], str], *, volumes: bool
) -> str:
    prices = f'{opens},"{price(bar.open)}","{price(bar.high)}","{price(bar.low)}","{price(bar.close)}"'
    if not volumes:
        return f'[{prices},"0",{closes - 1},"0",{(closes - opens) // 1000},"0","0","0"]'
    return (
        f'[{prices},"{instrument.quantity(bar.volume)}",{closes - 1},"{instrument.turnover(bar.quote)}",{bar.count},'
        f'"{instrument.quantity(bar.buy_volume)}","{instrument.turnover(bar.buy_quote)}","0"]'
    )
