import asyncio
import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest

from fsnats.binance.streams import Market, parse
from fsnats.errors import ConfigError
from tests.clock import HandClock
from tests.conftest import eventually
from tests.workers.simulator.conftest import Dial, Start
from tests.workers.simulator.test_hub import Ear
from workers.simulator.hub import Hub
from workers.simulator.ledger import Ledger
from workers.simulator.replay import Replay, events
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings

TRADE, DEPTH = "btcusdt@trade", "btcusdt@depth@100ms"


def line(t: float, stream: str, data: str, market: str = "spot") -> dict[str, object]:
    raw = f'{{"stream":"{stream}","data":{data}}}'
    return {"t": t, "t_raw": str(t), "market": market, "kind": "ws", "url": "wss://x/stream", "raw": raw}


SNAPSHOT = '{"lastUpdateId":7,"bids":[],"asks":[]}'
LINES = [
    {**line(99, "", ""), "kind": "rest", "url": "https://x/api/v3/exchangeInfo", "raw": None, "body_file": "y"},
    {**line(99, "", ""), "kind": "rest", "url": "https://x/api/v3/depth?symbol=BTCUSDT&limit=9", "raw": SNAPSHOT},
    line(100.0, TRADE, '{"e":"trade", "t":1, "n":"é"}'),
    line(101.0, DEPTH, '{"e":"depthUpdate","u":1}'),
    line(103.0, TRADE, '{"e":"trade","t":2}'),
]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "capture.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(each) + "\n" for each in LINES).encode()))
    return path


class Theatre:
    def __init__(self, *paths: Path, **settings: Any) -> None:
        self.passed = 0.0
        self.ledger = Ledger()
        self.hub = Hub(self.ledger, record=True, stamp=False)
        given = Settings(replay=tuple(map(str, paths)), **settings)
        self.replay = Replay(given, self.hub, lambda: self.passed)
        self.hub.watcher = self.replay
        self.ear = Ear(combined=True)

    def subscribe(self, name: str, market: Market = Market.SPOT) -> None:
        self.hub.join(self.ear, market, parse(market, name))

    def at(self, seconds: float) -> int:
        """Let the time be so many seconds; how many events were sent by then."""
        self.passed = seconds
        self.replay.turn(0)
        self.hub.flush()
        return self.ledger.produced()


def test_it_starts_when_every_captured_stream_is_subscribed(capture: Path) -> None:
    theatre = Theatre(capture)
    theatre.subscribe(TRADE)
    assert theatre.at(1.0) == 0
    assert theatre.replay.progress()["unsubscribed"] == [f"spot {DEPTH}"]
    theatre.subscribe(DEPTH)
    assert [theatre.at(1.0 + passed) for passed in (0.0, 0.9, 1.0, 2.9, 3.0)] == [1, 1, 2, 2, 3]
    assert theatre.replay.finished


def test_it_can_wait_to_be_told(capture: Path) -> None:
    theatre = Theatre(capture, replay_waits=True)
    theatre.subscribe(TRADE)
    theatre.subscribe(DEPTH)
    assert theatre.at(1.0) == 0
    theatre.replay.start()
    assert theatre.at(1.0) == 1


def test_speed_divides_the_gaps(capture: Path) -> None:
    theatre = Theatre(capture, speed=10.0)
    theatre.subscribe(TRADE)
    theatre.subscribe(DEPTH)
    assert [theatre.at(passed) for passed in (0.0, 0.1, 0.29, 0.31)] == [1, 2, 2, 3]


def test_no_limit_means_at_once(capture: Path) -> None:
    theatre = Theatre(capture, speed=math.inf)
    theatre.subscribe(TRADE)
    theatre.subscribe(DEPTH)
    assert theatre.at(0.0) == 3


def test_what_nobody_subscribed_passes_unheard(capture: Path) -> None:
    theatre = Theatre(capture)
    theatre.subscribe(TRADE)
    theatre.replay.start()
    assert theatre.at(100.0) == 2
    assert theatre.replay.progress()["done"] == 3


def test_bytes_are_those_of_the_capture(capture: Path) -> None:
    theatre = Theatre(capture, speed=math.inf)
    theatre.subscribe(TRADE)
    theatre.subscribe(DEPTH)
    theatre.at(0.0)
    sent = b"".join(theatre.ear.writes)
    assert all(str(each["raw"]).encode() in sent for each in LINES if each["kind"] == "ws")
    assert theatre.ledger.payloads(Market.SPOT, TRADE)[0] == '{"e":"trade", "t":1, "n":"é"}'.encode()


def test_captures_are_merged_by_time_and_keep_their_own_order(tmp_path: Path) -> None:
    paths = []
    for name, times in (("one", [1.0, 5.0, 4.0]), ("two", [2.0, 3.0])):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(line(t, f"{name}@trade", "{}")) + "\n" for t in times))
        paths.append(path)
    merged = [(message.stream[:3], message.received_ns // 10**9) for message in events(tuple(paths))]
    assert merged == [("one", 1), ("two", 2), ("two", 3), ("one", 5), ("one", 4)]


def test_a_capture_that_is_missing_is_a_setting_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        Theatre(tmp_path / "none.jsonl")


async def test_the_captured_symbols_are_the_exchange(capture: Path, start: Start) -> None:
    simulator = await start(replay=(str(capture),))
    assert simulator.exchange.symbols(Market.SPOT) == ["BTCUSDT"]
    assert simulator.exchange.symbols(Market.USDM) == []


async def test_rest_gives_the_captured_snapshot_and_no_history(capture: Path, start: Start) -> None:
    simulator = await start(replay=(str(capture),))
    assert simulator.replay is not None
    rest = simulator.replay.rest(simulator.world)
    assert await rest.answer(Market.SPOT, "depth", {"symbol": "BTCUSDT"}, 0) == SNAPSHOT.encode()
    assert (
        await rest.answer(Market.SPOT, "klines", {"symbol": "BTCUSDT", "interval": "1m", "startTime": "0"}, 0) == b"[]"
    )


async def hear(dial: Dial, simulator: Simulator, market: Market, path: str, names: list[str]) -> dict[str, list[str]]:
    """Subscribe and read until the replay is over and everything sent has arrived."""
    heard: dict[str, list[str]] = {name: [] for name in names}
    expected = sum(simulator.replay.streams[market, name] for name in names) if simulator.replay else 0
    async with dial(simulator, market, path) as client:
        await client.ask("SUBSCRIBE", *names)
        for _ in range(expected):
            text = await client.socket.recv()
            assert isinstance(text, str)
            heard[json.loads(text)["stream"]].append(text)
    return heard


@pytest.mark.recorded
@pytest.mark.parametrize(
    "names", [["cf.usdm.20210722T2225Z", "cf.spot.20210814T1446Z"], ["cf.coinm.20210417T1638Z"]], ids="+".join
)
async def test_recordings_arrive_byte_for_byte(names: list[str], recordings: Path, start: Start, dial: Dial) -> None:
    paths = [recordings / "captures" / f"{name}.jsonl.gz" for name in names]
    simulator = await start(replay=tuple(map(str, paths)), speed=math.inf)
    assert simulator.replay is not None
    routes: dict[tuple[Market, str], list[str]] = {}
    for market, name in simulator.replay.streams:
        routes.setdefault((market, parse(market, name).route), []).append(name)
    async with asyncio.TaskGroup() as tasks:
        hearing = {
            key: tasks.create_task(hear(dial, simulator, key[0], f"/{key[1]}/stream".replace("//", "/"), streams))
            for key, streams in routes.items()
        }
    recorded: dict[tuple[Market, str], list[str]] = {}
    for message in events(tuple(paths)):
        recorded.setdefault((message.market, message.stream), []).append(message.raw.decode())
    heard = {(market, name): texts for (market, _), task in hearing.items() for name, texts in task.result().items()}
    assert heard == recorded
    assert simulator.replay.finished
    assert simulator.ledger.violations == []


async def test_a_bare_connection_gets_the_payload_alone(
    capture: Path, start: Start, dial: Dial, clock: HandClock
) -> None:
    simulator = await start(clock, replay=(str(capture),), replay_waits=True)
    async with dial(simulator, Market.SPOT, f"/ws/{TRADE}") as client:
        await eventually(lambda: simulator.ledger.subscribers(Market.SPOT, TRADE))
        simulator.start_replay()
        await clock.advance(10)
        assert await client.socket.recv() == '{"e":"trade", "t":1, "n":"é"}'
        assert await client.socket.recv() == '{"e":"trade","t":2}'
