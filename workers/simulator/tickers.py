"""The rows of REST's tickers, of mark prices and of funding, key for key as the exchange writes them.  No I/O.

`now` is in milliseconds; each function returns one row as JSON text.
"""

import msgspec

from fsnats.binance.streams import Market
from workers.simulator import payloads
from workers.simulator.book import TICK, last_tick
from workers.simulator.instruments import Instrument, fixed
from workers.simulator.windows import Window
from workers.simulator.world import World


class Tickers:
    """Rows of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def price(self, each: Instrument, now: int) -> str:
        """`ticker/price`."""
        stamps = {Market.SPOT: "", Market.USDM: f',"time":{now}', Market.COINM: f',"ps":"{each.pair}","time":{now}'}
        price = each.price(self._world.windows.at(each, 24, now).close)
        return f'{{"symbol":"{each.symbol}","price":"{price}"{stamps[each.market]}}}'

    def book(self, each: Instrument, now: int) -> str:
        """`ticker/bookTicker`."""
        book, tick = self._world.book(each), last_tick(now)
        (bid, bids), (ask, asks) = book.best(tick)
        price, quantity = each.price, each.quantity
        changed = tick * TICK + TICK - 1  # when the engine had it so
        stamp = "" if each.market is Market.SPOT else f',"time":{changed},"lastUpdateId":{book.id_at(tick)}'
        return (
            f'{{"symbol":"{each.symbol}",{_pair(each)}"bidPrice":"{price(bid)}","bidQty":"{quantity(bids)}",'
            f'"askPrice":"{price(ask)}","askQty":"{quantity(asks)}"{stamp}}}'
        )

    def day(self, each: Instrument, now: int) -> str:
        """`ticker/24hr`."""
        return self._window(each, now, mini=False)

    def mini(self, each: Instrument, now: int) -> str:
        """Spot's `ticker/24hr` with `type=MINI`."""
        return self._window(each, now, mini=True)

    def _window(self, each: Instrument, now: int, *, mini: bool) -> str:
        window, price = self._world.windows.at(each, 24, now), each.price
        change = sides = before = ""
        if not mini:
            change = (
                f'"priceChange":"{price(window.close - window.open)}",'
                f'"priceChangePercent":"{payloads.percent(window)}",'
                f'"weightedAvgPrice":"{payloads.average(each, window)}",'
            )
            before = f'"lastQty":"{each.quantity(window.last_quantity)}",'
        if each.market is Market.SPOT and not mini:
            (bid, bids), (ask, asks) = self._world.book(each).best(last_tick(now))
            change += f'"prevClosePrice":"{price(window.open)}",'
            sides = (
                f'"bidPrice":"{price(bid)}","bidQty":"{each.quantity(bids)}",'
                f'"askPrice":"{price(ask)}","askQty":"{each.quantity(asks)}",'
            )
        worth = "baseVolume" if each.market is Market.COINM else "quoteVolume"
        return (
            f'{{"symbol":"{each.symbol}",{_pair(each)}{change}"lastPrice":"{price(window.close)}",{before}{sides}'
            f'"openPrice":"{price(window.open)}","highPrice":"{price(window.high)}","lowPrice":"{price(window.low)}",'
            f'"volume":"{each.quantity(window.volume)}","{worth}":"{each.turnover(window.quote)}",'
            f'"openTime":{window.opens},"closeTime":{window.closes},"firstId":{window.first},"lastId":{window.last},'
            f'"count":{window.last - window.first + 1}}}'
        )

    def between(self, each: Instrument, opens: int, closes: int, now: int, *, mini: bool) -> str:
        """Spot's `ticker` and `ticker/tradingDay`: the trades from `opens` on, of a time said to end at `closes`."""
        bar = self._world.bars.between(each, opens, now + 1)
        price, window = each.price, Window(
            bar.open, bar.high, bar.low, bar.close, bar.volume, bar.quote, 0, opens, closes, bar.first, bar.last
        )  # fmt: skip
        change = "" if mini else (
            f'"priceChange":"{price(bar.close - bar.open)}","priceChangePercent":"{payloads.percent(window)}",'
            f'"weightedAvgPrice":"{payloads.average(each, window)}",'
        )  # fmt: skip
        return (
            f'{{"symbol":"{each.symbol}",{change}"openPrice":"{price(bar.open)}","highPrice":"{price(bar.high)}",'
            f'"lowPrice":"{price(bar.low)}","lastPrice":"{price(bar.close)}","volume":"{each.quantity(bar.volume)}",'
            f'"quoteVolume":"{each.turnover(bar.quote)}","openTime":{opens},"closeTime":{closes},'
            f'"firstId":{bar.first},"lastId":{bar.last},"count":{bar.count}}}'
        )

    def asset_indexes(self, only: str | None, now: int) -> bytes:
        """`assetIndex`.  Raises KeyError for an asset that has none."""
        names = {
            "s": "symbol", "E": "time", "i": "index", "b": "bidBuffer", "a": "askBuffer", "B": "bidRate",
            "A": "askRate", "q": "autoExchangeBidBuffer", "g": "autoExchangeAskBuffer",
            "Q": "autoExchangeBidRate", "G": "autoExchangeAskRate",
        }  # fmt: skip
        events = {name: msgspec.json.decode(event) for name, event in self._world.derived.assets(now)}
        rows = {name: {names[key]: event[key] for key in names} for name, event in events.items()}
        return msgspec.json.encode(list(rows.values()) if only is None else rows[only])

    def index_parts(self, each: Instrument, now: int) -> str:
        """A row of `indexInfo`."""
        event = msgspec.json.decode(self._world.derived.composite_index(each, now))
        parts = [
            {"baseAsset": part["b"], "quoteAsset": part["q"], "weightInQuantity": part["w"],
             "weightInPercentage": part["W"]}
            for part in event["c"]
        ]  # fmt: skip
        row = {"symbol": each.symbol, "time": now, "component": event["C"], "baseAssetList": parts}
        return msgspec.json.encode(row).decode()

    def average(self, each: Instrument, now: int) -> str:
        """Spot's `avgPrice`."""
        event = msgspec.json.decode(self._world.derived.average_price(each, now))
        return f'{{"mins":5,"price":"{event["w"]}","closeTime":{event["T"]}}}'

    def premium(self, each: Instrument, now: int) -> str:
        """`premiumIndex`."""
        event = msgspec.json.decode(self._world.derived.mark_row(each, now))
        pair = {"pair": each.pair} if each.market is Market.COINM else {}
        entry = {
            "symbol": each.symbol, **pair, "markPrice": event["p"], "indexPrice": event["i"],
            "estimatedSettlePrice": event["P"], "lastFundingRate": event["r"], "interestRate": "0.00010000",
            "nextFundingTime": event["T"], "time": now,
        }  # fmt: skip
        return msgspec.json.encode(entry).decode()

    def funding(self, each: Instrument, time: int) -> str:
        """A row of `fundingRate`: what was paid at `time`."""
        derived = self._world.derived
        return (
            f'{{"symbol":"{each.symbol}","fundingRate":"{fixed(derived.rate(each, time - 1), 8)}",'
            f'"fundingTime":{time},"markPrice":"{fixed(derived.mark(each, time), 8)}"}}'
        )


def _pair(each: Instrument) -> str:
    return f'"pair":"{each.pair}",' if each.market is Market.COINM else ""
