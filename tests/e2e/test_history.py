"""Candles of the past in a whole fleet: what a client gets, and what it costs upstream."""

import asyncio
import contextlib
import io
import os
import random
import signal
import time

import httpx
import pyarrow.parquet as pq

from fsnats.bus.nats import NatsBus
from fsnats.status import Status, ask
from tests.e2e.client import Client
from tests.e2e.conftest import Measure, StartFleet
from tests.e2e.fleet import Fleet

MINUTE = 60_000


def asked(fleet: Fleet, path: str = "spot/api/v3/klines") -> int:
    count: int = fleet.ledger()["requests"].get(path, 0)
    return count


async def history(bus: NatsBus) -> Status:
    """What the history worker says of itself."""
    while True:
        for answer in await ask(bus, "_INBOX.e2e-history-status", 0.2):
            if answer["kind"] == "history":
                return answer


def hours_ago(hours: int) -> int:
    return time.time_ns() // 1_000_000 // MINUTE * MINUTE - hours * 60 * MINUTE


def a_range(symbol: str, start: int, candles: int, **more: object) -> dict[str, object]:
    times = {"startTime": start, "endTime": start + (candles - 1) * MINUTE}
    return {"type": "getHistoricalKlines", "symbol": symbol, "interval": "1m", **times, **more}


async def test_ten_who_ask_for_the_same_range_at_once_cost_one_request_for_ever(start_fleet: StartFleet) -> None:
    fleet = start_fleet()
    request = a_range("ethusdt", hours_ago(30), 600, limit=600)
    async with (
        NatsBus([fleet.nats_url], "e2e-history", random.random) as bus,
        contextlib.AsyncExitStack() as stack,
    ):
        await bus.connected()
        clients = [await stack.enter_async_context(Client(fleet.ws)) for _ in range(10)]
        async with asyncio.timeout(20):
            while not (await history(bus))["clocks"]:  # before that nothing is kept
                pass
        before = asked(fleet)
        os.kill(fleet.simulator.pid, signal.SIGSTOP)  # so that nobody is answered before all have asked
        try:
            asking = [asyncio.ensure_future(client.ask(request, "historicalKlines")) for client in clients]
            async with asyncio.timeout(8):
                while (await history(bus))["in_work"] != 10:
                    pass
        finally:
            os.kill(fleet.simulator.pid, signal.SIGCONT)
        replies = await asyncio.gather(*asking)
        assert asked(fleet) == before + 1
        assert [len(reply["klines"]) for reply in replies] == [600] * 10
        fleet.kill("history")
        async with asyncio.timeout(20):
            while (await history(bus))["pid"] != fleet.pid("history"):
                pass
        again = await clients[0].ask({**request, "id": 7}, "historicalKlines")
        assert again["klines"] == replies[0]["klines"]
        assert asked(fleet) == before + 1
        store = (await history(bus))["store"]
    assert isinstance(store, dict)
    assert (store["state"], store["rows_read"]) == ("ok", 600)


async def test_more_than_a_page_comes_in_one_reply(fleet: Fleet) -> None:
    start = hours_ago(100)
    async with Client(f"{fleet.ws}/usdm") as client:
        reply = await client.ask(a_range("btcusdt", start, 3000, limit=3000), "historicalKlines")
        newest = await client.ask(
            {"type": "getHistoricalKlines", "symbol": "btcusdt", "interval": "1m"}, "historicalKlines"
        )
    assert [row[0] for row in reply["klines"]] == [start + n * MINUTE for n in range(3000)]
    assert len(newest["klines"]) == 500


async def test_continuous_candles_are_those_of_a_pair(fleet: Fleet) -> None:
    start = hours_ago(20)
    async with Client(fleet.ws) as client:
        reply = await client.ask(a_range("btcusdt", start, 3, continuous=True), "historicalKlines")
        symbols = await client.ask(a_range("btcusdt", start, 3, market="usdm", id=1), "historicalKlines")
    assert (reply["continuous"], len(reply["klines"])) == ("perpetual", 3)
    assert [row[:6] for row in symbols["klines"]] == [row[:6] for row in reply["klines"]]


async def test_a_store_that_cannot_be_had_breaks_nothing_and_is_shown(start_fleet: StartFleet) -> None:
    fleet = start_fleet(store_url="sqlite:////nowhere/at/all.sqlite3")
    request = a_range("ethusdt", hours_ago(30), 600, limit=600)
    async with NatsBus([fleet.nats_url], "e2e-history", random.random) as bus, Client(fleet.ws) as client:
        await bus.connected()
        for number in range(2):
            reply = await client.ask({**request, "id": number}, "historicalKlines")
            assert len(reply["klines"]) == 600
        store = (await history(bus))["store"]
    assert isinstance(store, dict)
    assert "/nowhere/at/all.sqlite3" in store["state"]


async def test_a_range_over_http_is_the_same_in_every_format(fleet: Fleet) -> None:
    start = hours_ago(60)
    url = f"{fleet.http}/api/v1/klines?market=usdm&symbol=btcusdt&interval=1m&start={start}&limit=3000"
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        as_json = await http.get(url)
        as_csv = await http.get(url, headers={"Accept": "text/csv"})
        as_parquet = await http.get(f"{url}&format=parquet")
    opens = [row[0] for row in as_json.json()["klines"]]
    assert opens == [start + n * MINUTE for n in range(3000)]
    assert [int(line.split(",")[0]) for line in as_csv.text.splitlines()[1:]] == opens
    assert pq.read_table(io.BytesIO(as_parquet.content)).num_rows == 3000
    assert [each.headers["x-fsnats-complete"] for each in (as_json, as_csv, as_parquet)] == ["true"] * 3
    assert as_json.headers["x-fsnats-simulated"] == "true"


async def test_the_store_alone_says_what_it_does_not_have(fleet: Fleet) -> None:
    start = hours_ago(200)
    url = f"{fleet.http}/api/v1/klines?symbol=solusdt&interval=1m&start={start}&end={start + 29 * MINUTE}"
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        nothing = (await http.get(f"{url}&source=store")).json()
        before = asked(fleet)
        fetched = (await http.get(url)).json()
        again = await http.get(f"{url}&source=store")
        last_page_full = (await http.get(f"{url}&source=store&limit=30")).json()
    assert nothing["missing"] == [{"from": start, "to": start + 29 * MINUTE, "unit": "ms"}]
    assert (nothing["complete"], nothing["klines"]) == (False, [])
    assert (again.json(), again.headers["x-fsnats-complete"]) == (fetched, "true")
    assert last_page_full == fetched
    assert asked(fleet) == before + 1


async def test_1500_stored_candles_come_soon(fleet: Fleet, measure: Measure) -> None:
    start = hours_ago(400)
    path = f"/api/v1/klines?market=usdm&symbol=ethusdt&interval=1m&start={start}&limit=1500"
    took: list[float] = []
    async with httpx.AsyncClient(base_url=fleet.http, trust_env=False, timeout=30) as http:
        first = (await http.get(path)).json()
        assert (await http.get(f"{path}&source=store")).json()["complete"]
        for _ in range(50):
            began = time.perf_counter()
            reply = await http.get(path)
            took.append(time.perf_counter() - began)
            assert reply.json() == first
    took.sort()
    measure(f"1,500 stored candles over HTTP, end to end: p50 {took[25] * 1e3:.1f} ms, p95 {took[47] * 1e3:.1f} ms")


async def test_trades_over_http_are_the_exchanges_own(fleet: Fleet) -> None:
    start = hours_ago(2)
    url = f"{fleet.http}/api/v1/trades?market=usdm&symbol=btcusdt&start={start}&end={start + 20 * MINUTE}"
    theirs = f"http://127.0.0.1:{fleet.simulator_port}/usdm/fapi/v1/aggTrades?symbol=BTCUSDT&startTime={start}&limit=5"
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        reply = (await http.get(url)).json()
        stored = await http.get(f"{url}&source=store&format=csv")
        rows = (await http.get(theirs)).json()
    ours = reply["trades"]
    assert reply["complete"]
    assert len(ours) > 100
    assert [{name: row[name] for name in ours[0]} for row in rows] == ours[:5]
    assert len(stored.text.splitlines()) == len(ours) + 1
    assert stored.headers["x-fsnats-missing"] == f"ms={start}-{ours[0]['T']}"  # nobody saw the trade before


async def test_candles_that_are_over_cost_a_bot_nothing_when_they_were_fetched_once(fleet: Fleet) -> None:
    start = hours_ago(300)
    times = f"startTime={start}&endTime={start + 199 * MINUTE}"
    path = f"/usdm/fapi/v1/klines?symbol=ETHUSDT&interval=1m&{times}"
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        first = await http.get(f"{fleet.http}{path}")
        async with asyncio.timeout(20):
            while (await http.get(f"{fleet.http}{path}")).headers["x-fsnats-source"] != "store":
                pass  # the answer did not wait for the store
        before = asked(fleet, "usdm/fapi/v1/klines")
        again = await http.get(f"{fleet.http}{path}")
        part = await http.get(f"{fleet.http}{path}&limit=7")
        fresh = await http.get(f"{fleet.http}{path}", headers={"Cache-Control": "no-cache"})
        theirs = await http.get(f"http://127.0.0.1:{fleet.simulator_port}{path}")
    assert [each.headers["x-fsnats-source"] for each in (first, again, part, fresh)] == [
        "exchange",
        "store",
        "store",
        "exchange",
    ]
    assert first.content == again.content == fresh.content == theirs.content
    assert part.json() == first.json()[:7]
    assert asked(fleet, "usdm/fapi/v1/klines") == before + 2  # the fresh one, and theirs
