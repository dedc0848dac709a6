"""The exchange is asked for what somebody wants, once, and for no longer."""

import signal
from collections.abc import Iterator

import pytest

from fsnats.binance.streams import Market
from tests.e2e.client import Client, until
from tests.e2e.fleet import Fleet, free_port

LINGER = 0.3


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A fleet that leaves streams soon after nobody wants them."""
    with Fleet(tmp_path_factory.mktemp("demand"), linger=LINGER, markets="spot") as fleet:
        yield fleet


@pytest.fixture(autouse=True)
async def quiet(fleet: Fleet) -> None:
    """Each test begins when nothing is wanted any more."""
    await until(lambda: fleet.carries(Market.SPOT), "nothing is carried", within=30)


async def test_nothing_is_asked_of_the_exchange_before_somebody_wants_it(fleet: Fleet) -> None:
    async with Client(f"{fleet.ws}/") as client:
        await client.ask({"type": "ping"}, "pong")
        assert fleet.carries(Market.SPOT)


async def test_two_intervals_of_one_symbol_are_two_streams(fleet: Fleet) -> None:
    async with Client(f"{fleet.ws}/") as client:
        for interval in ("1m", "5m"):
            request = {"streamType": "kline", "symbols": ["btcusdt"], "options": {"interval": interval}}
            await client.ask({"type": "subscribe", **request}, "subscribed")
        for interval in ("1m", "5m"):
            await client.reply(
                lambda each: each["type"] == "kline" and each["data"]["k"]["i"] == interval,  # noqa: B023
                f"candles of {interval}",
            )
        assert fleet.carries(Market.SPOT, "btcusdt@kline_1m", "btcusdt@kline_5m")


async def test_two_clients_in_two_dialects_share_one_subscription(fleet: Fleet) -> None:
    stream = "btcusdt@depth@100ms"
    async with Client(f"{fleet.ws}/") as native, Client(f"{fleet.ws}/stream?streams={stream}") as binance:
        await native.ask({"type": "subscribe", "rawStreams": [stream]}, "subscribed")
        for client in (native, binance):
            await client.delivered(stream, more=3)
        assert fleet.carries(Market.SPOT, stream)


async def test_stream_is_left_when_its_last_client_leaves(fleet: Fleet) -> None:
    stays, goes = "ethusdt@depth@100ms", "bnbusdt@depth@100ms"
    async with Client(f"{fleet.ws}/stream?streams={stays}") as staying:
        async with Client(f"{fleet.ws}/stream?streams={goes}/{stays}") as leaving:
            await leaving.delivered(goes)
            assert fleet.carries(Market.SPOT, stays, goes)
        await until(lambda: fleet.carries(Market.SPOT, stays), "the stream that nobody wants is left")
        await staying.delivered(stays, more=3)


async def test_unsubscribed_stream_is_left_though_its_client_stays(fleet: Fleet) -> None:
    async with Client(f"{fleet.ws}/ws/btcusdt@depth@100ms") as client:
        await until(lambda: client.messages, "data")
        await client.command("UNSUBSCRIBE", ["btcusdt@depth@100ms"], 1)
        await until(lambda: fleet.carries(Market.SPOT), "the stream is left")
        silent_from = len(client.messages)
        await client.command("SUBSCRIBE", ["btcusdt@kline_1m"], 2)
        await client.reply(lambda each: each.get("e") == "kline", "data of the other stream")
        assert not [each for each in client.messages[silent_from:] if each.get("e") == "depthUpdate"]


async def test_two_gateways_share_one_subscription(fleet: Fleet) -> None:
    stream, port = "solusdt@depth@100ms", free_port()
    other = fleet.serve_gateway(port)
    async with (
        Client(f"{fleet.ws}/stream?streams={stream}") as here,
        Client(f"ws://127.0.0.1:{port}/stream?streams={stream}") as there,
    ):
        for client in (here, there):
            await client.delivered(stream, more=3)
        assert fleet.carries(Market.SPOT, stream)
    other.signal(signal.SIGTERM)
    await until(lambda: fleet.carries(Market.SPOT), "the gateway that stops takes its wishes back", within=6)


async def test_demand_of_a_gateway_that_dies_is_forgotten(fleet: Fleet) -> None:
    alone, shared, port = "xrpusdt@depth@100ms", "adausdt@depth@100ms", free_port()
    other = fleet.serve_gateway(port)
    async with Client(f"{fleet.ws}/stream?streams={shared}") as staying:
        async with Client(f"ws://127.0.0.1:{port}/stream?streams={alone}/{shared}") as client:
            await client.delivered(alone)
            assert fleet.carries(Market.SPOT, alone, shared)
            other.kill()
            await client.closed()
            await until(lambda: fleet.carries(Market.SPOT, shared), "only what the living want is carried", within=30)
        await staying.delivered(shared, more=3)
    assert fleet.ledger()["violations"] == []
