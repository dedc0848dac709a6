"""What is asked of the history workers, as JSON: candles on `subjects.KLINES`, rows that a worker missed on `ROWS`."""

from typing import Literal

import msgspec

from fsnats.binance.streams import Market

TIMEOUT = 30.0  # seconds that a gateway waits for candles
ROWS_TIMEOUT = 15.0  # seconds that a worker waits for rows, before it asks again


class KlinesRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Candles of one symbol.  Times are milliseconds since 1970; what is None is left to the exchange."""

    market: Market
    symbol: str
    interval: str
    limit: int | None = None
    start_ms: int | None = None
    end_ms: int | None = None


class KlinesReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rows as the exchange sent them, or why there are none: a `code` of the native dialect and a sentence."""

    rows: msgspec.Raw = msgspec.Raw()
    code: str = ""
    message: str = ""
    retry_after: float | None = None


Method = Literal["aggTrades", "trades", "klines", "continuousKlines", "indexPriceKlines", "markPriceKlines"]


class RowsRequest(msgspec.Struct, frozen=True):
    """Rows of one of the exchange's REST methods, with its own parameters."""

    market: Market
    method: Method
    parameters: dict[str, str | int]


class RowsReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rows as the exchange sent them, or a sentence that says why there are none and, where it helps to ask again, in
    how many seconds."""

    rows: list[msgspec.Raw] = []
    error: str = ""
    again: float | None = None
