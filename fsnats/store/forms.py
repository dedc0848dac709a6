"""Rows of the store in the forms of Binance's REST, and back.  Pure.

REST tells no trade ids of a candle (-1 in the store), and a row of it does not say whether its candle is closed.
"""

import msgspec

from fsnats.binance import rows
from fsnats.binance.streams import CONTRACT_TYPES
from fsnats.store import KlineData, RawAggTrade, Series

NO_ID = -1


class AggTrade(msgspec.Struct):
    """A row of `aggTrades`; spot's and USD-M's have a field more, which the store does not keep."""

    a: int
    p: str
    q: str
    f: int
    l: int  # noqa: E741 # Binance's name
    T: int
    m: bool


def kline_of(row: rows.Candle, interval: str) -> KlineData:
    """A closed candle of REST, for the store."""
    return KlineData(
        row.t, row.T, interval, NO_ID, NO_ID, row.o, row.c, row.h, row.l, row.v, row.n, True, row.q, row.V, row.Q, row.B
    )  # fmt: skip


def row_of(kline: KlineData) -> rows.Candle:
    """A candle of the store, as REST has it."""
    return rows.Candle(
        kline.start_time,
        kline.open,
        kline.high,
        kline.low,
        kline.close,
        kline.volume,
        kline.end_time,
        kline.quote_volume,
        kline.number_of_trades,
        kline.taker_buy_volume,
        kline.taker_buy_quote_volume,
        kline.ignore,
    )


def trade_of(row: AggTrade, symbol: str) -> RawAggTrade:
    """An aggregated trade of REST, for the store."""
    return RawAggTrade(symbol, row.p, row.q, row.T, row.a, row.f, row.l, row.m)


def agg_trade_of(trade: RawAggTrade) -> AggTrade:
    """An aggregated trade of the store, as REST has it."""
    return AggTrade(
        trade.agg_id,
        trade.price,
        trade.quantity,
        trade.first_trade_id,
        trade.last_trade_id,
        trade.trade_time,
        trade.is_buyer_maker,
    )


def request_for(series: Series) -> tuple[str, dict[str, str | int]]:
    """REST's method for a series, and the parameters that name it."""
    if series.kind == "aggTrade":
        return "aggTrades", {"symbol": series.name}
    if series.kind == "kline":
        return "klines", {"symbol": series.name, "interval": series.interval}
    for contract in sorted(CONTRACT_TYPES, key=len, reverse=True):  # one of them ends like another
        if series.name.endswith(f"_{contract.upper()}"):
            pair = series.name[: -len(contract) - 1]
            return "continuousKlines", {"pair": pair, "contractType": contract.upper(), "interval": series.interval}
    raise ValueError(f"{series.name}: no pair with a contract type")
