import httpx
import pytest

from fsnats.binance.streams import Market
from tests.clock import HandClock
from tests.workers.simulator.conftest import Dial, Start
from workers.simulator.server import Simulator


async def get(simulator: Simulator, path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"http://127.0.0.1:{simulator.port}{path}", headers=headers)


async def post(simulator: Simulator, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(f"http://127.0.0.1:{simulator.port}{path}")


async def test_every_reply_says_that_it_is_simulated(start: Start) -> None:
    simulator = await start()
    for path in ("/spot/api/v3/ping", "/spot/api/v3/nosuch", "/nosuch", "/sim/ledger", "/coinm/dapi/v1/time"):
        assert (await get(simulator, path)).headers["X-Fsnats-Simulated"] == "true"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/spot/api/v3/ping", 200),
        ("/usdm/fapi/v1/ping", 200),
        ("/coinm/dapi/v1/ping", 200),
        ("/spot/fapi/v1/ping", 404),
        ("/api/v3/ping", 404),
        ("/spot/api/v3/klines?symbol=X&interval=1m", 400),
        ("/spot/api/v3/klines?symbol=%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9FUSDT&interval=1m", 200),
    ],
)
async def test_paths(start: Start, path: str, status: int) -> None:
    assert (await get(await start(), path)).status_code == status


async def test_time_is_the_simulators(start: Start, clock: HandClock) -> None:
    simulator = await start(clock)
    assert (await get(simulator, "/spot/api/v3/time")).json() == {"serverTime": simulator.now()}


async def test_bodies_are_compressed_when_asked_for(start: Start) -> None:
    simulator = await start()
    plain = await get(simulator, "/usdm/fapi/v1/exchangeInfo", **{"Accept-Encoding": "identity"})
    packed = await get(simulator, "/usdm/fapi/v1/exchangeInfo", **{"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 5
    assert packed.json()["symbols"] == plain.json()["symbols"]


async def test_used_weight_is_told_and_refused_requests_cost_as_well(start: Start, clock: HandClock) -> None:
    simulator = await start(clock)
    used = [
        (await get(simulator, path)).headers["X-MBX-USED-WEIGHT-1M"]
        for path in ("/spot/api/v3/exchangeInfo", "/spot/api/v3/klines?symbol=NO&interval=1m", "/usdm/fapi/v1/time")
    ]
    assert used == ["20", "22", "1"]


async def test_who_asks_too_much_is_refused_then_banned(start: Start, clock: HandClock) -> None:
    simulator = await start(clock, weight_per_minute=2, refusals_before_ban=1)
    replies = [await get(simulator, "/spot/api/v3/time") for _ in range(4)]
    assert [reply.status_code for reply in replies] == [200, 200, 429, 418]
    assert replies[2].json()["code"] == -1003
    assert 0 < int(replies[2].headers["Retry-After"]) <= 60
    assert "IP banned until" in replies[3].json()["msg"]
    assert [violation.limit for violation in simulator.ledger.violations] == ["weight", "ban"]


async def test_who_asks_for_funding_too_often_is_refused_whatever_its_weight(start: Start, clock: HandClock) -> None:
    simulator = await start(clock)
    for _ in range(500):
        simulator.counts.charge("127.0.0.1", Market.USDM, "fundingRate", simulator.now())
    reply = await get(simulator, "/usdm/fapi/v1/fundingInfo")
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "301")
    assert [violation.limit for violation in simulator.ledger.violations] == ["requests"]


async def test_the_ledger_is_shown(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, "/stream") as client:
        await client.ask("SUBSCRIBE", "btcusdt@trade", "nosuch@trade")
        await client.event()
        told = (await get(simulator, "/sim/ledger")).json()
    (connection,) = told["connections"]
    assert connection["streams"] == ["btcusdt@trade", "nosuch@trade"]
    assert (connection["market"], connection["requests"]) == ("spot", 1)
    assert told["events"]["spot"]["btcusdt@trade"] >= 1
    assert (told["violations"], told["replay"]) == ([], None)


async def test_faults_are_called_over_http(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, "/ws") as client:
        assert (await post(simulator, "/sim/faults/cut?connection=1")).json() == {"result": 1}
        assert await client.ended() == (1006, "")
    assert (await post(simulator, "/sim/faults/refuse?seconds=60")).status_code == 200
    assert (await get(simulator, "/spot/api/v3/time")).status_code == 503
    assert (await get(simulator, "/sim/ledger")).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/sim/faults/nosuch",
        "/sim/nosuch",
        "/sim/list?market=x&symbol=Y",
        "/sim/replay/start",
        "/sim/delist?market=spot",
        "/sim/remove?market=spot&symbol=NOSUCH",
    ],
)
async def test_controls_that_make_no_sense_are_refused(start: Start, path: str) -> None:
    reply = await post(await start(), path)
    assert reply.status_code == 400
    assert reply.json()["error"]


async def test_symbols_come_and_go_over_http(start: Start) -> None:
    simulator = await start()
    await post(simulator, "/sim/list?market=usdm&symbol=NEWUSDT")
    await post(simulator, "/sim/delist?market=usdm&symbol=BTCUSDT")
    rows = (await get(simulator, "/usdm/fapi/v1/exchangeInfo")).json()["symbols"]
    states = {row["symbol"]: row["status"] for row in rows}
    assert (states["NEWUSDT"], states["BTCUSDT"]) == ("TRADING", "SETTLING")


async def test_a_symbol_may_have_any_status_and_leave_the_list(start: Start) -> None:
    simulator = await start()

    async def states() -> dict[str, str]:
        rows = (await get(simulator, "/spot/api/v3/exchangeInfo")).json()["symbols"]
        return {row["symbol"]: row["status"] for row in rows}

    await post(simulator, "/sim/list?market=spot&symbol=NEWUSDT&status=BREAK")
    assert (await states())["NEWUSDT"] == "BREAK"
    await post(simulator, "/sim/list?market=spot&symbol=NEWUSDT")
    assert (await states())["NEWUSDT"] == "TRADING"
    assert (await post(simulator, "/sim/remove?market=spot&symbol=NEWUSDT")).status_code == 400
    await post(simulator, "/sim/delist?market=spot&symbol=NEWUSDT")
    assert (await post(simulator, "/sim/remove?market=spot&symbol=NEWUSDT")).status_code == 200
    assert "NEWUSDT" not in await states()
