import asyncio
import json

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fsnats.binance.streams import Market
from tests.conftest import eventually
from tests.workers.simulator.conftest import Dial, Start

DEPTH = "btcusdt@depth@100ms"
COMBINED = f"/stream?streams={DEPTH}"


async def test_a_half_open_connection_stays_and_does_nothing(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, COMBINED) as client:
        await client.event()
        simulator.faults.half_open()
        while await client.next_within(0.3) is not None:
            pass  # what was on its way
        await client.socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": 1}))
        await client.socket.ping()
        assert await client.next_within(0.5) is None
        client.socket.transport.abort()
    await eventually(lambda: not simulator.connected())


async def test_what_a_stall_held_back_comes_in_one_burst_without_a_hole(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, COMBINED) as client:
        last = (await client.event())["data"]["u"]
        simulator.faults.stall(1.0)
        while (event := await client.next_within(0.4)) is not None:
            last = event["data"]["u"]
        burst = [(await client.event())["data"] for _ in range(6)]
        for data in burst:
            assert data["U"] == last + 1
            last = data["u"]


async def test_a_connection_that_lags_is_behind_another(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, COMBINED) as slow, dial(simulator, Market.SPOT, COMBINED) as fast:
        await slow.event()
        simulator.faults.lag(500, connection=min(simulator.connected()))
        await asyncio.sleep(1)
        newest = {}
        for client in (slow, fast):
            while (event := await client.next_within(0.02)) is not None:
                newest[client] = event["data"]["u"]
        assert newest[slow] < newest[fast]


@pytest.mark.parametrize("path", [COMBINED, f"/ws/{DEPTH}"])
async def test_a_shutdown_is_announced_in_the_connections_form_and_happens(start: Start, dial: Dial, path: str) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, path) as client:
        simulator.faults.shutdown(0.3)
        while True:
            message = await client.event()
            event = message["data"] if path == COMBINED else message
            if event["e"] == "serverShutdown":
                break
        assert ("stream" in message) == (path == COMBINED)
        if path == COMBINED:
            assert message["stream"] == "!serverShutdown"
        assert (await client.ended())[0] == 1001


async def test_a_silenced_stream_is_acknowledged_and_silent_until_it_speaks_again(start: Start, dial: Dial) -> None:
    simulator = await start()
    simulator.faults.silence(DEPTH, coming=True)
    async with dial(simulator, Market.SPOT, "/stream") as client:
        assert await client.ask("SUBSCRIBE", DEPTH) == {"result": None, "id": 1}
        assert await client.next_within(0.5) is None
        assert (await client.ask("LIST_SUBSCRIPTIONS"))["result"] == [DEPTH]
        assert simulator.faults.silence(DEPTH, on=False) == 1
        assert (await client.event())["stream"] == DEPTH
        assert simulator.faults.silence(DEPTH) == 1
        while await client.next_within(0.3) is not None:
            pass
        assert simulator.faults.silence("ethusdt@trade") == 0


async def test_a_stream_that_is_subscribed_again_speaks_unless_its_silence_lasts(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, COMBINED) as client:
        await client.event()
        for lasting in (False, True):
            simulator.faults.silence(DEPTH, connection=min(simulator.connected()), coming=lasting)
            await client.ask("UNSUBSCRIBE", DEPTH)
            await client.ask("SUBSCRIBE", DEPTH)
            assert (await client.next_within(0.5) is None) == lasting
    async with dial(simulator, Market.SPOT, COMBINED) as client:
        assert (await client.event())["stream"] == DEPTH


async def test_a_forgotten_subscription_is_not_listed_and_can_be_made_again(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, COMBINED) as client:
        await client.event()
        assert simulator.faults.forget(DEPTH) == 1
        while await client.next_within(0.3) is not None:
            pass  # what was on its way
        assert (await client.ask("LIST_SUBSCRIPTIONS"))["result"] == []
        assert simulator.faults.forget(DEPTH) == 0
        await client.ask("SUBSCRIBE", DEPTH)
        assert (await client.event())["stream"] == DEPTH


async def test_a_stream_that_moved_is_served_on_its_new_route_alone(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with (
        dial(simulator, Market.USDM, f"/public{COMBINED}") as before,
        dial(simulator, Market.USDM, f"/market{COMBINED}") as after,
    ):
        await before.event()
        assert simulator.faults.reroute(DEPTH, "market") == 2
        assert (await after.event())["stream"] == DEPTH
        while await before.next_within(0.3) is not None:
            pass  # what was on its way
        simulator.faults.reroute(DEPTH)
        assert (await before.event())["stream"] == DEPTH


async def test_where_it_may_not_serve_it_answers_451(start: Start, dial: Dial) -> None:
    simulator = await start()
    simulator.faults.legal()
    with pytest.raises(InvalidStatus) as refused:
        async with dial(simulator, Market.SPOT, COMBINED):
            pass
    assert refused.value.response.status_code == 451
    async with httpx.AsyncClient(trust_env=False) as client:
        reply = await client.get(f"{simulator.rest_url(Market.SPOT)}/api/v3/ping")
        assert (reply.status_code, reply.json()["code"]) == (451, 0)
        assert "restricted location" in reply.json()["msg"]
        simulator.faults.legal(False)
        simulator.faults.limit_rest(30)
        reply = await client.get(f"{simulator.rest_url(Market.SPOT)}/api/v3/ping")
        assert (reply.status_code, reply.headers["Retry-After"], reply.json()["code"]) == (429, "30", -1003)


@pytest.mark.parametrize("status", [403, 418, 429])
async def test_handshakes_can_be_too_many_while_rest_answers(start: Start, dial: Dial, status: int) -> None:
    simulator = await start()
    simulator.faults.limit_dials(30, status)
    with pytest.raises(InvalidStatus) as refused:
        async with dial(simulator, Market.SPOT, COMBINED):
            pass
    assert (refused.value.response.status_code, refused.value.response.headers["Retry-After"]) == (status, "30")
    simulator.faults.limit_rest(30, 403, ip="127.0.0.9")
    async with httpx.AsyncClient(trust_env=False) as client:
        ping = f"{simulator.rest_url(Market.SPOT)}/api/v3/ping"
        assert (await client.get(ping)).status_code == 200
        simulator.faults.limit_rest(30, 403)
        reply = await client.get(ping)
        assert (reply.status_code, "{" in reply.text) == (403, False)
    assert simulator.ledger.callers == {"127.0.0.1": 2}


async def test_garbage_is_sent_and_the_connection_goes_on(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, "/stream") as client:
        for kind in ("json", "html", "binary", "event"):
            simulator.faults.garbage(kind)
        got = [await client.socket.recv() for _ in range(4)]
        assert [type(each) for each in got] == [str, str, bytes, str]
        simulator.faults.garbage("large")
        with pytest.raises(ConnectionClosed):  # this client takes 1 MiB at most
            await client.socket.recv()


async def test_a_judge_reads_who_the_events_were(start: Start, dial: Dial) -> None:
    simulator = await start(judged=True)
    async with dial(simulator, Market.SPOT, COMBINED) as client:
        data = (await client.event())["data"]
    url = f"http://127.0.0.1:{simulator.port}/sim/ledger/events"
    async with httpx.AsyncClient(trust_env=False) as http:
        page = (await http.get(url, params={"market": "spot", "stream": DEPTH})).json()
        assert f"{data['U']}-{data['u']}" in [event[1][0] for event in page["events"]]
        await asyncio.sleep(0.3)  # nobody listens, and yet it happens
        later = (await http.get(url, params={"market": "spot", "stream": DEPTH, "after": page["next"]})).json()
        assert later["first"] == page["next"]
        assert later["events"]
        assert (await http.get(url, params={"market": "moon"})).status_code == 400
