"""The public REST endpoints, answered from the same model as the streams.

`Rest.answer` is told market, path and query and returns a reply; HTTP itself is in `http.py`.
"""

import re
from collections.abc import Awaitable, Callable

from fsnats.binance.endpoints import path
from fsnats.binance.parameters import Query, RestError, illegal, integer, limit_of, needed, shift_of, symbols_of
from fsnats.binance.streams import Market
from fsnats.candles.calendar import span
from workers.simulator import payloads
from workers.simulator.book import TICK, last_tick
from workers.simulator.candles import Candles
from workers.simulator.charges import charge
from workers.simulator.derived import FUNDING
from workers.simulator.instruments import DAY, Instrument
from workers.simulator.market import HOUR
from workers.simulator.minutes import MINUTE
from workers.simulator.selection import Row, listed, named, one_or_all
from workers.simulator.statistics import Statistics
from workers.simulator.tape import Tape
from workers.simulator.tickers import Tickers
from workers.simulator.world import World

Handler = Callable[[Market, Query, int], Awaitable[bytes]]

_DEPTH_LIMITS = (5, 10, 20, 50, 100, 500, 1000)


class Rest:
    """All endpoints of all markets."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._candles = Candles(world)
        self._tape = Tape(world)
        self._tickers = Tickers(world)
        self._statistics = Statistics(world)
        self._table: dict[str, Handler] = {
            "ping": self._ping,
            "time": self._time,
            "exchangeInfo": self._info,
            "klines": self._candles.klines,
            "uiKlines": self._candles.klines,
            "continuousKlines": self._candles.continuous,
            "indexPriceKlines": self._candles.index,
            "markPriceKlines": self._candles.mark,
            "aggTrades": self._agg_trades,
            "trades": self._trades,
            "historicalTrades": self._old_trades,
            "depth": self._depth,
            "avgPrice": self._average,
            "premiumIndexKlines": self._candles.premium,
            "openInterest": self._open_interest,
            "fundingInfo": self._funding_terms,
            "indexInfo": self._index_info,
            "assetIndex": self._asset_index,
            "futures/data/delivery-price": self._deliveries,
            **{f"futures/data/{name}": self._history(name) for name in self._statistics.of_period},
            "ticker": self._rolling,
            "ticker/tradingDay": self._trading_day,
            "ticker/24hr": self._day,
            "ticker/price": self._rows(self._tickers.price),
            "v2/ticker/price": self._rows(self._tickers.price),
            "ticker/bookTicker": self._rows(self._tickers.book),
            "premiumIndex": self._rows(self._tickers.premium),
            "fundingRate": self._funding,
        }

    def weight(self, market: Market, name: str, query: Query) -> int:
        """What a request costs; unknown paths cost one."""
        return charge(market, name, query) if self._handler(market, name) is not None else 1

    async def answer(self, market: Market, name: str, query: Query, now: int) -> bytes:
        """The body of a reply.  Raises RestError."""
        handler = self._handler(market, name)
        if handler is None:
            raise RestError(-5000, f"Path {path(market, name)}, Method GET is invalid", 404)
        return await handler(market, query, now)

    def _handler(self, market: Market, name: str) -> Handler | None:
        return self._table.get(name) if market in _ON.get(name, Market) else None

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
                listed(exchange, market, symbol)
        elif "symbolStatus" in query:
            only = [each.symbol for each in exchange.all(market) if each.status == query["symbolStatus"]]
        return exchange.info(market, now, permission_sets=sets, only=only)

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
        return one_or_all(self._world.exchange, market, query, self._tickers.mini if mini else self._tickers.day, now)

    async def _rolling(self, market: Market, query: Query, now: int) -> bytes:
        size = query.get("windowSize", "1d")
        found = _WINDOW.fullmatch(size)
        if found is None:
            raise illegal("windowSize", _WINDOW.pattern)
        length = int(size[:-1]) * {"m": MINUTE, "h": HOUR, "d": DAY}[size[-1]]
        return self._since(market, query, (now - length) // MINUTE * MINUTE, now, now)

    async def _trading_day(self, market: Market, query: Query, now: int) -> bytes:
        opens, closes = span("1d", now, shift_of(query.get("timeZone", "0")))
        return self._since(market, query, opens, closes - 1, now)

    def _since(self, market: Market, query: Query, opens: int, closes: int, now: int) -> bytes:
        if "symbols" not in query:
            needed(query, "symbol")
        mini = query.get("type") == "MINI"

        def row(each: Instrument, now: int) -> str:
            return self._tickers.between(each, max(opens, each.listed), closes, now, mini=mini)

        return one_or_all(self._world.exchange, market, query, row, now)

    async def _open_interest(self, market: Market, query: Query, now: int) -> bytes:
        return self._statistics.open_interest(self._instrument(market, query), now)

    async def _funding_terms(self, market: Market, query: Query, now: int) -> bytes:
        return self._statistics.funding_terms(market, now)

    async def _index_info(self, market: Market, query: Query, now: int) -> bytes:
        each = [one for one in self._world.exchange.trading(market) if one.kind == "INDEX"]
        if "symbol" in query:
            wanted = self._instrument(market, query)
            each = [one for one in each if one is wanted]
        return f"[{','.join(self._tickers.index_parts(one, now) for one in each)}]".encode()

    async def _asset_index(self, market: Market, query: Query, now: int) -> bytes:
        try:
            return self._tickers.asset_indexes(query.get("symbol"), now)
        except KeyError:
            raise RestError(-1121, "Invalid symbol.") from None

    async def _deliveries(self, market: Market, query: Query, now: int) -> bytes:
        return self._statistics.deliveries(market, query, now)

    def _history(self, name: str) -> Handler:
        async def answer(market: Market, query: Query, now: int) -> bytes:
            return self._statistics.history(name, market, query, now)

        return answer

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
            return one_or_all(self._world.exchange, market, query, row, now)

        return answer

    def _instrument(self, market: Market, query: Query) -> Instrument:
        return named(self._world.exchange, market, query)


_WINDOW = re.compile(r"([1-9]|[1-5]\d)m|([1-9]|1\d|2[0-3])h|[1-7]d")
# What only some of the markets have; everything else is served on all of them.
_SPOT, _USDM, _COINM = frozenset({Market.SPOT}), frozenset({Market.USDM}), frozenset({Market.COINM})
_ON = {
    **dict.fromkeys(("uiKlines", "avgPrice", "ticker", "ticker/tradingDay"), _SPOT),
    **dict.fromkeys(("v2/ticker/price", "indexInfo", "assetIndex", "futures/data/takerlongshortRatio"), _USDM),
    **dict.fromkeys(
        (
            "continuousKlines", "indexPriceKlines", "markPriceKlines", "premiumIndexKlines", "premiumIndex",
            "fundingRate", "fundingInfo", "openInterest", "futures/data/delivery-price", "futures/data/basis",
            "futures/data/openInterestHist", "futures/data/topLongShortAccountRatio",
            "futures/data/topLongShortPositionRatio", "futures/data/globalLongShortAccountRatio",
        ),
        _USDM | _COINM,
    ),
    "futures/data/takerBuySellVol": _COINM,
}  # fmt: skip
