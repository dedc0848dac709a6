"""What is asked of the history workers: candles on `subjects.KLINES`, rows that a worker missed on `ROWS`, and any
public REST request on `REST`.  JSON, but for the replies on `REST`: MessagePack, since they carry bytes as they are.
"""

import gzip
from typing import Literal

import msgspec

from fsnats.binance.streams import Market
from fsnats.bus import Bus
from fsnats.errors import UNREADABLE, BusUnavailable
from fsnats.subjects import REST, ROWS

EXCHANGE, STORE, CACHE, STREAM = "exchange", "store", "cache", "stream"  # whose answer it is

TIMEOUT = 30.0  # seconds that a gateway waits for candles
REST_TIMEOUT = 10.0  # seconds that a gateway waits with a REST request: clients do not wait longer either
ROWS_TIMEOUT = 15.0  # seconds that a worker waits for rows, before it asks again


MOST = 5000  # candles that one request of a client may bring in one message: a megabyte
PAGE_ROWS = 2000  # candles or trades of one reply at most: NATS takes 1 MB
Source = Literal["", "store"]


class Missing(msgspec.Struct, frozen=True, array_like=True):
    """From and to what, both included, it is not known that everything is there: times (`ms`; of candles, openings), or
    ids of aggregated trades (`a`)."""

    first: int
    last: int
    unit: Literal["ms", "a"] = "ms"


class KlinesRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Candles of one symbol, or of a pair where `contract` names a type of contract.

    Times are milliseconds since 1970 and mean openings, both included.  Without `newest` the first candles from
    `start_ms` on are meant, otherwise the last ones up to `end_ms`.  With `source` "store" the exchange is not asked.
    `bulk` is for those who may ask for much: they leave a part of the exchange's weight to the others.  `closed` leaves
    the open candle out.  A `survey` wants no rows, but to know what the store does not have of the whole range.
    """

    market: Market
    symbol: str
    interval: str
    limit: int | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    contract: str = ""
    newest: bool = False
    source: Source = ""
    bulk: bool = False
    closed: bool = False
    survey: bool = False


class TradesRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Aggregated trades of one symbol, as `KlinesRequest`; from `from_id` on where that is given."""

    market: Market
    symbol: str
    start_ms: int | None = None
    end_ms: int | None = None
    limit: int | None = None
    from_id: int | None = None
    newest: bool = False
    source: Source = ""


class HistoryReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rows as the exchange has them, oldest first, or why there are none: a `code` of the native dialect, a sentence.

    A reply may hold less than was asked for.  `goes_on` is then where to ask for the rest: for candles the `start_ms`
    to ask with, or with `newest` the `end_ms`; for trades the `from_id`.
    """

    rows: msgspec.Raw = msgspec.Raw(b"[]")
    goes_on: int | None = None
    missing: list[Missing] = []
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


async def ask_rows(bus: Bus, request: RowsRequest) -> RowsReply:
    """Have the history workers, who keep the budget of REST, ask the exchange.

    Raises BusUnavailable where nobody answers in time, or nobody understands the answer.
    """
    answer = await bus.request(ROWS, msgspec.json.encode(request), ROWS_TIMEOUT)
    try:
        return msgspec.json.decode(answer, type=RowsReply)
    except UNREADABLE as error:
        raise BusUnavailable(f"the history worker's answer cannot be read: {error}") from error


class RestRequest(msgspec.Struct, frozen=True):
    """A public REST request, with the exchange's own parameters: `method` is its path behind the version.

    A `background` one can wait: together they get half of the weight, so that others always find some.  For one that
    wants it `fresh` the exchange is asked, whatever is kept.
    """

    market: Market
    method: str
    query: dict[str, str] = {}
    background: bool = False
    fresh: bool = False


class RestReply(msgspec.Struct, frozen=True, array_like=True):
    """What to answer: an HTTP status and a body, `packed` with gzip where it is long.

    `used` is the weight that the exchange counts in this minute for the exit by which it was asked; None where that is
    not known.  `retry_after` is in how many seconds it helps to ask again.  `source` is whose answer it is: EXCHANGE,
    STORE, CACHE or STREAM, empty for our own refusals; `age` is for how many seconds it was known, for the last two.
    """

    status: int
    body: bytes
    used: int | None = None
    retry_after: float | None = None
    packed: bool = False
    source: str = ""
    age: float | None = None

    @property
    def plain(self) -> bytes:
        """The body, unpacked: megabytes take tens of milliseconds."""
        return gzip.decompress(self.body) if self.packed else self.body

    @property
    def refusal(self) -> str:
        """What the body of an error says."""
        try:
            return msgspec.json.decode(self.body, type=_Refusal).msg
        except UNREADABLE:
            return f"HTTP {self.status}"


class _Refusal(msgspec.Struct):
    msg: str


async def ask_rest(bus: Bus, request: RestRequest) -> RestReply:
    """Have the history workers ask the exchange what a client wants to know.

    Raises BusUnavailable where nobody answers in time, or nobody understands the answer.
    """
    answer = await bus.request(REST, msgspec.json.encode(request), REST_TIMEOUT)
    try:
        return msgspec.msgpack.decode(answer, type=RestReply)
    except UNREADABLE as error:
        raise BusUnavailable(f"the history worker's answer cannot be read: {error}") from error
