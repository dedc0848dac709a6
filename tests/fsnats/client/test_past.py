from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pandas
import polars
import pyarrow
import pytest

from fsnats.binance.rows import Candle
from fsnats.binance.streams import Market
from fsnats.client.past import Candles, Table, candles, read
from fsnats.errors import Unavailable, Unusable
from fsnats.formats import Title
from fsnats.formats.text import JsonWriter
from fsnats.history import Missing

ROWS = [
    Candle(n * 60_000, "1.10", "2", "0.5", "1.00", "7", n * 60_000 + 59_999, "8.0", 9, "3", "4", "0") for n in range(3)
]
NONE: list[Candle] = []


def told(rows: list[Candle], missing: list[Missing], error: str = "") -> bytes:
    """What a gateway says."""
    form = JsonWriter(Title(Market.SPOT, "BTCUSDT", "1m"))
    return form.begin([]) + form.add(rows) + form.end(missing, error)


def some(rows: list[Candle]) -> Candles:
    return read(told(rows, []))


def test_rows_come_with_what_is_missing_between_them() -> None:
    found = read(told(ROWS, [Missing(180_000, 240_000), Missing(600_000, 600_000)]))
    assert (found.market, found.symbol, found.interval) == ("spot", "BTCUSDT", "1m")
    assert found.klines == ROWS
    assert (found.complete, found.missing) == (False, [(180_000, 240_000), (600_000, 600_000)])
    assert some(ROWS).complete


def test_an_answer_that_is_cut_off_is_none() -> None:
    with pytest.raises(Unavailable, match="the answer ends early: the exchange is gone"):
        read(told(ROWS, [], "the exchange is gone"))
    for wrong in (told(ROWS, [])[:-1], b"", b"{}", b"[]", b"\xff"):
        with pytest.raises(Unavailable, match="not understood"):
            read(wrong)


def test_columns_are_in_utc_and_of_numbers() -> None:
    columns = some(ROWS).columns(Decimal)
    assert columns["open_time"][1] == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    assert columns["close_time"][0] == datetime(1970, 1, 1, 0, 0, 59, 999_000, tzinfo=UTC)
    assert (columns["open"][0], columns["trades"][0]) == (Decimal("1.10"), 9)


@pytest.mark.parametrize("exact", [False, True])
def test_tables_of_several_ranges_can_be_joined_empty_ones_too(exact: bool) -> None:
    finer = [Candle(0, "0.00000001", "2", "0.5", "1.00", "7", 59_999, "8.0", 9, "3", "4", "0")]

    def tables(of: Table) -> list[Any]:
        return [some(rows).table(of, exact=exact) for rows in (ROWS, NONE, finer)]

    number = Decimal if exact else float
    joined = pandas.concat(tables("pandas"))
    assert (list(joined["open"]), str(joined.index.dtype)) == (
        [*[number("1.10")] * 3, number("0.00000001")],
        "datetime64[ms, UTC]",
    )
    assert list(polars.concat(tables("polars"))["open"]) == [*[number("1.10")] * 3, number("0.00000001")]
    assert pyarrow.concat_tables(tables("arrow"))["open"].to_pylist() == [*[number("1.10")] * 3, number("0.00000001")]


def test_a_table_that_there_is_not_is_named() -> None:
    assert some(ROWS).table("list") == ROWS
    with pytest.raises(Unusable, match="'xlsx': no table; there are list, pandas, polars and arrow"):
        some(ROWS).table("xlsx")  # type: ignore[arg-type]


async def test_a_datetime_says_where_it_is() -> None:
    with pytest.raises(Unusable, match="start: 2026-11-01 00:00:00 has no time zone"):
        await candles("http://127.0.0.1:1", {}, {"start": datetime(2026, 11, 1)})
    for zone in (UTC, timezone(timedelta(hours=3))):
        with pytest.raises(Unavailable, match="does not answer"):
            await candles("http://127.0.0.1:1", {}, {"start": datetime(2026, 11, 1, tzinfo=zone)})
