"""Captures are played to clients byte for byte, in order, marked as replayed."""

import asyncio
import contextlib
import json
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from fsnats.binance.streams import Market
from fsnats.captures.check import check, played
from fsnats.captures.files import Reader
from fsnats.captures.lines import Row
from fsnats.frames import CONTINUES
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
    # Clients of different processes: together they listen to everything, each of them to a part.
    fleet = start_fleet(simulator=None, supervisor=None, log_level="warning", gateway_processes=2)
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


@pytest.mark.recorded
async def test_a_replay_that_begins_again_says_so_and_ends_in_order_when_it_is_stopped(
    recordings: Path, start_fleet: StartFleet
) -> None:
    file = recordings / "captures" / "cf.spot.20210814T1446Z.jsonl.gz"
    first = next(message for message in played(check([file])) if message.stream.endswith("@bookTicker"))
    fleet = start_fleet(simulator=None, supervisor=None, log_level="warning")
    process = start_replay(fleet, file, "--speed", "max", "--wait", "first", "--loop")
    await serves(fleet, process)
    async with Client(f"{fleet.ws}/") as client:
        await client.ask({"type": "subscribe", "rawStreams": [first.stream]}, "subscribed")
        gap = await client.reply(lambda each: each.get("type") == "gap", "the beginning of the second round")
        assert (gap["data"]["stream"], gap["data"]["reason"]) == (first.stream, "the replay begins again")
        await until(lambda: client.payloads(first.stream).count(json.loads(first.data)) >= 3, "the third round")
        stop(process)
    assert "messages and" in process.said()
    assert not fleet.pids()


# Capturing.

PATTERNS = ("*@trade", "*@bookTicker", "btcusdt@depth@100ms", "usdm:*@aggTrade", "usdm:!markPrice@arr@1s")
SYMBOLS = "BTCUSDT,ETHUSDT,BNBUSDT"


def start_capture(fleet: Fleet, directory: Path, *arguments: str, name: str = "capture") -> Process:
    return fleet.start(name, "fsnats", "capture", *arguments, "-o", str(directory))


def stop(process: Process) -> None:
    process.signal(signal.SIGINT)
    process.wait()
    assert process.status == 0, process.said()


def status_of(fleet: Fleet, kind: str) -> dict[str, Any]:
    """What a program of this kind answers."""
    asked = subprocess.run(
        [sys.executable, "-P", "-m", "fsnats", "status", "--json"],
        env=fleet.environ(), cwd=fleet.directory, capture_output=True, check=False,
    )  # fmt: skip
    programs = json.loads(asked.stdout)["programs"]
    return next((one for one in programs if one["kind"] == kind), {})


def files_in(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if path.suffix != ".json")


def parts_of(directory: Path) -> set[Path]:
    return set(directory.glob("*.part"))


def size_of(directory: Path) -> int:
    return sum(path.stat().st_size for path in parts_of(directory))


def is_within(part: list[bytes], whole: list[bytes]) -> bool:
    """Whether these came one after the other, nothing between them missing."""
    start = whole.index(part[0])
    return whole[start : start + len(part)] == part


async def capture_for_a_while(fleet: Fleet, directory: Path, live: list[Listener], name: str) -> Process:
    """A capture that has written something, while at least so much came."""
    earlier = parts_of(directory)
    process = start_capture(fleet, directory, *PATTERNS, "--rotate-every", "1", name=name)
    await until(lambda: process.status is None and parts_of(directory) - earlier, "it is written")
    before = [len(listener.texts) for listener in live]
    await until(lambda: all(len(one.texts) > count + 60 for one, count in zip(live, before, strict=True)), "more comes")
    return process


async def test_a_capture_that_is_killed_again_and_again_holds_every_message_and_is_replayed_byte_for_byte(
    start_fleet: StartFleet, tmp_path: Path
) -> None:
    captures = tmp_path / "captures"
    fleet = start_fleet("live", symbols=SYMBOLS, log_level="warning")
    symbols = SYMBOLS.lower().split(",")
    names = {
        Market.SPOT: [*(f"{one}@{kind}" for one in symbols for kind in ("trade", "bookTicker")), "btcusdt@depth@100ms"],
        Market.USDM: [*(f"{one}@aggTrade" for one in symbols), "!markPrice@arr@1s"],
    }
    async with all_of(fleet, {market: {name: [] for name in some} for market, some in names.items()}) as live:
        await until(lambda: all(len(one.by_stream()) == len(names[market]) for market, one in live.items()), "all flow")
        for run in range(4):
            process = await capture_for_a_while(fleet, captures, list(live.values()), f"capture-{run}")
            process.kill() if run < 3 else stop(process)
    assert "finished the file of a capture that was killed" in process.said()
    files = files_in(captures)
    assert not [path for path in files if path.suffix == ".part"]
    checked = check(files)
    assert all(one.is_proved and one.manifest.simulated and not one.manifest.gaps for one in checked)
    assert len({one.manifest.capture for one in checked}) == 4
    assert len(checked) > 4
    wanted = captured(*files)
    for market, listener in live.items():
        came = listener.by_stream()
        assert sorted(wanted[market]) == sorted(names[market])
        assert {name: is_within(payloads, came[name]) for name, payloads in wanted[market].items()} == dict.fromkeys(
            wanted[market], True
        )
    fleet.__exit__(None, None, None)

    second = start_fleet("replay", simulator=None, supervisor=None, log_level="warning")
    process = start_replay(second, captures, "--speed", "max", "--wait", "all")
    await serves(second, process)
    async with all_of(second, wanted) as replayed:
        await ended(process)
        await until(lambda: sum(len(played_texts(one)) for one in replayed.values()) >= total(wanted), "all has come")
    for market, listener in replayed.items():
        assert counts(listener.by_stream()) == counts(wanted[market])
        assert listener.by_stream() == wanted[market]
    assert "notice" not in process.said().partition("replay: ")[0]


async def test_a_full_disk_is_told_and_waited_for_and_nothing_is_lost(start_fleet: StartFleet, tmp_path: Path) -> None:
    captures = tmp_path / "captures"
    fleet = start_fleet(symbols=SYMBOLS, markets="spot")
    process = start_capture(fleet, captures, "*@bookTicker")
    await until(lambda: size_of(captures) > 2000, "it is written")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size_of(captures) + 100, resource.RLIM_INFINITY))
    await until(lambda: "the capture cannot be written" in process.said(), "it says so")
    status = await until(lambda: status_of(fleet, "capture"), "it answers")
    assert status["trouble"] == "File too large"
    await until(lambda: status_of(fleet, "capture")["waiting"] > 50, "lines wait")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await until(lambda: "the capture is written again" in process.said(), "it goes on")
    stop(process)
    (checked,) = check(files_in(captures))
    assert checked.is_proved
    assert checked.manifest.gaps == 0
    assert missing_unsaid(checked.path) == []


async def test_when_nats_dies_nothing_is_missing_from_a_capture_unsaid(start_fleet: StartFleet, tmp_path: Path) -> None:
    captures = tmp_path / "captures"
    fleet = start_fleet(symbols=SYMBOLS, markets="spot")
    process = start_capture(fleet, captures, "*@bookTicker", "*@trade")
    await until(lambda: size_of(captures) > 2000, "it is written")
    fleet.kill("nats-server")
    size = size_of(captures)
    await until(lambda: size_of(captures) > size + 5000, "it goes on", within=60)
    stop(process)
    (file,) = files_in(captures)
    assert check([file])[0].is_proved
    assert missing_unsaid(file) == []


def missing_unsaid(file: Path) -> list[Row]:
    """The lines before which something is missing that no notice tells."""
    newest: dict[str, Row] = {}
    found = []
    for row in Reader(file).rows():
        before = newest.get(row.url)
        continued = (
            before is not None
            and before.seq + 1 == row.seq
            and (before.epoch == row.epoch or bool(row.flags & CONTINUES))
        )
        if row.kind == "ws" and not (before is None or before.kind == "gap" or continued):
            found.append(row)
        newest[row.url] = row
    return found
