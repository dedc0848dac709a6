"""Clients that come back to another gateway, or begin with what was, miss nothing and get nothing twice."""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.client import Client, until
from tests.e2e.conftest import Measure
from tests.e2e.fleet import Fleet, free_port

_STREAMS = ("btcusdt@aggTrade", "btcusdt@trade", "btcusdt@kline_1s")
_CLIENTS = 4
_KILLS = int(os.environ.get("FSNATS_TEST_KILLS", "4"))  # the soak has twenty


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with Fleet(tmp_path_factory.mktemp("resume"), markets="spot", symbols="BTCUSDT,ETHUSDT") as running:
        yield running


def _data(client: Client) -> list[tuple[str, int, int, Any]]:
    """Stream, epoch, sequence and payload of every message."""
    return [(each["stream"], each["epoch"], each["seq"], each["data"]) for each in client.messages if "seq" in each]


class Resuming:
    """A client that remembers where it is, and comes back there."""

    def __init__(self) -> None:
        self.client: Client | None = None
        self.seen: dict[str, list[tuple[int, int, Any]]] = {name: [] for name in _STREAMS}
        self.resumed: list[Any] = []

    async def read(self, url: str, gone: asyncio.Event) -> None:
        """Read at this gateway until it is gone."""
        places = {name: seen[-1] for name, seen in self.seen.items() if seen}
        async with Client(f"{url}/?seq=1") as client:
            self.client = client
            resume = {name: {"epoch": epoch, "seq": seq} for name, (epoch, seq, _) in places.items()}
            await client.send({"type": "subscribe", "rawStreams": list(_STREAMS), "resume": resume, "snapshot": False})
            await gone.wait()
            await client.closed()
            for stream, epoch, seq, payload in _data(client):
                self.seen[stream].append((epoch, seq, payload))
            self.resumed += [each for each in client.messages if each.get("type") == "resumed"]

    def flows(self) -> bool:
        """Whether everything flows at the gateway where it is now."""
        if self.client is None or not self.client.is_open:
            return False
        live = [stream for stream, *_ in _data(self.client)]
        return all(live.count(name) > 2 for name in _STREAMS)

    def streams_of(self) -> dict[str, list[int]]:
        return {name: [seq for _, seq, _ in seen] for name, seen in self.seen.items()}


async def test_kill_of_a_gateway_costs_clients_that_resume_nothing(fleet: Fleet, measure: Measure) -> None:
    ports = [free_port(), free_port()]
    gateways = [fleet.serve_gateway(port) for port in ports]
    clients = [Resuming() for _ in range(_CLIENTS)]
    turn = 0
    for number in range(_KILLS + 1):
        url, gone = f"ws://127.0.0.1:{ports[turn]}", asyncio.Event()
        before = {id(client): len(client.seen[_STREAMS[0]]) for client in clients}
        async with asyncio.TaskGroup() as tasks:
            for client in clients:
                tasks.create_task(client.read(url, gone))
            await until(lambda: all(client.flows() for client in clients), "every stream flows to every client")
            if number < _KILLS:
                gateways[turn].kill()
            else:
                gateways[turn].signal(15)
            gone.set()
        assert all(len(client.seen[_STREAMS[0]]) > before[id(client)] for client in clients)
        gateways[turn].wait()
        if number < _KILLS - 1:
            gateways[turn] = fleet.serve_gateway(ports[turn])
        turn = 1 - turn
    for client in clients:
        assert all(each["recovered"] for each in client.resumed), client.resumed
        assert len(client.resumed) == _KILLS * len(_STREAMS)
        for name, numbers in client.streams_of().items():
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), name
        ids = [payload["a"] for _, _, payload in client.seen["btcusdt@aggTrade"]]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
    total = sum(len(seen) for client in clients for seen in client.seen.values())
    recovered = sum(each["missed"] for client in clients for each in client.resumed)
    measure(
        f"{_KILLS} kills of a gateway, {_CLIENTS} clients: {total} messages, {recovered} recovered, 0 lost or twice"
    )


@pytest.mark.parametrize("stream", ["ethusdt@aggTrade", "ethusdt@trade"])
async def test_history_of_trades_goes_over_into_live_without_a_seam(fleet: Fleet, stream: str) -> None:
    async with Client(fleet.ws) as client:
        await client.send({"type": "subscribe", "rawStreams": [stream], "history": 20})
        end = await client.reply(lambda each: each.get("type") == "historyEnd", "the end of history")
        before = len(client.payloads(stream))
        await until(lambda: len(client.payloads(stream)) > before + 5, "live trades")
    data = [each for each in client.messages if each.get("stream") == stream and "data" in each]
    past = [each.get("history", False) for each in data]
    assert past == [True] * end["count"] + [False] * (len(past) - end["count"])
    field = "a" if stream.endswith("aggTrade") else "t"
    ids = [each["data"][field] for each in data]
    assert end["count"] == 20
    assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_history_of_candles_ends_where_live_begins(fleet: Fleet) -> None:
    async with Client(fleet.ws) as client:
        subscription = {"streamType": "kline", "symbols": ["ethusdt"], "options": {"interval": "1s"}, "history": 50}
        await client.send({"type": "subscribe", **subscription})
        end = await client.reply(lambda each: each.get("type") == "historyEnd", "the end of history")
        assert end["count"] == 50
        count = len(client.messages)
        await until(lambda: len(client.messages) > count + 8, "live candles")
    bars = [(each["data"]["k"]["t"], each["data"]["k"]["x"]) for each in client.messages if each.get("type") == "kline"]
    closed = [start for start, is_closed in bars if is_closed]
    assert closed == list(range(closed[0], closed[0] + 1000 * len(closed), 1000))
    assert [start for start, _ in bars] == sorted(start for start, _ in bars)


async def test_the_newest_value_of_a_state_is_there_at_once(fleet: Fleet) -> None:
    stream = "ethusdt@ticker"
    async with Client(fleet.ws) as first:
        await first.send({"type": "subscribe", "rawStreams": [stream]})
        await first.delivered(stream)
        async with Client(fleet.ws) as second:
            await second.send({"type": "subscribe", "rawStreams": [stream]})
            newest = await second.reply(lambda each: each.get("stream") == stream, "a value")
            assert newest["snapshot"]
            assert newest["data"]["s"] == "ETHUSDT"
        async with Client(fleet.ws) as third:
            await third.send({"type": "subscribe", "rawStreams": [stream], "snapshot": False})
            assert "snapshot" not in await third.reply(lambda each: each.get("stream") == stream, "a value")


async def test_a_gateway_that_was_just_started_has_the_newest_values_too(fleet: Fleet) -> None:
    stream, port = "btcusdt@ticker", free_port()
    async with Client(fleet.ws) as first:
        await first.send({"type": "subscribe", "rawStreams": [stream]})
        await first.delivered(stream, 2)
        gateway = fleet.serve_gateway(port)
        try:
            async with Client(f"ws://127.0.0.1:{port}") as second:
                await second.send({"type": "subscribe", "rawStreams": [stream, "btcusdt@trade"]})
                newest = await second.reply(lambda each: each.get("stream") == stream, "a value")
                assert newest.get("snapshot") or newest["data"]["E"], "live, where that was quicker"
                trade = await second.reply(lambda each: each.get("stream") == "btcusdt@trade", "a trade")
                assert "snapshot" not in trade, "events have no snapshot"
        finally:
            gateway.kill()


async def test_stamps_tell_when_a_message_was_where(fleet: Fleet) -> None:
    stream = "btcusdt@aggTrade"

    def hops(client: Client) -> list[int]:
        """The times of a message in nanoseconds; nothing before the offset of the exchange's clock is known."""
        stamps = next((each["stamps"] for each in reversed(client.messages) if "stamps" in each), None)
        if stamps is None or stamps["offset"] is None:
            return []
        event = int((stamps["event"] - stamps["offset"]) * 1_000_000)
        return [event, *(stamps[hop] for hop in ("received", "published", "gateway", "sent"))]

    async with Client(f"{fleet.ws}/?stamps=1") as client:
        await client.send({"type": "subscribe", "rawStreams": [stream]})
        event, *ours = await until(lambda: hops(client), "stamps with an offset", within=30)
    assert ours == sorted(ours)
    assert abs(ours[0] - event) < 2_000_000_000
