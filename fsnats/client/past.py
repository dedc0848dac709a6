"""Candles of the past, asked of a gateway over HTTP, and as tables of the libraries that people calculate with."""

import importlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

import httpx
import msgspec

from fsnats.binance.endpoints import SIMULATED_HEADER
from fsnats.binance.rows import Candle
from fsnats.client.conversation import Forbidden, Rejected, TryLater
from fsnats.errors import UNREADABLE, Unavailable, Unusable
from fsnats.formats.columns import CANDLES, Kind

Table = Literal["list", "pandas", "polars", "arrow"]
Moment = str | int | datetime
"""A date or time in words (`2026-11-01`, `7d`), milliseconds since 1970, or a datetime with a time zone."""

_TIMEOUT = httpx.Timeout(30.0, read=200.0)  # seconds; where weight is used up an answer pauses for up to three minutes
_FORBIDDEN = (401, 403)
_PLACES = 18  # of decimals, as in the Arrow files of a gateway


class Candles(msgspec.Struct, frozen=True):
    """Candles that are over, oldest first; `missing` are first and last openings (ms) of what is not there."""

    market: str
    symbol: str
    interval: str
    klines: list[Candle]
    complete: bool
    missing: list[tuple[int, int]]

    def columns(self, number: Callable[[str], Any] = float) -> dict[str, list[Any]]:
        """The same by columns: times in UTC, and numbers as `number` makes them of Binance's digits."""
        read: dict[Kind, Callable[[Any], Any]] = {"time": _time, "integer": int, "decimal": number}
        return {
            column.name: [read[column.kind](getattr(row, column.field)) for row in self.klines] for column in CANDLES
        }

    def table(self, of: Table, *, exact: bool = False) -> Any:
        """A list of Binance's rows, or a table of pandas, polars or Arrow; `exact` numbers are decimals.

        Columns are of the same types whatever is in them, so that tables of several ranges can be joined.  Raises
        Unusable where the library is not installed.
        """
        if of == "list":
            return self.klines
        made = {"pandas": _pandas, "polars": _polars, "arrow": _arrow}.get(of)
        if made is None:
            raise Unusable(f"'{of}': no table; there are list, pandas, polars and arrow")
        return made(self.columns(Decimal if exact else float), exact)


def _pandas(columns: dict[str, list[Any]], exact: bool) -> Any:
    pandas = _library("pandas")
    types = {"time": "datetime64[ms, UTC]", "integer": "int64", "decimal": "object" if exact else "float64"}
    made = {one.name: pandas.Series(columns[one.name], dtype=types[one.kind]) for one in CANDLES}
    return pandas.DataFrame(made).set_index("open_time")


def _polars(columns: dict[str, list[Any]], exact: bool) -> Any:
    polars = _library("polars")
    number = polars.Decimal(38, _PLACES) if exact else polars.Float64
    types = {"time": polars.Datetime("ms", "UTC"), "integer": polars.Int64, "decimal": number}
    return polars.DataFrame(columns, schema={one.name: types[one.kind] for one in CANDLES})


def _arrow(columns: dict[str, list[Any]], exact: bool) -> Any:
    arrow = _library("pyarrow")
    number = arrow.decimal128(38, _PLACES) if exact else arrow.float64()
    types = {"time": arrow.timestamp("ms", tz="UTC"), "integer": arrow.int64(), "decimal": number}
    return arrow.table(columns, schema=arrow.schema([(one.name, types[one.kind]) for one in CANDLES]))


class _Missing(msgspec.Struct):
    from_: int = msgspec.field(name="from")
    to: int


class _Answer(msgspec.Struct):
    """What `/api/v1/klines` answers, as far as we look at it."""

    market: str
    symbol: str
    interval: str
    klines: list[Candle]
    complete: bool
    missing: list[_Missing]
    error: str = ""


_decode = msgspec.json.Decoder(_Answer).decode


def read(body: bytes) -> Candles:
    """Read an answer.  Raises Unavailable for one that is cut off, or none."""
    try:
        answer = _decode(body)
    except UNREADABLE as error:
        raise Unavailable(f"the gateway says what is not understood: {error}") from error
    if answer.error:
        raise Unavailable(f"the answer ends early: {answer.error}")
    missing = [(one.from_, one.to) for one in answer.missing]
    return Candles(answer.market, answer.symbol, answer.interval, answer.klines, answer.complete, missing)


async def candles(base: str, headers: Mapping[str, str], parameters: Mapping[str, object]) -> tuple[Candles, bool]:
    """Ask a gateway at this HTTP base for `/api/v1/klines`, and hear whether they are simulated.

    Raises Unusable for a datetime without a time zone, Rejected for what the gateway refuses, Forbidden, TryLater,
    Unavailable for an answer that is cut off.
    """
    query = {name: _spelled(name, value) for name, value in parameters.items() if value is not None}
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False) as client:
            reply = await client.get(f"{base}/api/v1/klines", params=query, headers=dict(headers))
    except httpx.HTTPError as error:
        raise Unavailable(f"the gateway does not answer: {error or type(error).__name__}") from error
    if reply.status_code != httpx.codes.OK:
        raise _refusal(reply)
    return read(reply.content), SIMULATED_HEADER in reply.headers


class _Problem(msgspec.Struct):
    """RFC 9457's, as the gateway tells it."""

    detail: str = ""
    code: str = ""


def _refusal(reply: httpx.Response) -> Exception:
    try:
        problem = msgspec.json.decode(reply.content, type=_Problem)
    except UNREADABLE:
        problem = _Problem(reply.text[:200])
    if reply.status_code in _FORBIDDEN:
        return Forbidden(problem.detail)
    if reply.status_code == httpx.codes.TOO_MANY_REQUESTS or reply.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        seconds = reply.headers.get("retry-after", "")
        return TryLater(problem.detail, float(seconds) if seconds.isdecimal() else None)
    return Rejected(problem.code or str(reply.status_code), problem.detail)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def _spelled(name: str, value: object) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:  # Python means local time, words without a zone mean UTC
            raise Unusable(f"{name}: {value} has no time zone; say datetime(…, tzinfo=UTC)")
        return str(round(value.timestamp() * 1000))
    return str(value)


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Unusable(f"{name} is not installed here: pip install {name}") from None
