"""Events over plain HTTP, as the Komas module has them: what they look like, and that nothing is lost or doubled."""

import asyncio
import http.client
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.client import until
from tests.e2e.conftest import Measure
from tests.e2e.events import Reader, reading
from tests.e2e.fleet import Fleet, free_port, get, wait_for

_KILLS = int(os.environ.get("FSNATS_TEST_KILLS", "3"))  # the soak has twenty


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("events")
    with Fleet(directory, markets="spot,usdm", symbols="BTCUSDT,ETHUSDT,BNBUSDT") as running:
        yield running


async def test_prices_are_the_seeds_messages_and_the_newest_ones_come_at_once(fleet: Fleet, measure: Measure) -> None:
    async with reading(f"{fleet.http}/api/ws/sse/prices?symbols=BTCUSDT,ETHUSDT") as first:
        await until(lambda: {each["data"]["symbol"] for each in first.data} == {"BTCUSDT", "ETHUSDT"}, "both flow")
        began = time.monotonic()
        async with reading(f"{fleet.http}/api/ws/sse/prices?symbols=BTCUSDT,ETHUSDT") as second:
            await until(lambda: len(second.data) >= 2, "the newest values come")
            measure(f"the newest prices of two wanted streams come {time.monotonic() - began:.3f} s after asking")
    assert [each["snapshot"] for each in second.data[:2]] == [True, True]
    (price,) = [each for each in first.data if each["data"]["symbol"] == "BTCUSDT"][-1:]
    assert list(price)[-2:] == ["data", "timestamp"]
    assert list(price["data"]) == [
        "type",
        "symbol",
        "price",
        "open",
        "high",
        "low",
        "volume",
        "quote_volume",
        "price_change",
        "price_change_percent",
        "timestamp",
    ]
    assert price["type"] == "ticker"
    assert isinstance(price["data"]["price"], float)
    assert first.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert first.headers["x-accel-buffering"] == "no"
    assert first.headers["access-control-allow-origin"] == "*"
    assert first.headers["x-fsnats-simulated"] == "true"


async def test_candles_and_trades_flow_and_raw_payloads_too(fleet: Fleet) -> None:
    base = f"{fleet.http}/api/ws/sse"
    async with (
        reading(f"{base}/klines?symbol=BTCUSDT&interval=1s") as candles,
        reading(f"{base}/trades?symbol=BTCUSDT") as trades,
        reading(f"{base}/stream?streams=btcusdt@aggTrade&market=usdm&format=raw") as raw,
    ):
        await until(lambda: candles.data and trades.data and raw.data, "all flow")
    assert candles.data[0]["data"]["interval"] == "1s"
    assert list(trades.data[0]["data"]) == [
        "type",
        "symbol",
        "trade_id",
        "price",
        "quantity",
        "timestamp",
        "is_buyer_maker",
    ]
    assert raw.data[0]["stream"] == "btcusdt@aggTrade"
    assert raw.data[0]["data"]["e"] == "aggTrade"


async def test_a_candle_of_a_wanted_stream_comes_at_once(fleet: Fleet, measure: Measure) -> None:
    url = f"{fleet.http}/api/ws/sse/klines?symbol=BTCUSDT&interval=1m"
    async with reading(url) as first:
        await until(lambda: first.data, "candles flow")
        began = time.monotonic()
        async with reading(url) as second:
            await until(lambda: second.data, "a candle comes")
            measure(f"a candle of a wanted stream comes {time.monotonic() - began:.3f} s after asking")
            assert second.data[0]["snapshot"] is True  # it did not wait for the next one, which comes every two seconds


async def test_who_comes_back_to_a_stream_that_had_said_nothing_is_told_that_something_may_be_missing(
    fleet: Fleet,
) -> None:
    url = f"{fleet.http}/api/ws/sse/stream?market=usdm&streams=btcusdt@aggTrade/btcusdt@forceOrder"

    def resumed(reader: Reader) -> dict[str, bool]:
        return {event.data["stream"]: event.data["recovered"] for event in reader.events if event.name == "resumed"}

    async with reading(url) as first:
        await until(lambda: first.data, "trades come")
    assert resumed(first) == {}
    place, _, _ = first.last_id.partition(",")
    for last_id, is_known in ((f"{place},", True), (",", False)):
        async with reading(url, last_id) as again:
            await until(lambda again=again: len(resumed(again)) == 2, "both are resumed")  # type: ignore[misc]
        assert resumed(again) == {"btcusdt@aggTrade": is_known, "btcusdt@forceOrder": False}


@pytest.mark.timeout(60 + 15 * _KILLS)
async def test_the_last_id_brings_exactly_what_was_missed_over_kills_of_the_gateway(
    fleet: Fleet, measure: Measure
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/api/ws/sse/stream?streams=btcusdt@aggTrade/ethusdt@aggTrade/btcusdt@trade"
    seen: list[tuple[str, str, int]] = []
    last_id = ""
    for _ in range(_KILLS + 1):
        gateway = fleet.serve_gateway(port)
        async with reading(url, last_id) as reader:
            await until(lambda reader=reader: len(reader.data) > 40, "events flow")  # type: ignore[misc]
            gateway.kill()
            await asyncio.sleep(0)
            await until(lambda reader=reader: not _flows(reader), "what was on its way has come")  # type: ignore[misc]
        seen += [(each["data"]["type"], each["data"]["symbol"], each["data"]["trade_id"]) for each in reader.data]
        last_id = reader.last_id
        assert not [event for event in reader.events if event.name == "gap"]

    for kind, symbol in {(kind, symbol) for kind, symbol, _ in seen}:
        ids = [number for *whose, number in seen if whose == [kind, symbol]]
        assert ids == list(range(ids[0], ids[0] + len(ids))), (kind, symbol)
    assert len({(kind, symbol) for kind, symbol, _ in seen}) == 3
    measure(f"{_KILLS} kills of a gateway, events: {len(seen)} by their last id, none missing, none twice")


_counts: dict[int, int] = {}


def _flows(reader: Reader) -> bool:
    """Whether anything came since the last look."""
    before, _counts[id(reader)] = _counts.get(id(reader), -1), len(reader.events)
    return before != len(reader.events)


def ask(fleet: Fleet, path: str, method: str = "GET") -> tuple[int, Any]:
    status, text = get(f"{fleet.http}{path}", method)
    return status, json.loads(text)


def test_what_is_wrong_is_told_as_a_problem(fleet: Fleet) -> None:
    status, problem = ask(fleet, "/api/ws/sse/prices?symbols=BTC_USDT")
    assert (status, problem["status"], problem["code"]) == (404, 404, "UNKNOWN_SYMBOL")
    assert problem["detail"].endswith("did you mean BTCUSDT?")
    assert ask(fleet, "/api/ws/sse/klines?symbol=BTCUSDT&interval=7m")[1]["detail"] == (
        "'BTCUSDT@kline_7m': unknown interval '7m'"
    )
    assert ask(fleet, "/api/ws/sse/nothing")[0] == 404
    assert ask(fleet, "/api/ws/sse/stream?streams=btcusdt@avgPrice")[1]["code"] == "NOT_NORMALISED"
    assert ask(fleet, "/api/ws/sse/prices?market=coinm")[0] == 400


def test_a_browser_that_comes_too_early_is_asked_back_and_others_are_told_503(fleet: Fleet) -> None:
    port = free_port()
    environ = fleet.environ(nats_url=f"nats://127.0.0.1:{free_port()}")  # nobody: it never gets ready
    early = fleet.start(f"early-{port}", "gateway", "--port", str(port), environ=environ)
    wait_for(lambda: get(f"http://127.0.0.1:{port}/healthz")[0] == 200, "it listens")
    path = "/api/ws/sse/prices?symbols=BTCUSDT"
    status, text = get(f"http://127.0.0.1:{port}{path}")
    assert (status, json.loads(text)["status"]) == (503, 503)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers={"Accept": "text/event-stream"})
    reply = connection.getresponse()
    assert reply.status == 200
    lines = reply.read().decode().split("\n")
    assert lines[0] == "retry: 3000"
    assert lines[2] == "event: close"
    assert json.loads(lines[3].removeprefix("data: "))["code"] == 1013
    connection.close()
    early.kill()


def test_an_id_that_is_none_begins_anew(fleet: Fleet) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", fleet.gateway_port, timeout=20)
    connection.request("GET", "/api/ws/sse/trades?symbol=BTCUSDT", headers={"Last-Event-ID": "rubbish, of another"})
    reply = connection.getresponse()
    assert reply.status == 200
    assert reply.readline() == b"retry: 1000\n"
    connection.close()


def test_events_follow_other_requests_on_a_connection_and_older_http(fleet: Fleet) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", fleet.gateway_port, timeout=20)
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b"ok\n"
    connection.request("GET", "/api/ws/sse/trades?symbol=BTCUSDT")
    assert connection.getresponse().readline() == b"retry: 1000\n"
    connection.close()
    older = http.client.HTTPConnection("127.0.0.1", fleet.gateway_port, timeout=20)
    older._http_vsn, older._http_vsn_str = 10, "HTTP/1.0"  # type: ignore[attr-defined]
    older.request("GET", "/api/ws/sse/trades?symbol=BTCUSDT")
    assert older.getresponse().readline() == b"retry: 1000\n"
    older.close()
