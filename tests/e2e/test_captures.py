"""Captures are played to clients byte for byte, in order, marked as replayed."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from fsnats.binance.streams import Market
from fsnats.captures.check import check, played
from tests.e2e.client import Client, until
from tests.e2e.conftest import Measure, StartFleet
from tests.e2e.fleet import Fleet, Process, get
from tests.e2e.test_replay import Listener, counts, listening

Streams = dict[Market, dict[str, list[bytes]]]


def captured(*files: Path) -> Streams:
    """The payloads by market and stream, in order."""
    found: Streams = {}
    for message in played(check(files)):
        if not message.is_gap:
            found.setdefault(message.market, {}).setdefault(message.stream, []).append(message.data)
    return found


def total(streams: Streams) -> int:
    return sum(len(payloads) for market in streams.values() for payloads in market.values())


def start_replay(fleet: Fleet, *arguments: object, name: str = "replay") -> Process:
    return fleet.start(name, "fsnats", "replay", *map(str, arguments))


async def serves(fleet: Fleet, process: Process) -> None:
    def ready() -> bool:
        assert process.status is None, process.said()
        return get(f"{fleet.http}/readyz")[0] == 200

    await until(ready, "the replay's gateway is ready", within=60)


@contextlib.asynccontextmanager
async def all_of(fleet: Fleet, wanted: Streams) -> AsyncIterator[dict[Market, Listener]]:
    """A client for each market that listens to everything."""
    async with contextlib.AsyncExitStack() as stack:
        yield {
            market: await stack.enter_async_context(
                listening(f"{fleet.ws}/{market}/stream?streams={'/'.join(streams)}")
            )
            for market, streams in wanted.items()
        }


async def ended(process: Process) -> None:
    await until(lambda: process.status is not None, "the replay ends", within=60)
    assert process.status == 0, process.said()


@pytest.mark.recorded
async def test_recordings_of_others_reach_clients_complete_in_order_and_twice_the_same(
    recordings: Path, start_fleet: StartFleet, measure: Measure
) -> None:
    files = sorted((recordings / "captures").glob("cf.*.jsonl.gz"))
    wanted = captured(*files)
    assert list(wanted) == list(Market)
    names = sum(map(len, wanted.values()))
    fleet = start_fleet(simulator=None, supervisor=None, log_level="warning")
    heard = []
    for run in ("first", "second"):
        process = start_replay(fleet, *files, "--speed", "max", "--wait", names, name=run)
        await serves(fleet, process)
        async with all_of(fleet, wanted) as listeners:
            await ended(process)
            # What was written before the gateway said goodbye has arrived, or is on its way.
            await until(
                lambda: sum(len(played_texts(one)) for one in listeners.values()) >= total(wanted), "all has come"
            )
        assert f"{total(wanted):,} messages and 0 notices" in process.said()
        measure(next(line for line in process.said().splitlines() if line.startswith("replay: ")))
        heard.append({market: played_texts(listener) for market, listener in listeners.items()})
        for market, listener in listeners.items():
            got = listener.by_stream()
            assert counts(got) == counts(wanted[market])
            assert got == wanted[market]
    assert heard[0] == heard[1]


def played_texts(listener: Listener) -> list[bytes]:
    """What came, without the goodbye of a gateway that stops."""
    while listener.texts and b"serverShutdown" in listener.texts[-1]:
        listener.texts.pop()
    return listener.texts


@pytest.mark.recorded
async def test_the_first_message_says_that_data_is_replayed_and_stamps_say_when_it_was_received(
    recordings: Path, start_fleet: StartFleet
) -> None:
    file = recordings / "captures" / "cf.usdm.20210722T2225Z.jsonl.gz"
    first = next(message for message in played(check([file])) if message.stream == "sushiusdt@bookTicker")
    fleet = start_fleet(simulator=None, supervisor=None, log_level="warning")
    process = start_replay(fleet, file, "--wait", "first", "--speed", "100")
    await serves(fleet, process)
    async with Client(f"{fleet.ws}/usdm?stamps=1") as client:
        welcome = await client.reply(lambda each: each["type"] == "connection", "the welcome")
        assert (welcome["simulated"], welcome["replayed"]) == (True, True)
        assert "REPLAYED DATA" in process.said()
        await client.ask({"type": "subscribe", "rawStreams": ["sushiusdt@bookTicker"], "snapshot": False}, "subscribed")
        message = await client.reply(lambda each: each.get("stream") == "sushiusdt@bookTicker", "the first message")
    assert message["stamps"]["received"] == first.received_ns
    assert message["stamps"]["published"] > first.received_ns


@pytest.mark.recorded
async def test_who_reads_slowly_gets_everything_at_any_speed(recordings: Path, start_fleet: StartFleet) -> None:
    file = recordings / "captures" / "hb.spot.ethusdt.20240808.jsonl.gz"
    wanted = captured(file)
    fleet = start_fleet(simulator=None, supervisor=None, log_level="warning")
    process = start_replay(fleet, file, "--wait", "all", "--speed", "max")
    await serves(fleet, process)
    url = f"{fleet.ws}/spot/stream?streams={'/'.join(wanted[Market.SPOT])}"
    with socket.socket() as narrow:
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)  # the kernel is to keep little for it
        narrow.connect(("127.0.0.1", fleet.gateway_port))
        narrow.setblocking(False)
        async with connect(url, sock=narrow, proxy=None, compression=None, create_connection=Listener) as listener:
            assert isinstance(listener, Listener)

            async def dawdle() -> None:
                while True:
                    for move in (listener.transport.pause_reading, listener.transport.resume_reading):
                        move()
                        await asyncio.sleep(0.05)

            dawdling = asyncio.create_task(dawdle())
            await ended(process)
            dawdling.cancel()
            listener.transport.resume_reading()
            await until(lambda: len(played_texts(listener)) >= total(wanted), "all has come")
    assert counts(listener.by_stream()) == counts(wanted[Market.SPOT])
    assert listener.by_stream() == wanted[Market.SPOT]
