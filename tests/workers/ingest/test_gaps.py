import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.rest import Rest
from fsnats.binance.streams import Market, parse
from workers.ingest.gaps import Fill, bars_between, fills, notice, payloads, without
from workers.ingest.track import Missing
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings

AGG = parse(Market.SPOT, "btcusdt@aggTrade")
TRADE = parse(Market.SPOT, "btcusdt@trade")
KLINE = parse(Market.SPOT, "btcusdt@kline_1m")


def test_aggregate_trades_are_asked_for_by_id_in_pages() -> None:
    assert [fill.parameters for fill in fills(AGG, Missing(100, 2149, "a"))] == [
        {"symbol": "BTCUSDT", "fromId": 100, "limit": 1000},
        {"symbol": "BTCUSDT", "fromId": 1100, "limit": 1000},
        {"symbol": "BTCUSDT", "fromId": 2100, "limit": 50},
    ]


def test_trades_are_among_the_newest_ones_or_not_to_be_had() -> None:
    assert fills(TRADE, Missing(1, 5, "t")) == [Fill("trades", {"symbol": "BTCUSDT", "limit": 1000})]
    assert fills(TRADE, Missing(1, 5000, "t")) == []


@pytest.mark.parametrize("name", ["btcusdt@depth", "btcusdt@bookTicker", "btcusdt@kline_1m@+08:00"])
def test_other_streams_cannot_be_filled(name: str) -> None:
    assert fills(parse(Market.SPOT, name), Missing(1, 5, "u")) == []


def test_a_hole_that_is_too_large_is_not_filled() -> None:
    assert fills(AGG, Missing(1, 5001, "a")) == []


def bar(opened: int, closed: bool) -> bytes:
    return json.dumps({"k": {"t": opened, "T": opened + 59_999, "x": closed}}).encode()


def test_bars_whose_closing_nobody_saw_are_missing() -> None:
    assert bars_between(KLINE, bar(0, False), bar(120_000, False)) == Missing(0, 119_999, "bar")
    assert bars_between(KLINE, bar(0, True), bar(120_000, False)) == Missing(60_000, 119_999, "bar")
    assert bars_between(KLINE, bar(0, True), bar(60_000, False)) is None
    assert bars_between(KLINE, bar(0, False), bar(0, True)) is None


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
        made = payloads(stream, Missing(ids[2], ids[5], "a"), rows)

    assert [number for number, _ in made] == ids[2:6]
    for number, payload in made:
        event = json.loads(payload)
        row = json.loads(bytes(rows[ids.index(number)]))
        assert (event["e"], event["s"], event["E"]) == ("aggTrade", "BTCUSDT", row["T"])
        assert row.items() <= event.items()


async def test_rows_of_candles_become_closed_bars() -> None:
    async with Simulator(Settings()) as simulator, Rest(Market.SPOT, simulator.rest_url(Market.SPOT), None) as rest:
        answer = await rest.get("klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": 4})
    rows = msgspec.json.decode(answer.body, type=list[msgspec.Raw])
    first = json.loads(bytes(rows[0]))
    ((opened, payload),) = payloads(KLINE, Missing(first[0], first[6], "bar"), rows)
    event = json.loads(payload)

    assert opened == event["k"]["t"] == first[0]
    assert event["k"]["x"] is True
    assert [event["k"][key] for key in "ohlcvTqnVQB"] == first[1:6] + first[6:12]


def test_rows_of_another_shape_are_a_decode_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        payloads(AGG, Missing(1, 2, "a"), [msgspec.Raw(b"[1]")])
