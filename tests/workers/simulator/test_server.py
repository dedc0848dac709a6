"""The exchange as a whole: what streams say and what REST says are one market."""

import json
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidHandshake

from fsnats.binance.streams import Market
from fsnats.errors import BadCommand, ConfigError
from tests.clock import HandClock
from tests.conftest import eventually
from tests.workers.simulator.conftest import Client, Dial, Start
from workers.simulator.server import Simulator
from workers.simulator.settings import Settings

PATH = {Market.SPOT: "/api/v3/", Market.USDM: "/fapi/v1/", Market.COINM: "/dapi/v1/"}
SYMBOL = {Market.SPOT: "BTCUSDT", Market.USDM: "BTCUSDT", Market.COINM: "BTCUSD_PERP"}
ROUTED = {Market.SPOT: ("", ""), Market.USDM: ("/public", "/market"), Market.COINM: ("", "")}


async def get(simulator: Simulator, market: Market, name: str, **query: object) -> Any:
    async with httpx.AsyncClient(trust_env=False) as client:
        url = f"{simulator.rest_url(market)}{PATH[market]}{name}"
        return (await client.get(url, params={key: str(value) for key, value in query.items()})).json()


async def events(client: Client, count: int) -> list[Any]:
    return [await client.event() for _ in range(count)]


@pytest.mark.parametrize("market", Market)
async def test_a_closing_candle_is_the_rest_row(start: Start, dial: Dial, clock: HandClock, market: Market) -> None:
    simulator = await start(clock)
    symbol = SYMBOL[market]
    async with dial(simulator, market, f"{ROUTED[market][1]}/ws/{symbol.lower()}@kline_1m") as client:
        await eventually(lambda: simulator.hub.channels)
        await clock.advance(61)
        while not (candle := (await client.event())["k"])["x"]:
            pass
    (row,) = await get(simulator, market, "klines", symbol=symbol, interval="1m", startTime=candle["t"], limit=1)
    keys = ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")
    assert row == [candle[key] for key in keys]


@pytest.mark.parametrize("market", Market)
async def test_streamed_trades_join_those_of_rest(start: Start, dial: Dial, clock: HandClock, market: Market) -> None:
    simulator = await start(clock)
    symbol = SYMBOL[market]
    before = await get(simulator, market, "aggTrades", symbol=symbol, limit=5)
    async with dial(simulator, market, f"{ROUTED[market][1]}/ws/{symbol.lower()}@aggTrade") as client:
        await eventually(lambda: simulator.hub.channels)
        await clock.advance(10)
        streamed = await events(client, 20)
    assert streamed[0]["a"] <= before[-1]["a"] + 1
    stored = await get(simulator, market, "aggTrades", symbol=symbol, fromId=streamed[0]["a"], limit=20)
    assert [{key: event[key] for key in row} for row, event in zip(stored, streamed, strict=True)] == stored


@pytest.mark.parametrize("market", Market)
@pytest.mark.parametrize("speed", ["@100ms", ""])
async def test_a_local_book_follows_the_exchange(
    start: Start, dial: Dial, clock: HandClock, market: Market, speed: str
) -> None:
    """The documented procedure: buffer, snapshot, drop, join, apply; then compare with a later snapshot."""
    simulator = await start(clock)
    symbol = SYMBOL[market]
    async with dial(simulator, market, f"{ROUTED[market][0]}/ws/{symbol.lower()}@depth{speed}") as client:
        await eventually(lambda: simulator.hub.channels)
        await clock.advance(3.705)  # just behind a full second, where an event of any speed ends
        snapshot = await get(simulator, market, "depth", symbol=symbol, limit=1000)
        await clock.advance(5)
        later = await get(simulator, market, "depth", symbol=symbol, limit=1000)
        book = {side: dict(snapshot[side]) for side in ("bids", "asks")}
        position, joined = snapshot["lastUpdateId"], False
        while position < later["lastUpdateId"]:
            event = await client.event()
            spot = market is Market.SPOT
            if event["u"] <= position if spot and not joined else event["u"] < position:
                continue
            if not joined:
                assert event["U"] <= position + spot <= event["u"] + spot
                joined = True
            else:
                assert event["U"] == position + 1 if spot else event["pu"] == position
            position = event["u"]
            for side, levels in (("bids", event["b"]), ("asks", event["a"])):
                for price, quantity in levels:
                    if float(quantity):
                        book[side][price] = quantity
                    else:
                        book[side].pop(price, None)
            assert max(map(float, book["bids"])) < min(map(float, book["asks"]))
        assert position == later["lastUpdateId"]
        assert book == {side: dict(later[side]) for side in ("bids", "asks")}


async def test_listings_are_pushed_and_shown(start: Start, dial: Dial, clock: HandClock) -> None:
    simulator = await start(clock)
    async with dial(simulator, Market.USDM, "/market/stream") as client:
        await client.ask("SUBSCRIBE", "!contractInfo", "newusdt@markPrice@1s")
        simulator.list_symbol(Market.USDM, "NEWUSDT")
        assert (await client.event())["data"]["cs"] == "TRADING"
        await clock.advance(2)
        assert (await client.event())["data"]["s"] == "NEWUSDT"
        simulator.delist_symbol(Market.USDM, "NEWUSDT")
        while (event := await client.event())["stream"] != "!contractInfo":
            pass
        assert event["data"]["cs"] == "SETTLING"
        simulator.list_symbol(Market.USDM, "NEWUSDT")
        assert (await client.event())["data"]["cs"] == "TRADING"
    with pytest.raises(BadCommand):
        simulator.delist_symbol(Market.SPOT, "NOSUCH")


async def test_cutting_ends_every_connection_without_a_word(start: Start, dial: Dial) -> None:
    simulator = await start()
    async with dial(simulator, Market.SPOT, "/ws") as one, dial(simulator, Market.COINM, "/ws") as two:
        assert simulator.faults.cut() == 2
        assert (await one.ended())[0] == (await two.ended())[0] == 1006
    await eventually(lambda: not simulator.ledger.connections)
    assert {record.ended for record in simulator.ledger.closed} == {"fault: cut"}


async def test_nobody_is_let_in_while_refusing(start: Start, dial: Dial, clock: HandClock) -> None:
    simulator = await start(clock)
    simulator.faults.refuse(5)
    with pytest.raises((InvalidHandshake, EOFError, OSError)):
        async with dial(simulator, Market.SPOT, "/ws"):
            pass
    await clock.advance(5)
    async with dial(simulator, Market.SPOT, "/ws"):
        pass


async def test_a_ghost_answers_and_is_silent(start: Start, dial: Dial, clock: HandClock) -> None:
    simulator = await start(clock)
    async with dial(simulator, Market.SPOT, "/ws/btcusdt@miniTicker") as client:
        await eventually(lambda: simulator.hub.channels)
        simulator.faults.ghost()
        await clock.advance(5)
        await (await client.socket.ping())
        assert await client.next_within(0.05) is None
        assert simulator.ledger.of(Market.SPOT, "btcusdt@miniTicker").delivered == 0
        simulator.faults.ghost(on=False)
        await clock.advance(2)
        assert (await client.event())["e"] == "24hrMiniTicker"


async def test_a_shortened_life_ends_present_connections(start: Start, dial: Dial, clock: HandClock) -> None:
    simulator = await start(clock)
    async with dial(simulator, Market.SPOT, "/ws") as client:
        await eventually(lambda: simulator.ledger.connections)
        simulator.faults.life(3)
        await clock.advance(3.1)
        assert (await client.ended())[0] == 1001


async def test_two_exchanges_of_one_seed_say_the_same(start: Start) -> None:
    one, two = [await start(HandClock(1_795_174_312.0), seed=9) for _ in range(2)]
    for market in Market:
        query = {"symbol": SYMBOL[market], "interval": "1m"}
        assert await get(one, market, "klines", **query) == await get(two, market, "klines", **query)
        assert await get(one, market, "depth", symbol=SYMBOL[market]) == await get(
            two, market, "depth", symbol=SYMBOL[market]
        )


async def test_everything_sent_is_in_the_ledger(start: Start, dial: Dial, clock: HandClock) -> None:
    simulator = await start(clock, record=True)
    names = ["btcusdt@trade", "ethusdt@kline_1s", "!miniTicker@arr", "bnbusdt@depth@100ms"]
    async with dial(simulator, Market.SPOT, "/stream") as client:
        await client.ask("SUBSCRIBE", *names)
        await clock.advance(5)
        heard: dict[str, list[str]] = {name: [] for name in names}
        for _ in range(simulator.ledger.produced()):
            text = await client.socket.recv()
            assert isinstance(text, str)
            name = json.loads(text)["stream"]
            heard[name].append(text.removeprefix(f'{{"stream":"{name}","data":')[:-1])
        for name in names:
            assert heard[name] == [payload.decode() for payload in simulator.ledger.payloads(Market.SPOT, name)]
            assert heard[name]


async def test_a_port_that_is_taken_is_a_setting_that_cannot_be_used() -> None:
    with pytest.raises(ConfigError):
        async with Simulator(Settings(host="203.0.113.1")):
            pass
