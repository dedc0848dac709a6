"""What is traded: the names, prices and precisions of the simulated exchange.  No I/O, no clock.

Prices are integers in ticks and quantities integers in steps everywhere inside; only the text of a payload is decimal.
"""

import hashlib
import math
from collections.abc import Iterator
from random import Random

import msgspec

from fsnats.binance.streams import Market

DAY = 86_400_000  # milliseconds
NEVER = 4_133_404_800_000  # the deliveryDate of a contract that has none
NON_ASCII = ("币安人生", "龙虾", "我踏马来了", "哈基米", "人生K线", "雪球", "修仙")

# Bases with a price in dollars; only the order of magnitude matters.
_COINS = {
    "BTC": 64000.0, "ETH": 3100.0, "BNB": 640.0, "SOL": 150.0, "XRP": 0.62, "DOGE": 0.13, "ADA": 0.45, "AVAX": 28.0,
    "TRX": 0.13, "LINK": 14.2, "DOT": 6.2, "LTC": 72.0, "BCH": 360.0, "UNI": 7.8, "ATOM": 7.1, "ETC": 23.0, "XLM": 0.11,
    "NEAR": 5.4, "APT": 8.3, "FIL": 4.6, "ARB": 0.82, "OP": 1.7, "INJ": 24.0, "SUI": 1.9, "SEI": 0.41, "TIA": 6.9,
    "AAVE": 105.0, "RUNE": 5.1, "FET": 1.4, "GRT": 0.2, "ALGO": 0.14, "SAND": 0.33, "MANA": 0.35, "AXS": 6.1,
    "EGLD": 32.0, "XTZ": 0.8, "THETA": 1.5, "CHZ": 0.08, "BAT": 0.2, "1INCH": 0.31, "SHIB": 0.0000175,
    "PEPE": 0.0000112,
}  # fmt: skip
_DOLLARS = {
    "USDT": 1.0,
    "USDC": 1.0,
    "USD": 1.0,
    "EUR": 1.08,
    "TRY": 0.029,
    "BTC": 64000.0,
    "ETH": 3100.0,
    "BNB": 640.0,
}
_SPOT_CROSSES = ("ETHBTC", "BNBBTC", "SOLBTC", "LTCBTC", "LINKBTC", "BNBETH", "BTCUSDC", "ETHUSDC", "BTCEUR", "BTCTRY")
_SPOT_RESTING = {"LUNCUSDT": "BREAK", "FTTUSDT": "HALT", "BUSDUSDT": "BREAK"}
_USDM_RESTING = {"OMGUSDT": "SETTLING", "WAVESUSDT": "SETTLING", "SOONUSDT": "PENDING_TRADING"}
_STOCKS = {"TSLA": 320.0, "NVDA": 165.0, "XAU": 3900.0}
# The quarterly contracts of November 2026, whatever the clock says: tests and examples name them.
_QUARTERS = (("261225", "CURRENT_QUARTER", 1_798_185_600_000), ("270326", "NEXT_QUARTER", 1_806_048_000_000))


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol of one market.

    `path` names the price path it follows: instruments of one base and a dollar quote share it, so that a spot price
    and its futures move together.  `level` is the price in ticks around which it moves.
    """

    market: Market
    symbol: str
    pair: str
    base: str
    quote: str
    path: str
    level: int
    tick_digits: int  # decimals of one tick
    lot_digits: int  # decimals of one step of quantity
    aggregates: int  # aggregate trades in a minute, a multiple of 8
    status: str = "TRADING"
    contract: str = ""  # PERPETUAL, CURRENT_QUARTER, NEXT_QUARTER, TRADIFI_PERPETUAL; empty on spot
    delivery: int = NEVER
    listed: int = 0  # milliseconds; nothing exists before
    contract_size: int = 1  # dollars of one COIN-M contract
    kind: str = "COIN"  # underlyingType: COIN, INDEX, EQUITY, COMMODITY
    price_pad: str = ""  # what the exchange writes behind the digits that change
    lot_pad: str = ""
    quote_pad: str = ""

    @property
    def trading(self) -> bool:
        """Whether its streams carry anything."""
        return self.status == "TRADING"

    @property
    def key(self) -> str:
        """What it is known by over all markets."""
        return f"{self.market}:{self.symbol}"

    @property
    def quote_digits(self) -> int:
        """Decimals of a volume in the quote asset, as held (on COIN-M: in the base asset)."""
        return 8 if self.market is Market.COINM else self.tick_digits + self.lot_digits

    def price(self, ticks: int) -> str:
        """A price as the exchange writes it."""
        return fixed(ticks, self.tick_digits) + self.price_pad

    def quantity(self, steps: int) -> str:
        """A quantity as the exchange writes it."""
        return fixed(steps, self.lot_digits) + self.lot_pad

    def turnover(self, value: int) -> str:
        """A volume in the quote asset as the exchange writes it."""
        return fixed(value, self.quote_digits) + self.quote_pad


def fixed(value: int, digits: int) -> str:
    """An integer number of 10^-digits as a decimal with exactly `digits` decimals."""
    if not digits:
        return str(value)
    if value < 0:
        return "-" + fixed(-value, digits)
    text = str(value).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}"


def number(*parts: object) -> int:
    """64 bits that depend on the parts alone."""
    return int.from_bytes(hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest())


def split(market: Market, symbol: str) -> tuple[str, str]:
    """The base and quote asset that a symbol's name says."""
    name = symbol.partition("_")[0]
    quotes = (
        ("USD",)
        if market is Market.COINM
        else ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "EUR", "TRY", "BTC", "ETH", "BNB")
    )
    for quote in quotes:
        if name.endswith(quote) and len(name) > len(quote):
            return name[: -len(quote)], quote
    return name[:-3] or name, name[-3:]


def dollars(base: str) -> float:
    """What one unit of an asset is worth here."""
    for table in (_COINS, _STOCKS, _DOLLARS):
        if base in table:
            return table[base]
    if base.startswith("1000") and base != "1000":
        return dollars(base[4:]) * 1000
    return float(round(10 ** (number("dollars", base) % 400 / 100 - 2), 6))


def instrument(
    market: Market, symbol: str, *, seed: int, listed: int, status: str = "TRADING", contract: str = "", kind: str = ""
) -> Instrument:
    """An instrument made from its name: everything about it follows from the seed and the name."""
    base, quote = split(market, symbol)
    price = dollars(base) / _DOLLARS.get(quote, 1.0)
    tick_digits = min(8, max(2, 3 - math.floor(math.log10(price))))
    worth = dollars(base)
    lot_digits = next(
        (digits for digits, above in ((5, 1e4), (4, 1e3), (3, 1e2), (2, 1e1), (1, 1.0)) if worth >= above), 0
    )
    if market is not Market.SPOT:
        tick_digits = 1 if worth >= 1e4 else tick_digits
        lot_digits = 0 if market is Market.COINM else max(0, lot_digits - 1 if worth < 1e4 else 3)
        contract = contract or "PERPETUAL"
    lot_digits = min(lot_digits, 8 - tick_digits)
    delivery = next((when for name, _, when in _QUARTERS if symbol.endswith("_" + name)), NEVER)
    contract = next((what for name, what, _ in _QUARTERS if symbol.endswith("_" + name)), contract)
    shown = {Market.SPOT: 8, Market.USDM: 2, Market.COINM: 0}[market]
    price_pad = _pad(tick_digits, shown)
    spot = market is Market.SPOT
    premium = 1.012 if contract == "NEXT_QUARTER" else 1.005 if contract == "CURRENT_QUARTER" else 1.0
    busy = base in ("BTC", "ETH", "SOL", "BNB")
    return Instrument(
        market=market,
        symbol=symbol,
        pair=symbol.partition("_")[0],
        base=base,
        quote=quote,
        path=base if _DOLLARS.get(quote) == 1.0 else f"{base}/{quote}",
        level=round(price * premium * 10**tick_digits),
        tick_digits=tick_digits,
        lot_digits=lot_digits,
        aggregates=240 if busy else 24 + 8 * (number(seed, "activity", base) % 16),
        status=status,
        contract=contract,
        delivery=delivery,
        listed=listed,
        contract_size=100 if base == "BTC" else 10,
        kind=kind or ("COMMODITY" if base == "XAU" else "EQUITY" if base in _STOCKS else "COIN"),
        price_pad=price_pad,
        lot_pad=_pad(lot_digits, 8) if spot else "",
        quote_pad=""
        if market is Market.COINM
        else _pad(tick_digits + lot_digits, 8)
        if spot
        else price_pad.replace(".", ""),
    )


def _pad(digits: int, wanted: int) -> str:
    if digits >= wanted:
        return ""
    return "0" * (wanted - digits) if digits else "." + "0" * wanted


def universe(
    seed: int, start: int, *, history_days: int, spot: int | None = None, usdm: int | None = None
) -> Iterator[Instrument]:
    """Everything that is listed when the exchange starts at `start` (milliseconds).

    `spot` and `usdm` count the symbols that trade; further ones rest in other states, so that consumers must look.
    """
    oldest = start // DAY * DAY - history_days * DAY

    def make(market: Market, symbol: str, status: str = "TRADING", contract: str = "", kind: str = "") -> Instrument:
        young = number(seed, "listed", symbol) % 8 == 0 and dollars(split(market, symbol)[0]) < 100
        days = number(seed, "days", symbol) % max(1, history_days) if young else 0
        return instrument(
            market, symbol, seed=seed, listed=oldest + days * DAY, status=status, contract=contract, kind=kind
        )

    coins = [f"{base}USDT" for base in _COINS]
    strange = [f"{base}USDT" for base in NON_ASCII]
    names = [*coins, *_SPOT_CROSSES, *strange]
    for symbol in _sized(names, spot, Random(f"{seed}/spot")):
        yield make(Market.SPOT, symbol)
    for symbol, status in _SPOT_RESTING.items():
        yield make(Market.SPOT, symbol, status)

    quarters = [f"{pair}_{date}" for pair in ("BTCUSDT", "ETHUSDT") for date, _, _ in _QUARTERS]
    futures = [
        *(symbol for symbol in coins if symbol not in ("SHIBUSDT", "PEPEUSDT", "1INCHUSDT", "BATUSDT", "XTZUSDT")),
        *quarters, *(f"{stock}USDT" for stock in _STOCKS),
        "DEFIUSDT", "1000SHIBUSDT", "1000PEPEUSDT", "BTCUSDC", *strange,
    ]  # fmt: skip
    for symbol in _sized(futures, usdm, Random(f"{seed}/usdm")):
        stock = symbol.removesuffix("USDT") in _STOCKS
        kind = "INDEX" if symbol == "DEFIUSDT" else ""
        yield make(Market.USDM, symbol, contract="TRADIFI_PERPETUAL" if stock else "", kind=kind)
    for symbol, status in _USDM_RESTING.items():
        yield make(Market.USDM, symbol, status)

    for base in ("BTC", "ETH", "BNB", "SOL", "XRP", "ADA", "LINK", "DOGE"):
        yield make(Market.COINM, f"{base}USD_PERP")
    for base in ("BTC", "ETH"):
        for date, _, _ in _QUARTERS:
            yield make(Market.COINM, f"{base}USD_{date}")
    yield make(Market.COINM, "FILUSD_PERP", "SETTLING")


_SYLLABLES = (
    "BA",
    "CO",
    "DE",
    "FI",
    "GU",
    "HA",
    "JO",
    "KE",
    "LI",
    "MU",
    "NA",
    "PO",
    "QI",
    "RA",
    "SO",
    "TE",
    "VI",
    "WU",
    "XA",
    "ZE",
)


def _sized(names: list[str], count: int | None, random: Random) -> list[str]:
    """The first `count` names, or the names and made-up ones behind them, with non-ASCII ones among any twenty."""
    if count is None:
        return names
    strange = [name for name in names if not name.isascii()] if count >= 20 else []
    chosen = [name for name in names if name.isascii()][: count - len(strange)] + strange
    taken = set(chosen)
    while len(chosen) < count:
        made = "".join(random.choice(_SYLLABLES) for _ in range(random.choice((2, 3)))) + "USDT"
        if made not in taken:
            taken.add(made)
            chosen.append(made)
    return chosen
