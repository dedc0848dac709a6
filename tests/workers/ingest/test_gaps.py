import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.rest import Rest
from fsnats.binance.streams import Market, parse
from workers.ingest.gaps import notice, pages, read, request, without
from workers.ingest.pages import Answer, Fill
from workers.ingest.track import Missing
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings

AGG = parse(Market.SPOT, "btcusdt@aggTrade")
TRADE = parse(Market.SPOT, "btcusdt@trade")
KLINE = parse(Market.SPOT, "btcusdt@kline_1m")


def test_aggregate_trades_are_asked_for_by_id_in_pages() -> None:
    asked = pages(AGG, Missing(100, 2149, "a"))

    assert [request(AGG, page).parameters for page in asked] == [
        {"symbol": "BTCUSDT", "fromId": 100, "limit": 1000},
        {"symbol": "BTCUSDT", "fromId": 1100, "limit": 1000},
        {"symbol": "BTCUSDT", "fromId": 2100, "limit": 50},
    ]


def test_of_a_hole_that_is_too_large_the_newest_are_fetched() -> None:
    asked = pages(AGG, Missing(1, 100_500, "a"))

    assert (len(asked), asked[0], asked[-1].last) == (100, Missing(501, 1500, "a"), 100_500)


def test_trades_are_among_the_newest_ones_or_not_to_be_had() -> None:
    hole = Missing(1, 5, "t")

    assert pages(TRADE, hole) == [hole]
    assert request(TRADE, hole) == Fill("trades", {"symbol": "BTCUSDT", "limit": 1000})
    assert pages(TRADE, Missing(1, 5000, "t")) == []


@pytest.mark.parametrize("name", ["btcusdt@depth", "btcusdt@bookTicker", "btcusdt@ticker"])
def test_other_streams_cannot_be_filled(name: str) -> None:
    assert pages(parse(Market.SPOT, name), Missing(1, 5, "u")) == []


def raw(*rows: object) -> list[msgspec.Raw]:
    return [msgspec.Raw(json.dumps(row).encode()) for row in rows]


def test_up_to_its_newest_row_rest_has_said_everything_and_nothing_beyond() -> None:
    page = Missing(10, 20, "a")
    answer = read(AGG, page, raw(*({"a": number, "T": 1} for number in (15, 12, 13))))

    assert [number for number, _ in answer.come] == [12, 13, 15]
    assert answer.absent == [Missing(10, 11, "a"), Missing(14, 14, "a")]
    assert answer.rest == Missing(16, 20, "a")


def test_rest_that_lags_the_stream_says_nothing_of_a_page() -> None:
    page = Missing(10, 20, "a")

    assert read(AGG, page, raw()) == read(AGG, page, raw({"a": 9, "T": 1})) == Answer([], [], page)


def test_what_is_older_than_rest_remembers_is_absent() -> None:
    assert read(AGG, Missing(10, 12, "a"), raw({"a": 40, "T": 1})) == Answer([], [Missing(10, 12, "a")], None)


@given(st.integers(1, 50), st.integers(0, 20), st.sets(st.integers(1, 70)))
def test_what_is_left_of_a_hole_is_what_did_not_come(first: int, size: int, come: set[int]) -> None:
    hole = Missing(first, first + size, "a")
    inside = [number for number in come if first <= number <= first + size]
    left = without(hole, inside)

    assert {number for each in left for number in range(each.first, each.last + 1)} == (
        set(range(first, first + size + 1)) - set(inside)
    )


def test_a_notice_names_bars_by_their_times() -> None:
    assert json.loads(notice(KLINE, Missing(3, 5, "bar"), "cannot be fetched"))["unit"] == "ms"
    assert json.loads(notice(AGG, Missing(3, 5, "a"), "cannot be fetched"))["unit"] == "a"


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
async def test_rows_become_what_the_stream_would_have_brought(market: Market) -> None:
    async with Simulator(Settings()) as simulator, Rest(market, simulator.rest_url(market), None) as rest:
        stream = parse(market, "btcusdt@aggTrade")
        rows = msgspec.json.decode(
            (await rest.get("aggTrades", {"symbol": "BTCUSDT", "limit": 10})).body, type=list[msgspec.Raw]
        )
        ids = [json.loads(bytes(row))["a"] for row in rows]
        made = read(stream, Missing(ids[2], ids[5], "a"), rows).come

    assert [number for number, _ in made] == ids[2:6]
    for number, payload in made:
        event = json.loads(payload)
        row = json.loads(bytes(rows[ids.index(number)]))
        assert (event["e"], event["s"], event["E"]) == ("aggTrade", "BTCUSDT", row["T"])
        assert row.items() <= event.items()


def test_rows_of_another_shape_are_a_decode_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        read(AGG, Missing(1, 2, "a"), [msgspec.Raw(b"[1]")])
