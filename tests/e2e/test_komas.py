"""The Komas module's REST over two gateways that know nothing of each other; its document: test_seed_003.py."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from fsnats.binance.streams import Market
from tests.e2e.fleet import Fleet, free_port, get, wait_for


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("komas")
    with Fleet(directory, markets="spot,usdm", symbols="BTCUSDT,ETHUSDT,BNBUSDT", linger=0) as running:
        yield running


def curl(fleet: Fleet, line: str, port: int = 0) -> Any:
    """What a line of curl is answered, with nothing changed but where the server is."""
    line = line.replace("http://localhost:8000", f"http://127.0.0.1:{port or fleet.gateway_port}")
    done = subprocess.run(["bash", "-c", f"{line} -s --noproxy '*'"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def post(path: str, body: object = None) -> str:
    data = f" -H 'Content-Type: application/json' -d '{json.dumps(body)}'" if body is not None else ""
    return f"curl -X POST 'http://localhost:8000/api/ws/{path}'{data}"


def seen(path: str) -> str:
    return f"curl 'http://localhost:8000/api/ws/{path}'"


def test_what_is_subscribed_flows_and_is_told_until_it_is_unsubscribed(fleet: Fleet) -> None:
    assert curl(fleet, post("connect"))["state"] == "connected"
    told = curl(fleet, post("subscribe", {"symbols": ["BTCUSDT", "ETHUSDT"], "stream_type": "ticker"}))
    assert [each["stream_id"] for each in told["streams"]] == ["spot:btcusdt@ticker", "spot:ethusdt@ticker"]
    wait_for(lambda: fleet.carries(Market.SPOT, "btcusdt@ticker", "ethusdt@ticker"), "both are subscribed upstream")
    wait_for(lambda: curl(fleet, seen("prices"))["count"] == 2, "both have a price")
    status = curl(fleet, seen("status"))
    assert (status["state"], status["connected"], status["subscriptions"]) == ("connected", True, 2)
    assert status["streams"] == ["btcusdt@ticker", "ethusdt@ticker"]
    assert status["cached_prices"] == 2
    assert status["last_message"] > 0
    assert {each["status"] for each in status["connections"]} == {"connected"}
    price = curl(fleet, seen("prices?symbols=BTCUSDT"))["prices"]["BTCUSDT"]
    assert (price["type"], price["symbol"]) == ("ticker", "BTCUSDT")

    assert curl(fleet, post("unsubscribe", {"symbols": ["ETHUSDT"], "stream_type": "ticker"}))["unsubscribed"] == [
        "ethusdt@ticker"
    ]
    wait_for(lambda: fleet.carries(Market.SPOT, "btcusdt@ticker"), "one is left")
    assert curl(fleet, post("unsubscribe", {"stream_ids": ["spot:btcusdt@ticker"]}))["success"] is True
    wait_for(lambda: fleet.carries(Market.SPOT), "none is left")


def test_the_quick_start_says_where_events_are_and_the_quick_stop_holds_nothing_more(fleet: Fleet) -> None:
    told = curl(fleet, post("quick/start-prices?symbols=BTCUSDT,ETHUSDT"))
    assert told["sse_url"] == "/api/ws/sse/prices?symbols=BTCUSDT,ETHUSDT"
    wait_for(lambda: fleet.carries(Market.SPOT, "btcusdt@ticker", "ethusdt@ticker"), "both are subscribed upstream")
    assert curl(fleet, post("quick/stop"))["state"] == "disconnected"
    wait_for(lambda: fleet.carries(Market.SPOT), "nothing is held")
    assert curl(fleet, seen("streams"))["count"] == 2
    assert len(curl(fleet, post("unsubscribe-all"))["unsubscribed"]) == 2
    assert curl(fleet, seen("streams"))["count"] == 0


def test_todays_logs_are_where_the_seed_says(fleet: Fleet) -> None:
    told = curl(fleet, "curl http://localhost:8000/api/logs/today")
    assert {"supervisor", "ingest-spot-0", "gateway"} <= set(told["programs"])
    assert told["count"] == len(told["entries"]) > 0
    assert "gateway.listening" in {entry["event"] for entry in told["entries"]}


def test_sessions_hold_no_more_streams_together_than_one_connection_may(fleet: Fleet) -> None:
    port = free_port()
    small = fleet.serve_gateway(port, gateway_streams=2)
    curl(fleet, post("subscribe?session=first", {"symbols": ["BTCUSDT", "ETHUSDT"]}), port)
    assert curl(fleet, post("subscribe?session=second", {"symbols": ["BTCUSDT"]}), port)["success"] is True
    problem = curl(fleet, post("subscribe?session=second", {"symbols": ["BNBUSDT"]}), port)
    assert (problem["status"], problem["detail"]) == (429, "all sessions would hold 3 streams, and may hold 2")
    for session in ("first", "second"):
        curl(fleet, post(f"unsubscribe-all?session={session}"), port)
    small.kill()


def test_pins_hold_at_every_gateway_and_over_restarts_and_sessions_do_not_touch_each_other(fleet: Fleet) -> None:
    port = free_port()
    other = fleet.serve_gateway(port)
    curl(fleet, post("subscribe?session=mine", {"symbols": ["BTCUSDT"], "stream_type": "kline", "interval": "5m"}))
    curl(fleet, post("subscribe?session=yours", {"symbols": ["BNBUSDT"], "stream_type": "mark_price"}), port)
    for where in (fleet.gateway_port, port):
        wait_for(lambda where=where: curl(fleet, seen("streams?session=mine"), where)["count"] == 1, "it is known")  # type: ignore[misc]
    curl(fleet, post("disconnect?session=mine"), port)
    wait_for(lambda: fleet.carries(Market.SPOT), "mine is held no more")
    assert fleet.subscribed(Market.USDM) == ["bnbusdt@markPrice@1s"]

    other.kill()
    fleet.kill("gateway")
    wait_for(lambda: get(f"{fleet.http}/readyz")[0] == 200, "the gateway is back")
    wait_for(lambda: curl(fleet, seen("streams?session=yours"))["count"] == 1, "what was pinned is known")
    assert curl(fleet, seen("status?session=mine"))["state"] == "disconnected"
    curl(fleet, post("unsubscribe-all?session=yours"))
    curl(fleet, post("unsubscribe-all?session=mine"))
    wait_for(lambda: fleet.carries(Market.USDM), "nothing is held")


@pytest.mark.parametrize(
    ("line", "status", "named"),
    [
        (post("subscribe", {"symbols": ["BTC_USDT"]}), 400, "did you mean BTCUSDT?"),
        (post("subscribe", {"symbols": ["BTCUSDT"], "stream_type": "candles"}), 400, "allowed: ticker"),
        (post("subscribe", {"symbol": "BTCUSDT"}), 400, "the body"),
        ("curl -X POST 'http://localhost:8000/api/ws/subscribe' -d '{'", 400, "the body"),
        (post("connect?session=a.b"), 400, "session 'a.b'"),
        (seen("connect"), 405, "allowed: POST"),
        (seen("nothing"), 404, "/api/ws/status"),
    ],
)
def test_what_is_wrong_is_a_problem_that_names_it(fleet: Fleet, line: str, status: int, named: str) -> None:
    problem = curl(fleet, line)
    assert problem["status"] == status
    assert named in problem["detail"]
