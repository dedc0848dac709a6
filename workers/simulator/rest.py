"""The public REST endpoints, answered from the same model as the streams.

`Rest.answer` is told market, path and query and returns a reply; HTTP itself is in `http.py`.
"""

import asyncio
from collections.abc import Awaitable, Callable

from fsnats.binance.endpoints import path
from fsnats.binance.limits import KLINES_DEFAULT, KLINES_LIMIT
from fsnats.binance.parameters import (
    SYMBOL,
    SYMBOL_LEGAL,
    Query,
    RestError,
    asked,
    illegal,
    integer,
    limit_of,
    needed,
    shift_of,
    symbols_of,
)
from fsnats.binance.streams import CONTINUOUS_INTERVALS, Market, intervals_of
from fsnats.candles.calendar import span
from workers.simulator import payloads
from workers.simulator.book import TICK, last_tick
from workers.simulator.derived import FUNDING
from workers.simulator.instruments import DAY, Instrument
from workers.simulator.minutes import Bar
from workers.simulator.tape import Tape
from workers.simulator.tickers import Row, Tickers
from workers.simulator.world import World

Handler = Callable[[Market, Query, int], Awaitable[bytes]]
Weigh = Callable[[Market, Query], int]

_DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1000)
_COINM_RANGE = 200 * DAY


class Rest:
    """All endpoints of all markets."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tape = Tape(world)
        self._tickers = Tickers(world)
        self._table: dict[str, tuple[Weigh, Handler]] = {
            "ping": (_flat(1, 1), self._ping),
            "time": (_flat(1, 1), self._time),
            "exchangeInfo": (_flat(20, 1), self._info),
            "klines": (_klines_weight, self._klines),
            "uiKlines": (_klines_weight, self._klines),
            "continuousKlines": (_klines_weight, self._continuous_klines),
            "indexPriceKlines": (_klines_weight, self._index_klines),
            "markPriceKlines": (_klines_weight, self._mark_klines),
            "aggTrades": (_flat(4, 20), self._agg_trades),
            "trades": (_flat(25, 5), self._trades),
            "historicalTrades": (_flat(25, 20), self._old_trades),
            "depth": (_depth_weight, self._depth),
            "avgPrice": (_flat(2, 0), self._average),
            "ticker/24hr": (_by_symbol((2, 80), (1, 40)), self._day),
            "ticker/price": (_by_symbol((2, 4), (1, 2)), self._rows(self._tickers.price)),
            "v2/ticker/price": (_by_symbol((0, 0), (1, 2)), self._rows(self._tickers.price)),
            "ticker/bookTicker": (_by_symbol((2, 4), (2, 5)), self._rows(self._tickers.book)),
            "premiumIndex": (_by_symbol((0, 0), (1, 10)), self._rows(self._tickers.premium)),
            "fundingRate": (_flat(0, 1), self._funding),
        }

    def weight(self, market: Market, name: str, query: Query) -> int:
        """What a request costs; unknown paths cost one."""
        known = self._table.get(name)
        return known[0](market, query) if known is not None and name not in _ABSENT[market] else 1

    async def answer(self, market: Market, name: str, query: Query, now: int) -> bytes:
        """The body of a reply.  Raises RestError."""
        known = self._table.get(name)
        if known is None or name in _ABSENT[market]:
            raise RestError(-5000, f"Path {path(market, name)}, Method GET is invalid", 404)
        return await known[1](market, query, now)

    async def _ping(self, market: Market, query: Query, now: int) -> bytes:
        return b"{}"

    async def _time(self, market: Market, query: Query, now: int) -> bytes:
        return b'{"serverTime":%d}' % now

    async def _info(self, market: Market, query: Query, now: int) -> bytes:
        exchange = self._world.exchange
        if market is not Market.SPOT:
            return exchange.info(market, now)
        sets = query.get("showPermissionSets", "true") != "false"
        only: list[str] | None = None
        if "symbol" in query:
            only = [self._instrument(market, query).symbol]
        elif "symbols" in query:
            only = symbols_of(query)
            for symbol in only:
                self._listed(market, symbol)
        elif "symbolStatus" in query:
            only = [each.symbol for each in exchange.all(market) if each.status == query["symbolStatus"]]
        return exchange.info(market, now, permission_sets=sets, only=only)

    # Candles.

    async def _klines(self, market: Market, query: Query, now: int) -> bytes:
        instrument = self._instrument(market, query)
        return await self._candles(instrument, query, now, intervals_of(market))

    async def _continuous_klines(self, market: Market, query: Query, now: int) -> bytes:
        instrument = self._world.exchange.contract(market, needed(query, "pair"), needed(query, "contractType"))
        if instrument is None:
            raise RestError(-1121, "Invalid symbol.")
        return await self._candles(instrument, query, now, CONTINUOUS_INTERVALS[market])

    async def _index_klines(self, market: Market, query: Query, now: int) -> bytes:
        contracts = self._world.exchange.contracts(market, needed(query, "pair"))
        if not contracts:
            raise RestError(-1121, "Invalid symbol.")
        return await self._candles(contracts[0], query, now, intervals_of(market), volumes=False)

    async def _mark_klines(self, market: Market, query: Query, now: int) -> bytes:
        return await self._candles(self._instrument(market, query), query, now, intervals_of(market), volumes=False)

    async def _candles(
        self, instrument: Instrument, query: Query, now: int, intervals: tuple[str, ...], *, volumes: bool = True
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
            rows.append(_candle(instrument, opens, closes, bar, volumes=volumes))
            if len(rows) % (100 if interval[-1] in "sm" else 1) == 0:
                await asyncio.sleep(0)  # a long history is much to compute; streams go on meanwhile
        return f"[{','.join(rows)}]".encode()

    # Trades and books.

    async def _agg_trades(self, market: Market, query: Query, now: int) -> bytes:
        return self._tape.aggregates(self._instrument(market, query), query, now)

    async def _trades(self, market: Market, query: Query, now: int) -> bytes:
        return self._tape.trades(self._instrument(market, query), query, now, old=False)

    async def _old_trades(self, market: Market, query: Query, now: int) -> bytes:
        return self._tape.trades(self._instrument(market, query), query, now, old=True)

    async def _depth(self, market: Market, query: Query, now: int) -> bytes:
        instrument = self._instrument(market, query)
        if market is Market.SPOT:
            limit = limit_of(query, 100, 5000)
        else:
            limit = limit_of(query, 500, 1000)
            if limit not in _DEPTH_LIMITS:
                raise RestError(-4021, f"{limit} is not valid depth limit.")
        book, tick = self._world.book(instrument), last_tick(now)
        bids, asks = (payloads.levels(instrument, side) for side in book.top(tick, limit))
        extra = ""
        if market is not Market.SPOT:
            extra = f'"E":{now},"T":{tick * TICK + TICK - 1},'
        if market is Market.COINM:
            extra += f'"symbol":"{instrument.symbol}","pair":"{instrument.pair}",'
        return f'{{"lastUpdateId":{book.id_at(tick)},{extra}"bids":[{bids}],"asks":[{asks}]}}'.encode()

    # What clients ask for besides.

    async def _average(self, market: Market, query: Query, now: int) -> bytes:
        return self._tickers.average(self._instrument(market, query), now).encode()

    async def _day(self, market: Market, query: Query, now: int) -> bytes:
        mini = market is Market.SPOT and query.get("type") == "MINI"
        return self._one_or_all(market, query, self._tickers.mini if mini else self._tickers.day, now)

    async def _funding(self, market: Market, query: Query, now: int) -> bytes:
        if market is Market.USDM and "symbol" not in query:  # the newest of each
            newest, each = now // FUNDING * FUNDING, self._world.exchange.trading(market)
            return f"[{','.join(self._tickers.funding(one, newest) for one in each)}]".encode()
        instrument = self._instrument(market, query)
        limit = limit_of(query, 100, 1000)
        start, end = integer(query, "startTime"), min(integer(query, "endTime") or now, now)
        last = end // FUNDING
        first = max(last - limit + 1 if start is None else -(-start // FUNDING), instrument.listed // FUNDING + 1)
        times = [number * FUNDING for number in range(first, min(first + limit, last + 1))]
        return f"[{','.join(self._tickers.funding(instrument, time) for time in times)}]".encode()

    def _rows(self, row: Row) -> Handler:
        async def answer(market: Market, query: Query, now: int) -> bytes:
            return self._one_or_all(market, query, row, now)

        return answer

    def _one_or_all(self, market: Market, query: Query, row: Row, now: int) -> bytes:
        """One row where a symbol is named (COIN-M: an array of it), an array where several are, or a pair, or none."""
        if "symbol" in query:
            one = row(self._instrument(market, query), now)
            return (f"[{one}]" if market is Market.COINM else one).encode()
        each = self._world.exchange.trading(market)
        if market is Market.SPOT and "symbols" in query:
            each = [self._listed(market, symbol) for symbol in symbols_of(query)]
        elif market is Market.COINM and "pair" in query:
            each = self._world.exchange.contracts(market, query["pair"])
        return f"[{','.join(row(one, now) for one in each)}]".encode()

    def _instrument(self, market: Market, query: Query) -> Instrument:
        return self._listed(market, needed(query, "symbol"))

    def _listed(self, market: Market, symbol: str) -> Instrument:
        if market is Market.SPOT and not SYMBOL.fullmatch(symbol):
            raise illegal("symbol", SYMBOL_LEGAL)
        instrument = self._world.exchange.get(market, symbol)
        if instrument is None:
            raise RestError(-1121, "Invalid symbol.")
        return instrument


_SPOT_ONLY = {"uiKlines", "avgPrice"}
_FUTURES_ONLY = {"continuousKlines", "indexPriceKlines", "markPriceKlines", "premiumIndex", "fundingRate"}
_ABSENT = {
    Market.SPOT: {*_FUTURES_ONLY, "v2/ticker/price"},
    Market.USDM: _SPOT_ONLY,
    Market.COINM: {*_SPOT_ONLY, "v2/ticker/price"},
}


def _flat(spot: int, futures: int) -> Weigh:
    return lambda market, query: spot if market is Market.SPOT else futures


def _by_symbol(spot: tuple[int, int], futures: tuple[int, int]) -> Weigh:
    """What one symbol costs, and what all do; several of spot cost as much as all but for `ticker/24hr`."""

    def weigh(market: Market, query: Query) -> int:
        one, every = spot if market is Market.SPOT else futures
        several = query.get("symbols", "").count(",") + 1 if "symbols" in query else 0
        if "symbol" in query or (every == 80 and 0 < several <= 20):
            return one
        return 40 if every == 80 and 0 < several <= 100 else every

    return weigh


def _klines_weight(market: Market, query: Query) -> int:
    """Spot charges two; futures by rows, at the boundaries measured on 2026-10-07."""
    if market is Market.SPOT:
        return 2
    limit = asked(query, KLINES_DEFAULT + 1)  # no limit given is charged as the next class
    return next((weight for most, weight in ((100, 1), (500, 2), (1000, 5)) if limit <= most), 10)


def _depth_weight(market: Market, query: Query) -> int:
    if market is Market.SPOT:
        limit = asked(query, 100)
        return next((weight for most, weight in ((100, 5), (500, 25), (1000, 50)) if limit <= most), 250)
    limit = asked(query, 500)
    return next((weight for most, weight in ((50, 2), (100, 5), (500, 10)) if limit <= most), 20)


def _candle(instrument: Instrument, opens: int, closes: int, bar: Bar, *, volumes: bool) -> str:
    price = instrument.price
    prices = f'{opens},"{price(bar.open)}","{price(bar.high)}","{price(bar.low)}","{price(bar.close)}"'
    if not volumes:
        return f'[{prices},"0",{closes - 1},"0",{(closes - opens) // 1000},"0","0","0"]'
    return (
        f'[{prices},"{instrument.quantity(bar.volume)}",{closes - 1},"{instrument.turnover(bar.quote)}",{bar.count},'
        f'"{instrument.quantity(bar.buy_volume)}","{instrument.turnover(bar.buy_quote)}","0"]'
    )
