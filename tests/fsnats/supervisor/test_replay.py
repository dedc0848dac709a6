import asyncio
import json
from pathlib import Path

import pytest

from fsnats import replay
from fsnats.binance.streams import Market
from fsnats.bus import Answer
from fsnats.bus.memory import MemoryBus
from fsnats.bus.nats import NatsBus
from fsnats.config import Config
from fsnats.supervisor import replay as module
from fsnats.supervisor.replay import ReplayKeeper, stream
from tests.conftest import NatsServer, eventually
from tests.windows import publish, settled

SPOT = Market.SPOT


async def settings_of(bus: NatsBus, market: Market = SPOT) -> dict[str, object]:
    answer = json.loads(await bus.request(f"$JS.API.STREAM.INFO.{replay.window(market)}", b"", 5))
    settings: dict[str, object] = answer.get("config", {})
    return settings


def test_all_markets_together_stay_within_the_limit() -> None:
    config = Config(markets=(Market.SPOT, Market.USDM), replay_mb=100, replay_seconds=0.5)

    assert stream(config, Market.USDM)["max_bytes"] == 50 * 1024**2
    assert stream(config, Market.USDM)["max_age"] == 500_000_000


async def test_every_market_has_a_window_in_memory(bus: NatsBus) -> None:
    await ReplayKeeper(Config()).ensure(bus)

    for market in (Market.SPOT, Market.USDM):
        settings = await settings_of(bus, market)
        assert settings["subjects"] == [f"fsnats.{market}.>"]
        assert (settings["storage"], settings["discard"]) == ("memory", "old")


async def test_other_settings_are_taken_over_without_losing_what_is_kept(bus: NatsBus) -> None:
    await ReplayKeeper(Config()).ensure(bus)
    frame = publish(bus, SPOT, "btcusdt@trade", 7, 1)
    await settled(bus, SPOT, "btcusdt@trade", frame)
    await ReplayKeeper(Config(replay_seconds=30, replay_mb=8)).ensure(bus)

    assert (await settings_of(bus))["max_age"] == 30_000_000_000
    assert await replay.last(bus, SPOT, "btcusdt@trade") == frame


async def test_zero_seconds_end_the_window(bus: NatsBus) -> None:
    await ReplayKeeper(Config()).ensure(bus)
    keeper = ReplayKeeper(Config(replay_seconds=0))
    for _ in range(2):
        await keeper.ensure(bus)
        assert await settings_of(bus) == {}
    assert keeper.trouble == ""


async def test_a_server_that_lost_it_has_it_again_as_soon_as_it_is_back(nats: NatsServer) -> None:
    keeper = ReplayKeeper(Config())
    async with NatsBus([nats.url], "one", lambda: 0.0) as bus:
        await bus.connected()
        running = asyncio.create_task(keeper.run(bus))
        found: list[dict[str, object]] = []

        async def look() -> None:
            found.clear()
            while not found or not found[0]:
                found[:] = [await settings_of(bus)]

        await look()
        nats.stop()
        await eventually(lambda: not bus.is_connected)
        nats.start()
        await bus.connected()
        async with asyncio.timeout(module._INTERVAL / 2):
            await look()
        running.cancel()


async def test_a_window_that_somebody_deleted_comes_back(bus: NatsBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_INTERVAL", 0.05)
    keeper = ReplayKeeper(Config())
    await keeper.ensure(bus)
    running = asyncio.create_task(keeper.run(bus))
    await bus.request(f"$JS.API.STREAM.DELETE.{replay.window(SPOT)}", b"", 5)
    async with asyncio.timeout(20):
        while not await settings_of(bus):  # noqa: ASYNC110 # the server is another process
            await asyncio.sleep(0.01)
    running.cancel()


async def test_an_account_without_memory_costs_the_window_only_and_is_named_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limits = tmp_path / "limits.conf"
    limits.write_text("jetstream { max_memory_store: 1MB }")
    nats = NatsServer(tmp_path, "-c", str(limits))
    nats.start()
    try:
        async with NatsBus([nats.url], "one", lambda: 0.0) as bus:
            await bus.connected()
            keeper = ReplayKeeper(Config())
            await keeper.ensure(bus)
            await keeper.ensure(bus)

        assert "insufficient" in keeper.trouble
        assert [record.message for record in caplog.records if record.name == module.__name__] == [
            "there is no replay window, losses will be told instead of filled"
        ]
    finally:
        nats.stop()


async def test_an_answer_that_is_not_json_is_a_trouble_too() -> None:
    bus = MemoryBus()
    bus.subscribe("$JS.API.>", lambda _s, reply, _p: bus.answer(reply, Answer(b"{")))
    keeper = ReplayKeeper(Config())
    await keeper.ensure(bus)

    assert "cannot read" in keeper.trouble
