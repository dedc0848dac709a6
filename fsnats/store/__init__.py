"""The store: candles and aggregated trades that stay, in SQLite or PostgreSQL.

`Store` is the seam, `fsnats.store.opening.open_store` opens the one that a URL names; `fsnats.store.sqlite` and
`fsnats.store.postgres` are its two implementations and pass the same contract suite.  The rows are seed 002's
structures; numbers that Binance sends as strings stay those strings, digit for digit.

What is in the store and what is known to be complete are two things: a `Span` says that everything the exchange has
between two keys is there.  The keys of a candle series are opening times (milliseconds since 1970), those of aggregated
trades their ids.
"""

from collections.abc import AsyncIterator, Sequence
from enum import IntEnum
from typing import Literal, Protocol

import msgspec

from fsnats.binance.streams import Market
from fsnats.candles.candle import Candle

Stretch = tuple[int, int]
"""Milliseconds since 1970: the first one, and the first one after."""

Source = Literal["binance", "simulated"]
"""Whose data a store keeps: prices that were made up and real ones never share one."""

Kind = Literal["kline", "continuousKline", "aggTrade"]


class Origin(IntEnum):
    """Where a row came from."""

    LIVE = 0  # a stream brought it
    RECOVERED = 1  # a worker fetched it after a loss, and published it
    FETCHED = 2  # asked of REST for the store
    MADE = 3  # made here of shorter candles or of trades


class Series(msgspec.Struct, frozen=True, order=True):
    """What rows belong to: `name` is a symbol in capitals, or a pair with its contract type (BTCUSDT_PERPETUAL) for
    continuous candles; `interval` is empty for trades."""

    market: Market
    kind: Kind
    name: str
    interval: str = ""


class KlineData(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A candle; times are milliseconds since 1970.  Ids are -1 where nobody told them: REST does not."""

    start_time: int
    end_time: int
    interval: str
    first_trade_id: int
    last_trade_id: int
    open: str
    close: str
    high: str
    low: str
    volume: str
    number_of_trades: int
    is_closed: bool
    quote_volume: str
    taker_buy_volume: str
    taker_buy_quote_volume: str
    ignore: str = "0"


class RawAggTrade(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An aggregated trade; `trade_time` is milliseconds since 1970."""

    symbol: str
    price: str
    quantity: str
    trade_time: int
    agg_id: int
    first_trade_id: int
    last_trade_id: int
    is_buyer_maker: bool


class Span(msgspec.Struct, frozen=True, order=True):
    """Keys `first` to `last`, both included, of which everything that the exchange has is in the store."""

    first: int
    last: int


class ConnectionRecord(msgspec.Struct, frozen=True):
    """A connection to the exchange, as its worker tells it (docs/status.md); `id` is unique within a worker's epoch."""

    worker: str
    epoch: int
    id: str
    streams: list[str]
    status: str
    message_count: int
    seen_ms: int


class RawFrame(msgspec.Struct, frozen=True, gc=False):
    """A frame of the bus with its payload untouched; see `fsnats.frames`."""

    market: Market
    stream: str
    received_ns: int
    epoch: int
    seq: int
    flags: int
    payload: bytes


class Rows(msgspec.Struct, frozen=True):
    """Rows of one series from one origin; `covered` is what they, together with nothing else, prove to be complete."""

    series: Series
    origin: Origin = Origin.LIVE
    klines: Sequence[KlineData] = ()
    trades: Sequence[RawAggTrade] = ()
    covered: Sequence[Span] = ()


class Batch(msgspec.Struct, frozen=True):
    """What is written at once, or not at all."""

    rows: Sequence[Rows] = ()
    connections: Sequence[ConnectionRecord] = ()
    frames: Sequence[RawFrame] = ()


class Store(Protocol):
    """Every method raises StoreUnavailable while the database cannot be reached or written; nothing is half done."""

    async def write(self, batch: Batch) -> None:
        """Write all of it in one transaction; writing the same twice changes nothing.

        Of two states of one candle the closed one stays; of two open ones the one with more trades.  A closed candle is
        replaced by another closed one only if that is FETCHED (the exchange corrected it) or the one that stood there
        was MADE; ids that a stream told of the same trades stay.  A trade that is there stays.  Spans that touch or
        overlap become one: for trades, ids that follow one another; for candles, the opening of the next one.

        Raises Unusable, and writes nothing, for a row that is of another series or has what is no plain number.
        """
        ...

    async def klines(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False
    ) -> list[KlineData]:
        """Candles that open between two times, both included, oldest first: the first `limit` of them, or the last."""
        ...

    async def whole(self, series: Series, stretches: Sequence[Stretch]) -> list[Candle | None]:
        """The candle of each stretch of time, added up by the database of the candles of `series` that fill it.

        None where they do not, one of them is not closed, nothing was traded in them, or the database cannot do it
        exactly: then they are to be read and added up (`fsnats.candles`).  A candle that is given is the same to the
        digit.  Raises Unusable for months, whose lengths differ.
        """
        ...

    async def trades(
        self, series: Series, first: int, last: int, limit: int, *, newest: bool = False
    ) -> list[RawAggTrade]:
        """Trades with ids between two, both included, by id: the first `limit` of them, or the last."""
        ...

    async def trade_at(self, series: Series, time_ms: int, *, before: bool = False) -> RawAggTrade | None:
        """The first trade at a time or after it, or the last one before it."""
        ...

    async def spans(self, series: Series) -> list[Span]:
        """What is known to be complete, in order."""
        ...

    async def series(self, market: Market | None = None) -> list[Series]:
        """Everything of which there are rows or spans, in order."""
        ...

    async def connections(self) -> list[ConnectionRecord]:
        """The newest record of each connection, newest first; those of the last day are kept."""
        ...

    def frames(self, market: Market, stream: str, first_ns: int, last_ns: int) -> AsyncIterator[RawFrame]:
        """Raw frames received between two times, both included, in the order in which they were written."""
        ...

    async def close(self) -> None:
        """Let go of the database."""
        ...


class OpenedStore(Store, Protocol):
    """What also knows of itself."""

    async def source(self) -> Source | None:
        """Whose data is kept here; None where nobody said so yet."""
        ...
