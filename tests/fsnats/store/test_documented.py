"""What docs/store.md says of the tables is what is there."""

import re
import sqlite3
from pathlib import Path

import asyncpg
import pytest

from fsnats.store import Span, Store
from tests.fsnats.store.rows import candle, candles, trade, trades

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "store.md").read_text()
VIEWS = {
    name: re.findall(r"`(\w+)`", columns)
    for name, columns in re.findall(r"^\| `(\w+)` \| [^|]+ \| (`market`.*|`worker`.*) \|$", DOCUMENT, re.MULTILINE)
}


async def told(url: str, query: str) -> tuple[list[str], int]:
    """The columns and the number of rows that a query gives."""
    if url.startswith("sqlite"):
        database = sqlite3.connect(url.removeprefix("sqlite://"))
        cursor = database.execute(query)
        found = [column[0] for column in cursor.description], len(cursor.fetchall())
        database.close()
        return found
    connection = await asyncpg.connect(url, server_settings={"search_path": "fsnats"})
    statement = await connection.prepare(query)
    found = [attribute.name for attribute in statement.get_attributes()], len(await statement.fetch())
    await connection.close()
    return found


async def test_every_view_is_documented_with_its_columns_in_order(store: Store, store_url: str) -> None:
    assert {view: (await told(store_url, f"SELECT * FROM {view}"))[0] for view in VIEWS} == VIEWS
    if store_url.startswith("sqlite"):
        query = "SELECT name FROM sqlite_master WHERE type = 'view' OR name = 'connections'"
    else:
        query = "SELECT viewname FROM pg_views WHERE schemaname = 'fsnats' UNION SELECT 'connections'"
    assert (await told(store_url, query))[1] == len(VIEWS)


@pytest.mark.parametrize("query", re.findall(r"```sql\n(.*?);\n```", DOCUMENT, re.DOTALL))
async def test_documented_queries_work(store: Store, store_url: str, query: str) -> None:
    now = candle(28_333_334)  # of the day in the examples
    await store.write(candles(now, covered=[Span(now.start_time, now.start_time)]))
    await store.write(trades(trade(1, time_ms=1_700_000_000_000)))
    assert (await told(store_url, query))[1] == 1
