"""Candles of a SQLite file added up by SQLite itself, where whole numbers can do it exactly.  Blocks; no asyncio."""

import sqlite3
from decimal import Decimal

from fsnats.candles.candle import Candle, number
from fsnats.store import Stretch

# Text without its point is a whole number of the last decimal place, as long as every row has as many of them.
_UNITS = "CAST(replace({0}, '.', '') AS INTEGER)"
_LARGEST = 2**63 - 1  # what SQLite makes of anything larger
_SUMMED = ("volume", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume")
_COMPARED = ("high", "low")
_COLUMNS = (*_SUMMED, *_COMPARED)

_ROWS = "FROM kline_rows WHERE series = ? AND start_time >= ? AND start_time < ?"
_TRADED = f"{_ROWS} AND number_of_trades > 0"
_FIRST = f"SELECT {', '.join(_COLUMNS)}, open, first_trade_id {_TRADED} ORDER BY start_time LIMIT 1"
_LAST = f"SELECT close, last_trade_id {_TRADED} ORDER BY start_time DESC LIMIT 1"
_ALL = f"""
SELECT {", ".join(f"sum({column} GLOB ?)" for column in _COLUMNS)},
  min({", ".join(f"min({column})" for column in _COLUMNS)}) >= '0',
  count(*), min(start_time), max(end_time), min(is_closed), sum(number_of_trades),
  max({_UNITS.format("high")}) FILTER (WHERE number_of_trades > 0),
  min({_UNITS.format("low")}) FILTER (WHERE number_of_trades > 0),
  {", ".join(f"sum({_UNITS.format(column)})" for column in _SUMMED)}
{_ROWS}
"""


def whole(database: sqlite3.Connection, id: int | None, length: int, stretch: Stretch) -> Candle | None:
    """See `fsnats.store.Store.whole`; `length` is the shorter candles', in milliseconds.

    None also where not all numbers have equally many decimals, or too many digits.
    """
    start, stop = stretch
    bounds = (id, start, stop)
    first = database.execute(_FIRST, bounds).fetchone()
    if first is None:
        return None
    *texts, opened, first_id = first
    places = [len(text.partition(".")[2]) for text in texts]
    patterns = ["*." + "?" * count if count else "*.*" for count in places]
    try:
        row = database.execute(_ALL, (*patterns, *bounds)).fetchone()
    except sqlite3.OperationalError as error:
        if str(error) == "integer overflow":
            return None
        raise
    alike, (positive, rows, starts, ends, closed, trades, *units) = row[: len(_COLUMNS)], row[len(_COLUMNS) :]
    if (starts, ends, rows * length) != (start, stop - 1, stop - start) or not closed:
        return None
    if not positive or max(units) == _LARGEST or list(alike) != [rows if count else 0 for count in places]:
        return None
    closing, last_id = database.execute(_LAST, bounds).fetchone()
    high, low, *sums = units
    volume, quote, taker, taker_quote, high, low = (
        Decimal(value).scaleb(-count) for value, count in zip((*sums, high, low), places, strict=True)
    )
    prices = number(opened), high, low, number(closing)
    return Candle(start, stop - 1, *prices, volume, quote, trades, taker, taker_quote, first_id, last_id)
