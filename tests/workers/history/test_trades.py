"""Aggregated trades from a store and an exchange, against a model that has them all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.rest import BadRequest
from fsnats.binance.streams import Market
from fsnats.history import Missing
from fsnats.store import Batch, Origin, Rows, Series, Span
from fsnats.store.forms import AggTrade, trade_of
from tests.workers.history.shelves import Deals, Table, shelf_of
from workers.history.trades import Asked, Trades

SERIES = Series(Market.USDM, "aggTrade", "BTCUSDT")
BEGUN = 1_795_000_000_000


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def deals() -> Deals:
    return Deals(BEGUN, 5000)


@pytest.fixture
def trades(table: Table, deals: Deals) -> Trades:
    return Trades(shelf_of(table), deals)


async def store(table: Table, deals: Deals, first: int, last: int) -> None:
    rows = [trade_of(row, "BTCUSDT") for row in deals.rows(first, last)]
    await table.write(Batch([Rows(SERIES, Origin.FETCHED, trades=rows, covered=[Span(first, last)])]))


async def everything(
    trades: Trades, start: int, end: int | None, by: Asked | None, limit: int = 10**9
) -> tuple[list[AggTrade], list[Missing]]:
    piece = await trades.since(SERIES, start, end, min(limit, 2000), by)
    rows, missing = list(piece.rows), list(piece.missing)
    while piece.goes_on is not None and len(rows) < limit:
        piece = await trades.after(SERIES, piece.goes_on, end, min(limit - len(rows), 2000), by)
        rows += piece.rows
        missing += piece.missing
    return rows, missing


def at(key: int) -> int:
    return BEGUN + key * 500


async def test_a_range_of_times_is_fetched_page_by_page_and_kept(trades: Trades, deals: Deals, table: Table) -> None:
    rows, missing = await everything(trades, at(100) - 3, at(2600), deals)
    assert rows == deals.rows(100, 2600)
    assert missing == []
    assert deals.asked == [
        {"startTime": at(100) - 3, "limit": 1000},
        {"fromId": 1100, "limit": 1000},
        {"fromId": 2100, "limit": 1000},
    ]
    assert table.known[SERIES] == [Span(100, 3099)]


async def test_what_is_stored_whole_asks_for_nothing(trades: Trades, deals: Deals, table: Table) -> None:
    await store(table, deals, 50, 3000)
    rows, missing = await everything(trades, at(100), at(2600), deals)
    assert (rows, missing, deals.asked) == (deals.rows(100, 2600), [], [])


async def test_only_holes_are_fetched(trades: Trades, deals: Deals, table: Table) -> None:
    await store(table, deals, 0, 199)
    await store(table, deals, 300, 600)
    rows, _ = await everything(trades, at(100), at(500), deals)
    assert rows == deals.rows(100, 500)
    assert deals.asked == [{"fromId": 200, "limit": 100}]


async def test_the_store_alone_says_what_it_does_not_have(trades: Trades, deals: Deals, table: Table) -> None:
    await store(table, deals, 100, 199)
    await store(table, deals, 300, 399)
    rows, missing = await everything(trades, at(50), at(450), None)
    assert rows == [*deals.rows(100, 199), *deals.rows(300, 399)]
    assert missing == [Missing(at(50), at(100)), Missing(200, 299, "a"), Missing(at(399), at(450))]
    assert (await everything(trades, at(110), at(190), None))[1] == []
    assert await everything(trades, at(1000), at(1100), None) == ([], [Missing(at(1000), at(1100))])
    assert deals.asked == []


async def test_the_very_first_trade_is_known_to_be_it(trades: Trades, deals: Deals, table: Table) -> None:
    await store(table, deals, 0, 99)
    assert await everything(trades, 0, at(50), None) == (deals.rows(0, 50), [])


async def test_what_is_too_old_to_be_found_by_time_is_said(trades: Trades, deals: Deals, table: Table) -> None:
    deals.reach = 1000
    with pytest.raises(BadRequest, match="48 hours"):
        await everything(trades, at(100), at(200), deals)
    await store(table, deals, 150, 160)
    rows, missing = await everything(trades, at(100), at(200), deals)
    assert (rows, missing) == (deals.rows(150, 200), [Missing(at(100), at(150) - 1)])


@pytest.mark.parametrize("limit", [10, 1000, 2500])
async def test_the_newest_are_the_last_ones(trades: Trades, deals: Deals, limit: int) -> None:
    assert (await trades.newest(SERIES, None, limit, deals)).rows == deals.rows(5000 - limit, 4999)


async def test_the_newest_of_the_store_are_those_before_a_time(trades: Trades, deals: Deals, table: Table) -> None:
    await store(table, deals, 100, 199)
    piece = await trades.newest(SERIES, at(150), 20, None)
    assert (piece.rows, piece.missing) == (deals.rows(131, 150), [])
    piece = await trades.newest(SERIES, None, 20, None)
    assert piece.rows == deals.rows(180, 199)
    assert piece.missing == [Missing(at(199), deals.now_ms(Market.USDM))]
    assert (await trades.newest(SERIES, at(50), 20, None)).missing == [Missing(0, at(50))]


async def test_a_broken_store_is_left_out(trades: Trades, deals: Deals, table: Table) -> None:
    table.broken = True
    assert (await everything(trades, at(10), at(20), deals))[0] == deals.rows(10, 20)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 100)), max_size=4),
    st.integers(-10, 310),
    st.integers(0, 310),
    st.integers(1, 400),
)
async def test_whatever_the_store_has_the_answer_is_the_exchanges(
    stored: list[tuple[int, int]], first: int, length: int, limit: int
) -> None:
    deals, table = Deals(BEGUN, 300), Table()
    for key, count in stored:
        if key < 300:
            await store(table, deals, key, min(key + count, 299))
    rows, missing = await everything(Trades(shelf_of(table), deals), at(first), at(first + length), deals, limit)
    assert rows == deals.rows(first, first + length)[:limit]
    assert missing == []
