"""Streams that fall silent although the exchange acknowledged them: named in time, told, and brought back."""

import asyncio
from typing import Any

from fsnats.bus.nats import NatsBus
from fsnats.status import ask
from tests.e2e.client import Client, until
from tests.e2e.conftest import Measure, StartFleet
from tests.e2e.fleet import Fleet

LATEST = 10.0  # seconds: what is promised of a stream that speaks every second
MUCH_LATER = 60.0  # seconds in which a busy machine does what takes 30


def mark(symbol: str) -> str:
    return f"{symbol}usdt@markPrice@1s"


HEALS = {
    mark("btc"): "listing subscriptions",
    mark("eth"): "subscribing again",
    mark("bnb"): "another connection",
    mark("sol"): "another route",
}
HALTED, FLOWS = mark("xrp"), mark("ada")
QUIET, WITNESS = "dogeusdt@aggTrade", "dogeusdt@kline_1m"
ALONE = "btcusdc@aggTrade"  # nothing else of its symbol is read


async def silent(fleet: Fleet) -> dict[str, Any]:
    """What the worker says of silent streams."""
    async with NatsBus([fleet.nats_url], "silence", lambda: 0.0) as bus:
        await bus.connected()
        (answer,) = [each for each in await ask(bus, "_INBOX.silence", 0.5) if each.get("kind") == "ingest"]
    found = answer["silent"]
    assert isinstance(found, dict)
    return found


def gaps(client: Client, stream: str) -> list[dict[str, Any]]:
    """The notices of its silence that a client got of a stream."""
    notices = [each["data"] for each in client.messages if each.get("type") == "gap"]
    return [each for each in notices if each["stream"] == stream and each["reason"] == "silent"]


def connection_of(fleet: Fleet, stream: str) -> int:
    (found,) = [each["id"] for each in fleet.ledger()["connections"] if stream in each["streams"]]
    return int(found)


async def test_silent_streams_are_named_in_time_and_each_step_heals_what_it_is_for(
    start_fleet: StartFleet, measure: Measure
) -> None:
    fleet = start_fleet(markets="usdm", symbols_per_worker=1000, catalogue_refresh=3600)
    btc, eth, bnb, sol = HEALS
    streams = [*HEALS, HALTED, FLOWS, QUIET, WITNESS, ALONE]
    async with Client(f"{fleet.ws}/usdm") as client:
        await client.ask({"type": "subscribe", "rawStreams": streams}, "subscribed")
        for stream in streams:
            await client.delivered(stream, more=2)
        fleet.tell_simulator(f"faults/forget?stream={btc}")
        fleet.tell_simulator(f"faults/silence?stream={eth}")
        fleet.tell_simulator(f"faults/silence?stream={bnb}&coming=true&connection={connection_of(fleet, bnb)}")
        fleet.tell_simulator(f"faults/reroute?stream={sol}&route=public")
        fleet.tell_simulator("faults/silence?stream=!contractInfo")  # nobody tells the supervisor: it has to look
        fleet.tell_simulator("list?market=usdm&symbol=XRPUSDT&status=SETTLING")

        for stream in HEALS:
            await until(lambda: gaps(client, stream), f"{stream} is named")  # noqa: B023
        # Later: asking what is subscribed, for the sake of one that is named, brings back others before they are.
        for stream in (QUIET, ALONE):
            fleet.tell_simulator(f"faults/silence?stream={stream}&coming=true")
        for stream in (QUIET, ALONE):
            await until(lambda: gaps(client, stream), f"{stream} is named")  # noqa: B023
        waited = {stream: gaps(client, stream)[0] for stream in (*HEALS, QUIET, ALONE)}
        named_after = max(each["to"] - each["from"] for each in waited.values()) / 1000
        measure(f"silent streams are named after {named_after:.1f} s")
        assert named_after < LATEST + 5  # a worker that had to wait for the machine's processors looks late
        for stream in HEALS:
            await client.delivered(stream, more=3, within=MUCH_LATER)

        found = await silent(fleet)
        reasons = {each["stream"]: each["reason"] for each in found["streams"]}
        assert reasons == {QUIET: f"{WITNESS} speaks", ALONE: "its symbol is traded"}
        for stream in (QUIET, ALONE):
            fleet.tell_simulator(f"faults/silence?stream={stream}&on=false")
            await client.delivered(stream, within=MUCH_LATER)
        async with asyncio.timeout(MUCH_LATER):
            while (await silent(fleet))["count"]:  # it is looked at every second
                pass
        assert {stream: len(gaps(client, stream)) for stream in HEALS} == dict.fromkeys(HEALS, 1)
        assert gaps(client, HALTED) == gaps(client, FLOWS) == []
    log = fleet.supervisor.said()
    assert all(step in log for step in HEALS.values())
    assert "streams rest: what they are about does not trade" in log
    assert fleet.ledger()["violations"] == []


async def test_a_stream_that_one_of_two_connections_never_brought_comes_by_both_in_the_end(
    start_fleet: StartFleet,
) -> None:
    stream = mark("btc")
    fleet = start_fleet(markets="usdm", redundancy=2)

    def carrying() -> list[dict[str, Any]]:
        return [each for each in fleet.ledger()["connections"] if stream in each["streams"]]

    fleet.tell_simulator(f"faults/silence?stream={stream}&coming=true")
    async with Client(f"{fleet.ws}/usdm") as client:
        await client.ask({"type": "subscribe", "rawStreams": [stream]}, "subscribed")
        await until(lambda: len(carrying()) == 2, "two connections carry it")
        fleet.tell_simulator(f"faults/silence?stream={stream}&on=false&connection={carrying()[0]['id']}")
        await client.delivered(stream)
        assert [stream in each["silent"] for each in carrying()] == [False, True]
        await until(
            lambda: not any(stream in each["silent"] for each in carrying()), "both bring it", within=MUCH_LATER
        )
        await client.delivered(stream, more=2)
        assert gaps(client, stream) == []
    assert "a connection does not bring what another one does" in fleet.supervisor.said()
    assert fleet.ledger()["violations"] == []
