"""A real client against a real server: framings, routes, and every limit."""

import asyncio
import json
import socket

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from fsnats.binance.streams import Market
from tests.clock import HandClock
from tests.conftest import eventually
from tests.workers.simulator.conftest import Dial, Start
from workers.simulator.server import Simulator


def limits(simulator: Simulator) -> list[str]:
    return [violation.limit for violation in simulator.ledger.violations]


async def test_the_handshake_says_that_it_is_simulated(start: Start) -> None:
    simulator = await start()
    async with connect(simulator.ws_url(Market.SPOT) + "/ws") as client:
        assert client.response is not None
        assert client.response.headers["X-Fsnats-Simulated"] == "true"


async def test_bare_connections_get_payloads_and_combined_ones_name_the_stream(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with (
        dial(simulator, Market.SPOT, "/ws/btcusdt@trade") as bare,
        dial(simulator, Market.SPOT, "/stream?streams=btcusdt@trade") as combined,
    ):
        assert (await bare.event())["e"] == "trade"
        event = await combined.event()
        assert (event["stream"], event["data"]["e"]) == ("btcusdt@trade", "trade")


async def test_the_framing_can_be_changed(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, "/ws/btcusdt@depth5@100ms") as client:
        assert "lastUpdateId" in await client.event()
        assert await client.ask("SET_PROPERTY", "combined", True) == {"result": None, "id": 1}
        assert (await client.event())["stream"] == "btcusdt@depth5@100ms"
        assert (await client.ask("GET_PROPERTY", "combined"))["result"] is True


async def test_times_are_in_microseconds_for_who_asks(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, "/ws/btcusdt@trade?timeUnit=MICROSECOND") as client:
        assert (await client.event())["E"] > 10**15


async def test_a_stream_is_delivered_once_however_often_it_is_subscribed(
    start: Start, dial: Dial, clock: HandClock
) -> None:
    simulator = await start(clock)
    async with dial(simulator, Market.SPOT, "/ws/btcusdt@miniTicker") as client:
        await client.ask("SUBSCRIBE", "btcusdt@miniTicker")
        await clock.advance(3)
        times = [(await client.event())["E"] for _ in range(3)]
        assert len(set(times)) == 3
        assert simulator.ledger.subscribers(Market.SPOT, "btcusdt@miniTicker") == 1


async def test_after_the_acknowledgement_of_leaving_nothing_comes(start: Start, dial: Dial, clock: HandClock) -> None:
    simulator = await start(clock)
    async with dial(simulator, Market.SPOT, "/ws/btcusdt@miniTicker") as client:
        await client.ask("UNSUBSCRIBE", "btcusdt@miniTicker")
        await clock.advance(5)
        assert (await client.ask("LIST_SUBSCRIPTIONS", id=9)) == {"result": [], "id": 9}
        assert simulator.ledger.produced() == 0


async def test_rubbish_is_acknowledged_listed_and_silent(start: Start, dial: Dial, clock: HandClock) -> None:
    simulator = await start(clock)
    names = ["nosuchusdt@trade", "BTCUSDT@trade", "btcusdt@invented", "btcusdt@depth20@250ms"]
    async with dial(simulator, Market.SPOT, "/stream") as client:
        assert await client.ask("SUBSCRIBE", *names) == {"result": None, "id": 1}
        assert (await client.ask("LIST_SUBSCRIPTIONS"))["result"] == names
        await clock.advance(5)
        assert simulator.ledger.produced() == 0
        (connection,) = simulator.ledger.connections.values()
        assert list(connection.silent) == names[1:]  # the first could be listed any moment


@pytest.mark.parametrize(
    ("route", "heard"),
    [("/public", "btcusdt@depth5@100ms"), ("/market", "btcusdt@kline_1m"), ("", "btcusdt@depth5@100ms")],
)
async def test_usdm_is_silent_on_the_wrong_route(
    start: Start, dial: Dial, clock: HandClock, route: str, heard: str
) -> None:
    simulator = await start(clock)
    async with dial(simulator, Market.USDM, f"{route}/stream") as client:
        reply = await client.ask("SUBSCRIBE", "btcusdt@depth5@100ms", "btcusdt@kline_1m")
        assert reply == {"result": None, "id": 1}
        await clock.advance(2)
        delivered = {name for (_, name), events in simulator.ledger.events.items() if events.produced}
        assert delivered == {heard}


async def test_the_stream_after_the_last_allowed_loses_the_connection(start: Start, dial: Dial) -> None:
    simulator = await start(request_bytes_max=100_000)
    names = [f"s{index}usdt@trade" for index in range(1024)]
    async with dial(simulator, Market.USDM, "/market/ws") as client:
        assert await client.ask("SUBSCRIBE", *names) == {"result": None, "id": 1}
        reply = await client.ask("SUBSCRIBE", "one@trade", id=19)
        assert reply == {"error": {"code": 4, "msg": "Too many subscriptions"}, "id": 19}
        assert await client.ended() == (1008, "Invalid request")
    assert limits(simulator) == ["streams"]


async def test_too_many_streams_in_the_url_as_well(start: Start, dial: Dial) -> None:
    simulator = await start(streams_per_connection=2)
    async with dial(simulator, Market.SPOT, "/stream?streams=a@trade/b@trade/c@trade") as client:
        assert await client.ended() == (1008, "Invalid request")
    assert limits(simulator) == ["streams"]


@pytest.mark.parametrize(("market", "allowed"), [(Market.SPOT, 5), (Market.COINM, 10)])
async def test_messages_within_a_second_are_limited(
    start: Start, dial: Dial, clock: HandClock, market: Market, allowed: int
) -> None:
    simulator = await start(clock)
    async with dial(simulator, market, "/ws") as client:
        for _ in range(2):
            for _ in range(allowed):
                await client.ask("LIST_SUBSCRIPTIONS")
            assert limits(simulator) == []
            await clock.advance(1.01)
        for _ in range(allowed + 1):
            await client.socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        assert await client.ended() == (1008, "Too many requests")
    assert limits(simulator) == ["messages"]


async def test_pings_and_pongs_count_as_messages(start: Start, dial: Dial, clock: HandClock) -> None:
    simulator = await start(clock)
    async with dial(simulator, Market.SPOT, "/ws") as client:
        for _ in range(2):
            await client.socket.pong()
            await (await client.socket.ping())
        assert limits(simulator) == []
        await client.socket.pong()
        await client.socket.pong()
        assert await client.ended() == (1008, "Too many requests")
    assert limits(simulator) == ["messages"]


async def test_a_long_request_is_noted(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, "/ws") as client:
        await client.ask("SUBSCRIBE", *(f"symbol{index}usdt@trade" for index in range(200)))
    assert limits(simulator) == ["request_bytes"]


async def test_a_binary_message_closes(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, "/ws") as client:
        await client.socket.send(b"\x00")
        assert await client.ended() == (1008, "Invalid request")


async def test_invalid_json_disconnects_on_futures_only(start: Start, dial: Dial) -> None:
    simulator = await start()
    error = {"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}}
    async with dial(simulator, Market.COINM, "/ws") as client:
        await client.socket.send("hello")
        assert await client.reply() == error
        assert await client.ended() == (1008, "Invalid request")
    async with dial(simulator, Market.SPOT, "/ws") as client:
        await client.socket.send("hello")
        assert await client.reply() == error
        assert "result" in await client.ask("LIST_SUBSCRIPTIONS")


async def test_dials_are_limited_by_status(start: Start, dial: Dial, clock: HandClock) -> None:
    simulator = await start(clock, dials=2, dials_span=300.0)
    for _ in range(2):
        async with dial(simulator, Market.SPOT, "/ws"):
            pass
    with pytest.raises(InvalidStatus) as refused:
        async with dial(simulator, Market.SPOT, "/ws"):
            pass
    assert refused.value.response.status_code == 429
    assert limits(simulator) == ["dials"]
    async with dial(simulator, Market.USDM, "/ws"):
        pass


@pytest.mark.parametrize(("path", "status"), [("/nosuch", 404), ("/ws/" + "x" * 16_100, 414)])
async def test_urls_that_are_refused(start: Start, dial: Dial, path: str, status: int) -> None:
    simulator = await start()
    with pytest.raises(InvalidStatus) as refused:
        async with dial(simulator, Market.SPOT, path):
            pass
    assert refused.value.response.status_code == status
    assert refused.value.response.headers["X-Fsnats-Simulated"] == "true"


async def test_a_client_that_answers_pings_lives_on(start: Start, dial: Dial, clock: HandClock) -> None:
    simulator = await start(clock)
    async with dial(simulator, Market.SPOT, "/ws") as client:
        for answered in range(1, 5):
            await clock.advance(20.1)
            await eventually(lambda: next(iter(simulator.ledger.connections.values())).received == answered)  # noqa: B023
        assert "result" in await client.ask("LIST_SUBSCRIPTIONS")
    assert limits(simulator) == []


@pytest.mark.parametrize(
    ("market", "path", "deadline"), [(Market.SPOT, "/spot/ws", 80), (Market.USDM, "/usdm/ws", 780)]
)
async def test_a_client_that_does_not_answer_pings_is_ended(
    start: Start, clock: HandClock, market: Market, path: str, deadline: float
) -> None:
    simulator = await start(clock)
    reader, writer = await asyncio.open_connection("127.0.0.1", simulator.port)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    await clock.advance(deadline - 1)
    assert limits(simulator) == []
    await clock.advance(2)
    assert limits(simulator) == ["pong"]
    sent = await reader.readuntil(b"Pong timeout")
    assert sent[0] == 0x89  # a ping …
    assert sent[2:15].isdigit()  # … that carries the time in milliseconds
    writer.close()
    await writer.wait_closed()


async def test_a_life_ends_after_a_day(start: Start, dial: Dial, clock: HandClock) -> None:
    simulator = await start(clock, ping_interval=1e9, tick=60.0)
    async with dial(simulator, Market.SPOT, "/ws") as client:
        await clock.advance(86_300)
        assert "result" in await client.ask("LIST_SUBSCRIPTIONS")
        await clock.advance(200)
        assert (await client.ended())[0] == 1001


async def test_a_reader_that_lags_is_cut(start: Start, clock: HandClock) -> None:
    simulator = await start(clock, buffer_bytes_max=100_000)
    reader = socket.create_connection(("127.0.0.1", simulator.port))
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.sendall(
        b"GET /spot/stream?streams=!miniTicker@arr HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await eventually(lambda: simulator.ledger.connections)
    for _ in range(3000):
        await clock.advance(1)
        if simulator.ledger.closed:
            break
    (record,) = simulator.ledger.closed
    assert record.ended == "slow reader"
    reader.close()


async def test_the_ledger_remembers_how_connections_ended(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, "/ws/btcusdt@trade") as client:
        await client.event()
    await eventually(lambda: not simulator.ledger.connections)
    (record,) = simulator.ledger.closed
    assert (record.ended, list(record.streams)) == ("client", ["btcusdt@trade"])
    assert record.sent > 0
    assert simulator.hub.channels == {}


async def test_non_ascii_names_work_in_requests_and_urls(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, "/ws/%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@depth5@100ms") as client:
        assert "lastUpdateId" in await client.event()
    async with dial(simulator, Market.USDM, "/market/stream") as client:
        await client.ask("SUBSCRIBE", "人生k线usdt@kline_1m")
        event = await client.event()
        assert (event["stream"], event["data"]["s"]) == ("人生k线usdt@kline_1m", "人生K线USDT")


async def test_http_and_websockets_share_the_port(start: Start) -> None:
    simulator = await start()
    async with httpx.AsyncClient(trust_env=False) as http, connect(simulator.ws_url(Market.SPOT) + "/ws") as client:
        assert (await http.get(simulator.rest_url(Market.SPOT) + "/api/v3/ping")).json() == {}
        await client.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        assert json.loads(await client.recv()) == {"result": [], "id": 1}
