"""Rows for tests of the store."""

from fsnats.binance.streams import Market
from fsnats.store import Batch, KlineData, Origin, RawAggTrade, Rows, Series, Span

MINUTE = 60_000
CANDLES = Series(Market.USDM, "kline", "BTCUSDT", "1m")
TRADES = Series(Market.USDM, "aggTrade", "BTCUSDT")


def candle(number: int, *, trades: int = 5, closed: bool = True, close: str = "1.50", first_id: int = 7) -> KlineData:
    """The minute of that number."""
    start = number * MINUTE
    return KlineData(
        start,
        start + MINUTE - 1,
        "1m",
        first_id,
        first_id if first_id == -1 else first_id + trades - 1,
        "1.10",
        close,
        "2.00000000",
        "0.0001000",
        "12.300",
        trades,
        closed,
        "0",
        "0.10",
        "123456789012345678901234567890.12345678",
    )


def trade(id: int, *, time_ms: int | None = None, price: str = "37000.10") -> RawAggTrade:
    """The trade with that id, a hundred milliseconds after the one before."""
    return RawAggTrade(
        "BTCUSDT", price, "0.0500", id * 100 if time_ms is None else time_ms, id, id * 2, id * 2 + 1, id % 2 == 0
    )


def candles(*rows: KlineData, origin: Origin = Origin.LIVE, covered: list[Span] | None = None) -> Batch:
    return Batch([Rows(CANDLES, origin, klines=rows, covered=covered or [])])


def trades(*rows: RawAggTrade, origin: Origin = Origin.LIVE, covered: list[Span] | None = None) -> Batch:
    return Batch([Rows(TRADES, origin, trades=rows, covered=covered or [])])
