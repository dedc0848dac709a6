"""REST at the gateway, in a whole fleet: what a bot gets, and what it costs upstream."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator

import httpx
import pytest

from fsnats.bus.nats import NatsBus
from fsnats.status import ask
from tests.e2e.fleet import Fleet


@pytest.fixture
async def http(fleet: Fleet) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=fleet.http, trust_env=False, timeout=30) as http:
        yield http


def asked(fleet: Fleet, path: str) -> int:
    count: int = fleet.ledger()["requests"].get(path, 0)
    return count


async def in_work(bus: NatsBus) -> int:
    """How many REST requests the history worker has in work."""
    answers = await ask(bus, "_INBOX.e2e-rest-status", 0.2)
    rests = [answer["rest"] for answer in answers if answer["kind"] == "history"]
    return sum(rest["in_work"] for rest in rests if isinstance(rest, dict))


async def test_ten_who_ask_the_same_at_once_cost_one_request(fleet: Fleet, http: httpx.AsyncClient) -> None:
    before = asked(fleet, "spot/api/v3/klines")
    async with NatsBus([fleet.nats_url], "e2e-rest", random.random) as bus, asyncio.TaskGroup() as tasks:
        await bus.connected()
        os.kill(fleet.simulator.pid, signal.SIGSTOP)  # so that nobody is answered before all have asked
        try:
            path = "/api/v3/klines?symbol=ETHUSDT&interval=1h&limit=10"
            asking = [tasks.create_task(http.get(path)) for _ in range(10)]
            async with asyncio.timeout(8):
                while await in_work(bus) < 10:
                    pass
        finally:
            os.kill(fleet.simulator.pid, signal.SIGCONT)
    replies = [task.result() for task in asking]
    assert [reply.status_code for reply in replies] == [200] * 10
    assert len({reply.content for reply in replies}) == 1
    assert asked(fleet, "spot/api/v3/klines") == before + 1


async def test_bodies_are_the_exchanges_and_its_weight_is_told(fleet: Fleet, http: httpx.AsyncClient) -> None:
    path = "/usdm/fapi/v1/klines?symbol=BTCUSDT&interval=1d&limit=3&endTime=1795000000000"
    ours = await http.get(path)
    theirs = await http.get(f"http://127.0.0.1:{fleet.simulator_port}{path}")
    assert ours.content == theirs.content
    assert ours.headers["x-fsnats-simulated"] == "true"
    assert 0 < int(ours.headers["X-MBX-USED-WEIGHT-1M"]) <= int(theirs.headers["X-MBX-USED-WEIGHT-1M"])


async def test_candles_that_are_over_come_from_the_store_the_second_time(fleet: Fleet, http: httpx.AsyncClient) -> None:
    start = fleet.ledger()["now"] // 3_600_000 * 3_600_000 - 30 * 3_600_000
    path = f"/usdm/fapi/v1/klines?symbol=ETHUSDT&interval=5m&startTime={start}&endTime={start + 7_200_000}"
    replies = [await http.get(path)]
    async with asyncio.timeout(20):
        while replies[-1].headers["x-fsnats-source"] != "store":  # it is kept a moment after it was told
            replies.append(await http.get(path))
    assert {reply.content for reply in replies} == {replies[0].content}
    assert len(replies[0].json()) == 25


async def test_the_list_of_symbols_comes_whole(fleet: Fleet, http: httpx.AsyncClient) -> None:
    packed = await http.get("/fapi/v1/exchangeInfo")
    plain = await http.get("/usdm/fapi/v1/exchangeInfo", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert packed.json()["symbols"][0]["filters"][0]["filterType"] == "PRICE_FILTER"


async def test_what_is_not_listed_costs_nothing(fleet: Fleet, http: httpx.AsyncClient) -> None:
    before = asked(fleet, "spot/api/v3/depth")
    reply = await http.get("/spot/api/v3/depth?symbol=NOPE")
    assert (reply.status_code, reply.content) == (400, b'{"code":-1121,"msg":"Invalid symbol."}')
    assert asked(fleet, "spot/api/v3/depth") == before


@pytest.mark.parametrize(
    "path",
    [
        "/spot/api/v3/ticker/bookTicker?symbol=BTCUSDT",
        "/spot/api/v3/ticker/price?symbol=BTCUSDT",
        "/spot/api/v3/avgPrice?symbol=BTCUSDT",
        "/spot/api/v3/depth?symbol=BTCUSDT&limit=3",
        "/usdm/fapi/v1/premiumIndex?symbol=BTCUSDT",
        "/usdm/fapi/v1/klines?symbol=BTCUSDT&interval=1m&limit=1",
    ],
)
async def test_who_polls_is_answered_by_the_stream_at_no_cost(fleet: Fleet, http: httpx.AsyncClient, path: str) -> None:
    method = path.partition("?")[0].removeprefix("/")
    before, bodies = asked(fleet, method), dict[str, list[dict[str, object]]]()
    async with asyncio.timeout(30):
        while len(bodies.get("stream", [])) < 10:
            reply = await http.get(path)
            assert reply.status_code == 200
            source = reply.headers["x-fsnats-source"]
            assert (source == "stream") is ("x-fsnats-age" in reply.headers)
            bodies.setdefault(source, []).append(reply.json())
            await asyncio.sleep(0.1)  # as pollers do: without a pause they would be told to slow down
    assert asked(fleet, method) - before == len(bodies["exchange"])
    shapes = {shape(body) for each in bodies.values() for body in each}
    assert len(shapes) == 1
    fresh = await http.get(path, headers={"Cache-Control": "no-cache"})
    assert fresh.headers["x-fsnats-source"] == "exchange"


async def test_a_stream_that_falls_silent_answers_nobody_any_more(fleet: Fleet, http: httpx.AsyncClient) -> None:
    path, stream = "/spot/api/v3/ticker/bookTicker?symbol=SOLUSDT", "solusdt@bookTicker"

    async def polled(source: str, times: int) -> list[object]:
        """What is answered until so many answers in a row have come from there."""
        bodies: list[object] = []
        async with asyncio.timeout(30):
            while len(bodies) < times:
                reply = await http.get(path)
                bodies = [*bodies, reply.json()] if reply.headers["x-fsnats-source"] == source else []
                await asyncio.sleep(0.1)
        return bodies

    await polled("stream", 3)
    fleet.tell_simulator(f"faults/silence?stream={stream}&coming=true")
    try:
        bodies = await polled("exchange", 12)
        assert len({str(body) for body in bodies}) > 1, "the market goes on"
    finally:
        fleet.tell_simulator(f"faults/silence?stream={stream}&on=false")
    await polled("stream", 3)


def shape(body: object) -> str:
    """What an answer is made of, without its values."""
    match body:
        case dict():
            return str({key: shape(value) for key, value in body.items()})
        case list():
            return str([shape(value) for value in body])
    return type(body).__name__
