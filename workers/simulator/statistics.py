"""What futures tell of their traders: open interest, ratios of long and short, who took, and the basis.  No I/O.

Statistics come one row a period, oldest first, and reach back a month.  They are a pure function of time like
everything else here; only what takers bought and sold is also told by the candles, and is theirs exactly.
"""

from collections.abc import Callable

import msgspec

from fsnats.binance.parameters import Query, RestError, integer, limit_of, needed
from fsnats.binance.streams import Market
from workers.simulator.instruments import DAY, Instrument, fixed, number
from workers.simulator.market import HOUR
from workers.simulator.minutes import MINUTE
from workers.simulator.selection import contracts, named
from workers.simulator.world import World

PERIODS = {
    "5m": 5 * MINUTE, "15m": 15 * MINUTE, "30m": 30 * MINUTE, "1h": HOUR, "2h": 2 * HOUR, "4h": 4 * HOUR,
    "6h": 6 * HOUR, "12h": 12 * HOUR, "1d": DAY,
}  # fmt: skip
_KEPT = 30 * DAY
_CHANGES = 5 * MINUTE  # how often open interest changes

Row = dict[str, object]


class Statistics:
    """Rows of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.of_period: dict[str, Callable[[Instrument, int, int], Row]] = {
            "openInterestHist": self._interest_of,
            "topLongShortAccountRatio": self._ratio("top accounts"),
            "topLongShortPositionRatio": self._ratio("top positions", positions=True),
            "globalLongShortAccountRatio": self._ratio("all accounts"),
            "takerlongshortRatio": self._taken,
            "takerBuySellVol": self._taken,
            "basis": self._basis,
        }

    def open_interest(self, each: Instrument, now: int) -> bytes:
        """`openInterest`."""
        row: Row = {"openInterest": each.quantity(self._interest(each, now)), "symbol": each.symbol, "time": now}
        if each.market is Market.COINM:
            row |= {"pair": each.pair, "contractType": each.contract}
        return msgspec.json.encode(row)

    def funding_terms(self, market: Market, now: int) -> bytes:
        """`fundingInfo`: of contracts whose terms are not the usual ones."""
        special = (each for each in self._world.exchange.trading(market) if each.kind != "COIN")
        rows = [
            {
                "symbol": each.symbol,
                "adjustedFundingRateCap": "0.02000000", "adjustedFundingRateFloor": "-0.02000000",
                "fundingIntervalHours": 8, "disclaimer": False, "updateTime": each.listed,
            }
            for each in special
        ]  # fmt: skip
        return msgspec.json.encode(rows)

    def deliveries(self, market: Market, query: Query, now: int) -> bytes:
        """`delivery-price`: at the end of each quarter that is over, roughly every thirteen weeks."""
        first = contracts(self._world.exchange, market, query)[0]
        times = [now // (91 * DAY) * 91 * DAY - back * 91 * DAY for back in range(4)]
        rows = [
            {"deliveryTime": time, "deliveryPrice": float(first.price(self._world.model.price(first, time)))}
            for time in times
            if time >= first.listed
        ]
        return msgspec.json.encode(rows)

    def history(self, name: str, market: Market, query: Query, now: int) -> bytes:
        """A row for each period that is over."""
        each = self._subject(market, query)
        length = PERIODS.get(needed(query, "period"))
        if length is None:
            raise RestError(-1130, "Data sent for parameter 'period' is not valid.")
        limit = limit_of(query, 30, 500)
        start, end = integer(query, "startTime"), min(integer(query, "endTime") or now, now)
        if start is not None and start < now - _KEPT:
            raise RestError(-1130, "parameter 'startTime' is invalid.")
        last = end // length
        earliest = -(-max(start or 0, now - _KEPT, each.listed + length) // length)
        first = max(earliest, last - limit + 1) if start is None else earliest
        row = self.of_period[name]
        numbers = range(first, min(first + limit, last + 1))
        return msgspec.json.encode([row(each, number * length, length) for number in numbers])

    def _subject(self, market: Market, query: Query) -> Instrument:
        if "pair" not in query:
            return named(self._world.exchange, market, query)
        found = contracts(self._world.exchange, market, query)
        wanted = query.get("contractType", "ALL")
        return next((each for each in found if wanted in ("ALL", each.contract)), found[0])

    def _interest(self, each: Instrument, time: int) -> int:
        """Steps of quantity that are held: a third of what a day turns over, give or take."""
        minute = time // MINUTE
        traded = self._world.model.volume(each, minute - 1440, minute)
        return traded // 3 + self._draw("interest", each, time // _CHANGES) % max(1, traded // 50)

    def _interest_of(self, each: Instrument, time: int, length: int) -> Row:
        held, price = self._interest(each, time), self._world.model.price(each, time)
        if each.market is Market.COINM:
            value = held * each.contract_size * 10 ** (8 + each.tick_digits) // price
            named: Row = {"pair": each.pair, "contractType": each.contract}
            return named | {
                "sumOpenInterest": each.quantity(held), "sumOpenInterestValue": fixed(value, 8), "timestamp": time,
            }  # fmt: skip
        precise = 10 ** (8 - each.lot_digits)
        value = held * price * 10 ** (8 - each.lot_digits - each.tick_digits)
        return {
            "symbol": each.symbol, "sumOpenInterest": fixed(held * precise, 8),
            "sumOpenInterestValue": fixed(value, 8), "timestamp": time,
        }  # fmt: skip

    def _ratio(self, what: str, *, positions: bool = False) -> Callable[[Instrument, int, int], Row]:
        def row(each: Instrument, time: int, length: int) -> Row:
            long = 4000 + self._draw(what, each, time) % 2000  # in parts of 10^-4
            coinm = each.market is Market.COINM
            of = "Position" if positions and coinm else "Account"
            return {
                "pair" if coinm else "symbol": each.pair if coinm else each.symbol,
                f"long{of}": fixed(long, 4), "longShortRatio": fixed(long * 10_000 // (10_000 - long), 4),
                f"short{of}": fixed(10_000 - long, 4), "timestamp": time,
            }  # fmt: skip

        return row

    def _taken(self, each: Instrument, time: int, length: int) -> Row:
        """What takers bought and sold in the period that ends at `time`."""
        bar = self._world.bars.between(each, time - length, time)
        bought, sold = bar.buy_volume, bar.volume - bar.buy_volume
        if each.market is Market.COINM:
            return {
                "pair": each.pair, "contractType": each.contract,
                "takerBuyVol": each.quantity(bought), "takerSellVol": each.quantity(sold),
                "takerBuyVolValue": each.turnover(bar.buy_quote),
                "takerSellVolValue": each.turnover(bar.quote - bar.buy_quote), "timestamp": time,
            }  # fmt: skip
        return {
            "buySellRatio": fixed(bought * 10_000 // max(1, sold), 4), "buyVol": each.quantity(bought),
            "sellVol": each.quantity(sold), "timestamp": time,
        }  # fmt: skip

    def _basis(self, each: Instrument, time: int, length: int) -> Row:
        derived = self._world.derived
        index, price = derived.index(each, time), derived.mark(each, time)
        return {
            "indexPrice": fixed(index, 8), "contractType": each.contract,
            "basisRate": fixed((price - index) * 10_000 // index, 4), "futuresPrice": fixed(price, 8),
            "annualizedBasisRate": "", "basis": fixed(price - index, 8), "pair": each.pair, "timestamp": time,
        }  # fmt: skip

    def _draw(self, what: str, each: Instrument, turn: int) -> int:
        return number(self._world.model.seed, what, each.key, turn)
