"""`fsnats tail` against a real NATS server."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator

import msgspec
import pytest

from fsnats import demand, frames
from fsnats.binance.streams import Market
from fsnats.bus.nats import NatsBus
from fsnats.subjects import subject_of
from tests.fsnats.cli.conftest import command, environment, fsnats, line_with, running, until

STREAM = "btcusdt@kline_1m"
PAYLOAD = b'{"e":"kline","s":"BTCUSDT","new":[1.0,  "2"]}'


class Worker:
    """Hears demand and publishes frames, as an ingest worker does."""

    def __init__(self, bus: NatsBus) -> None:
        self._bus = bus
        self.heard: list[demand.Announcement] = []
        bus.subscribe("fsnats.demand.spot", lambda _s, _r, payload: self.heard.append(demand.decode(payload)))

    @property
    def wanted(self) -> list[str]:
        return self.heard[-1].streams if self.heard else []

    def publish(self, seq: int, payload: bytes = PAYLOAD, flags: int = 0) -> None:
        frame = frames.Frame(frames.VERSION, STREAM, 1_700_000_000_000_000_000, 1, seq, flags, payload)
        self._bus.publish(subject_of(Market.SPOT, STREAM), frames.encode(frame))


@pytest.fixture
async def worker(nats_url: str) -> AsyncIterator[Worker]:
    async with NatsBus([nats_url], "test", random.random) as bus:
        await bus.connected()
        worker = Worker(bus)
        await bus.flush()
        yield worker


async def test_frames_are_json_lines_with_the_payload_as_it_was(nats_url: str, worker: Worker) -> None:
    arguments = command("tail", "spot", "BTCUSDT@kline_1m", "--count", "2")
    async with running(*arguments, env=environment(nats_url=nats_url)) as process:
        await until(lambda: worker.wanted == [STREAM])
        worker.publish(7)
        worker.publish(8, flags=frames.RECOVERED)
        out, _ = await process.communicate()
    head = b'{"market":"spot","stream":"btcusdt@kline_1m","received_ns":1700000000000000000,'
    assert out.splitlines() == [
        head + b'"seq":7,"flags":0,"data":' + PAYLOAD + b"}",
        head + b'"seq":8,"flags":1,"data":' + PAYLOAD + b"}",
    ]
    assert process.returncode == 0


async def test_demand_is_told_under_a_name_of_its_own_and_withdrawn_at_the_end(nats_url: str, worker: Worker) -> None:
    async with running(*command("tail", "spot", STREAM), env=environment(nats_url=nats_url)) as process:
        await until(lambda: worker.wanted == [STREAM])
        process.send_signal(signal.SIGINT)
        await process.communicate()
    await until(lambda: worker.wanted == [])
    names = {announcement.gateway for announcement in worker.heard}
    assert len(names) == 1
    assert names.pop().startswith(f"tail-{process.pid}-")
    assert process.returncode == 0


async def test_a_worker_that_asks_is_answered_at_once(nats_url: str, worker: Worker) -> None:
    async with running(*command("tail", "spot", STREAM), env=environment(nats_url=nats_url)):
        await until(lambda: worker.wanted == [STREAM])
        heard = len(worker.heard)
        worker._bus.publish("fsnats.demand.request", b"")
        async with asyncio.timeout(demand.WHOLE_EVERY / 2):
            await until(lambda: len(worker.heard) > heard)


async def test_a_reader_that_has_enough_ends_it_and_its_demand(nats_url: str, worker: Worker) -> None:
    # The pipe's reading end is ours alone to close.
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *command("tail", "spot", STREAM),
        env=environment(nats_url=nats_url),
        stdout=writing,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(writing)
    await until(lambda: worker.wanted == [STREAM])
    os.close(reading)
    worker.publish(1)
    _, err = await process.communicate()
    await until(lambda: worker.wanted == [])
    assert process.returncode == 0
    assert b"Traceback" not in err


async def test_a_hole_in_the_sequence_is_told(nats_url: str, worker: Worker) -> None:
    async with running(*command("tail", "spot", STREAM), env=environment(nats_url=nats_url)) as process:
        await until(lambda: worker.wanted == [STREAM])
        worker.publish(1)
        worker.publish(5)
        assert "3 frames lost" in await line_with(process.stderr, "lost")


async def test_pretty_is_for_people(nats_url: str, worker: Worker) -> None:
    arguments = command("tail", "spot", STREAM, "--pretty", "-n", "1")
    async with running(*arguments, env=environment(nats_url=nats_url)) as process:
        await until(lambda: worker.wanted == [STREAM])
        candle = {"i": "1m", "x": True, "o": "1", "h": "3", "l": "0.5", "c": "2", "v": "9"}
        worker.publish(1, msgspec.json.encode({"e": "kline", "s": "BTCUSDT", "k": candle}), frames.GAP)
        out, _ = await process.communicate()
    assert "btcusdt@kline_1m [GAP]  BTCUSDT 1m closed  O 1  H 3  L 0.5  C 2  volume 9" in out.decode()


async def test_a_name_that_does_not_exist_is_wrong_usage(nats_url: str) -> None:
    ended = await fsnats("tail", "spot", "btcusdt@deep", nats_url=nats_url)
    assert ended.status == 64
    assert "unknown stream type 'deep'" in ended.err


async def test_without_a_fleet_it_says_so() -> None:
    ended = await fsnats("tail", "spot", STREAM)
    assert ended.status == 69
    assert "fsnats up" in ended.err
    assert ended.err.count("\n") == 1
