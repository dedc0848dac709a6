"""Prices and events that follow from the market: mark and index prices, funding, liquidations, sessions.  No I/O."""

import zlib

from fsnats.binance.streams import Market
from workers.simulator import payloads
from workers.simulator.exchange import Exchange
from workers.simulator.instruments import DAY, Instrument, number
from workers.simulator.market import HOUR, Model
from workers.simulator.minutes import MINUTE

FUNDING = 8 * HOUR  # milliseconds between two payments
_LIQUIDATION_ODDS = 97  # a symbol has a liquidation in one of so many seconds
_BLOCK_ODDS = 30  # likewise a block trade
_INDEX_PARTS = ("UNI", "AAVE", "LINK", "INJ")
_ASSETS = ("BTC", "ETH", "BNB", "SOL", "XRP", "ADA", "USDC", "USDT")


class Derived:
    """What is computed from the trades' prices."""

    def __init__(self, model: Model, exchange: Exchange) -> None:
        self._model = model
        self._exchange = exchange

    def index(self, instrument: Instrument, now: int) -> int:
        """The index price in units of 10^-8: what the coin costs at the beginning of this second, roughly."""
        price = self._model.price(instrument, now // 1000 * 1000)
        return self._precise(instrument, price) * 9998 // 10000

    def mark(self, instrument: Instrument, now: int) -> int:
        """The mark price in units of 10^-8."""
        price = self._model.price(instrument, now // 1000 * 1000)
        return self._precise(instrument, price) + zlib.crc32(f"{instrument.symbol}{now // 1000}".encode()) % 1000

    def mark_row(self, instrument: Instrument, now: int) -> str:
        """An instrument's mark price event."""
        funding = now // FUNDING * FUNDING + FUNDING
        return payloads.mark_price(
            instrument,
            self.mark(instrument, now),
            self.index(instrument, now),
            self.rate(instrument, now),
            funding,
            now,
        )

    def rate(self, instrument: Instrument, now: int) -> int:
        """The funding rate of the eight hours that `now` lies in, in units of 10^-8."""
        return number(self._model.seed, instrument.key, now // FUNDING) % 20_000 - 5_000

    def mark_arrays(self, now: int) -> list[bytes]:
        """`!markPrice@arr`: two frames, of TradFi perpetuals and of everything else, COIN-M included."""
        usdm = self._exchange.trading(Market.USDM)
        stocks = [each for each in usdm if each.contract == "TRADIFI_PERPETUAL"]
        others = [each for each in usdm if each.contract != "TRADIFI_PERPETUAL"]
        others += self._exchange.trading(Market.COINM)
        parts = [part for part in (others, stocks) if part]
        return [f"[{','.join(self.mark_row(each, now) for each in part)}]".encode() for part in parts]

    def average_price(self, instrument: Instrument, now: int) -> bytes:
        """The mean of the last five minutes' prices."""
        current = now // MINUTE
        prices = [self._model.open_price(instrument, minute) for minute in range(current - 4, current + 1)]
        minute = self._model.at(instrument, now)
        count = minute.count_at(now)
        latest = minute.trade(count - 1).time if count else minute.start - 1
        return payloads.average_price(instrument, sum(prices) // len(prices), latest, now)

    def liquidations(self, instruments: list[Instrument], now: int) -> list[bytes]:
        """The liquidations of the second that just ended: at most one per symbol."""
        second = now // 1000 - 1
        said = []
        for each in instruments:
            luck = zlib.crc32(f"{each.key}{second}{self._model.seed}".encode())
            if luck % _LIQUIDATION_ODDS == 0:
                time = second * 1000 + luck % 1000
                price, steps = self._model.price(each, time), 1 + luck % 5000
                said.append(payloads.force_order(each, price, steps, bool(luck & 1024), time, now))
        return said

    def block_trades(self, instrument: Instrument, now: int) -> list[bytes]:
        """The block trade of the second that just ended, if it had one."""
        second = now // 1000 - 1
        if zlib.crc32(f"{instrument.symbol}{second}block".encode()) % _BLOCK_ODDS:
            return []
        minute = self._model.at(instrument, second * 1000)
        time = second * 1000 + 500
        price = minute.level_at(second * 1000)
        return [payloads.block_trade(instrument, second // _BLOCK_ODDS, price, minute.unit * 1000, time, now)]

    def composite_index(self, instrument: Instrument, now: int) -> bytes:
        """The parts of an index contract."""
        known = [self._exchange.get(Market.USDM, f"{base}USDT") for base in _INDEX_PARTS]
        parts = [each for each in known if each is not None]
        weight = 10**8 // max(1, len(parts))
        rows = [(each.base, weight, self._precise(each, self._model.price(each, now))) for each in parts]
        return payloads.composite_index(instrument, rows, now)

    def assets(self, now: int) -> list[tuple[str, str]]:
        """Name and event of each multi-assets-mode index."""
        rows = []
        for asset in _ASSETS:
            source = self._exchange.get(Market.USDM, f"{asset}USDT")
            price = self._precise(source, self._model.price(source, now)) if source is not None else 10**8
            rows.append((f"{asset}USD", payloads.asset_index(f"{asset}USD", price, now)))
        return rows

    def asset(self, name: str, now: int) -> bytes:
        """One asset's index event."""
        return dict(self.assets(now))[name].encode()

    def sessions(self, now: int) -> list[bytes]:
        """The sessions of the markets behind TradFi contracts: 24 hours in four parts, and none at weekends."""
        day = now // DAY * DAY
        if (now // DAY + 3) % 7 >= 5:  # 1970-01-01 was a Thursday
            return [payloads.trading_session(event, day, day + DAY, "NO_TRADING", now) for event in _SESSIONS]
        parts = ((9, "PRE_MARKET"), (14, "REGULAR"), (21, "AFTER_MARKET"), (25, "OVERNIGHT"))
        hour = (now - day) // HOUR
        starts, name = next(((at, what) for at, what in reversed(parts) if hour >= at), (1, "OVERNIGHT"))
        ends = next((at for at, _ in parts if at > hour), 25)
        equity = payloads.trading_session("EquityUpdate", day + starts * HOUR, day + ends * HOUR, name, now)
        return [equity, payloads.trading_session("CommodityUpdate", day, day + DAY, "REGULAR", now)]

    @staticmethod
    def _precise(instrument: Instrument, ticks: int) -> int:
        return int(ticks * 10 ** (8 - instrument.tick_digits))


_SESSIONS = ("EquityUpdate", "CommodityUpdate")
