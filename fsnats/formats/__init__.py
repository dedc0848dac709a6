"""Candles and trades of the past as files and answers: JSON, CSV, Arrow's stream format and Parquet.

`Writer` is what the four have in common; `writer` makes one.  Nothing is gathered but what a format needs at a time, so
that ranges of any length fit.
"""

from collections.abc import Sequence
from typing import Literal, Protocol, get_args

import msgspec

from fsnats.binance.rows import Candle
from fsnats.binance.streams import Market
from fsnats.errors import Unusable
from fsnats.history import Missing
from fsnats.store.forms import AggTrade

Format = Literal["json", "csv", "arrow", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
EXTRA = "pyarrow is not installed here; `pip install pyarrow` in the environment of fsnats"

Row = Candle | AggTrade


class Title(msgspec.Struct, frozen=True, omit_defaults=True):
    """What rows are of; `interval` is empty for trades, `continuous` is a type of contract where `symbol` is a pair."""

    market: Market
    symbol: str
    interval: str = ""
    continuous: str = ""


class Writer(Protocol):
    """Bytes of one file or answer, in order: those of `begin`, of each `add`, of `end`."""

    def begin(self, missing: Sequence[Missing]) -> bytes:
        """The beginning; `missing` is what is known to be missing before anything is read."""
        ...

    def add(self, rows: Sequence[Row]) -> bytes:
        """More rows, all of one kind; perhaps nothing yet."""
        ...

    def end(self, missing: Sequence[Missing], error: str = "") -> bytes:
        """The end; `missing` is all that is missing, `error` why not everything came."""
        ...


def writer(name: Format, title: Title) -> Writer:
    """What writes a format.  Raises Unusable, which names the extra, where pyarrow is needed and missing."""
    from fsnats.formats.text import CsvWriter, JsonWriter

    if name == "json":
        return JsonWriter(title)
    if name == "csv":
        return CsvWriter(title)
    try:
        from fsnats.formats import arrow
    except ImportError:
        raise Unusable(EXTRA) from None
    return arrow.ArrowWriter(title) if name == "arrow" else arrow.ParquetWriter(title)
