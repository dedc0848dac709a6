"""Which columns candles and trades have, in every format but JSON.  Values only."""

from typing import Literal, NamedTuple

Kind = Literal["time", "decimal", "integer", "truth"]


class Column(NamedTuple):
    """A column: its name, the field of the row that it holds, and what is in it; times are milliseconds since 1970."""

    name: str
    field: str
    kind: Kind


CANDLES = (
    Column("open_time", "t", "time"),
    Column("open", "o", "decimal"),
    Column("high", "h", "decimal"),
    Column("low", "l", "decimal"),
    Column("close", "c", "decimal"),
    Column("volume", "v", "decimal"),
    Column("close_time", "T", "time"),
    Column("quote_volume", "q", "decimal"),
    Column("trades", "n", "integer"),
    Column("taker_buy_volume", "V", "decimal"),
    Column("taker_buy_quote_volume", "Q", "decimal"),
)
TRADES = (
    Column("id", "a", "integer"),
    Column("price", "p", "decimal"),
    Column("quantity", "q", "decimal"),
    Column("first_trade_id", "f", "integer"),
    Column("last_trade_id", "l", "integer"),
    Column("time", "T", "time"),
    Column("buyer_is_maker", "m", "truth"),
)


def columns_of(interval: str) -> tuple[Column, ...]:
    """Those of candles, or of trades where there is no interval."""
    return CANDLES if interval else TRADES
