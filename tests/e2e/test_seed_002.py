"""The Rust module's document: its clients in Python, with its names, fields, defaults and messages."""

import asyncio
import inspect
import re
from typing import Any, get_type_hints

import msgspec
import pytest

from fsnats.client import (
    AggTradeClient,
    AggTradeConfig,
    ContinuousKlineClient,
    ContinuousKlineConfig,
    MessageHandler,
    WebSocketConnection,
)
from fsnats.client.combined import SILENCE_MOST
from fsnats.client.handlers import BUFFER
from fsnats.store import KlineData, RawAggTrade
from tests.e2e.client import Client, until
from tests.e2e.fleet import Fleet
from tests.e2e.transcript import block, document
from tests.proxies import microsocks

_TYPES = {"i64": int, "usize": int, "u16": int, "bool": bool, "String": str, "Vec<String>": list[str]}
_CONFIGS = {"ContinuousKlineConfig": ContinuousKlineConfig, "AggTradeConfig": AggTradeConfig}


def config_in(name: str) -> Any:
    """The configuration that a block writes, as ours."""
    kind, body = re.findall(r"let config = (\w+) \{\n(.*?)\n\};", block(name), re.DOTALL)[0]
    fields = re.findall(r"^ +(\w+): (.+),$", body, re.MULTILINE)
    values = {key: msgspec.json.decode(re.sub(r"\.to_string\(\)|vec!", "", value)) for key, value in fields}
    return _CONFIGS[kind](**values)


def test_its_configurations_can_be_written_so() -> None:
    candles, trades = config_in("002 candles of two"), config_in("002 trades of two")
    assert candles.symbols == trades.symbols == ["BTCUSDT", "ETHUSDT"]
    assert candles.intervals == ["1m", "5m"]
    for config in (candles, trades):
        assert (config.use_proxy, config.proxy_addr, config.proxy_port) == (True, "127.0.0.1", 1080)


@pytest.mark.parametrize(
    ("name", "struct"),
    [
        ("002 candle config", ContinuousKlineConfig),
        ("002 trade config", AggTradeConfig),
        ("002 connection", WebSocketConnection),
        ("002 candle", KlineData),
        ("002 trade", RawAggTrade),
    ],
)
def test_its_structs_have_their_fields_and_types_in_python(name: str, struct: type[msgspec.Struct]) -> None:
    fields = re.findall(r"pub (\w+): ([\w<>]+),", block(name))
    ours = get_type_hints(struct)
    order = [field for field, _ in fields]
    if struct in (KlineData, RawAggTrade, WebSocketConnection):
        assert list(struct.__struct_fields__) == order
    assert set(struct.__struct_fields__) == set(order)
    for field, kind in fields:
        wanted = _TYPES[kind]
        assert ours[field] is wanted or str(wanted).removeprefix("list") in str(ours[field]), field


def test_its_methods_are_there_and_can_be_awaited() -> None:
    methods = re.findall(r"pub async fn (\w+)\(", block("002 methods"))
    assert methods == ["start", "get_connections"]
    for client in (ContinuousKlineClient, AggTradeClient):
        assert all(inspect.iscoroutinefunction(getattr(client, method)) for method in methods)
    (name, arguments), *_ = re.findall(r"async fn (\w+)\(&self, (.+?)\)", block("002 handler"))
    handler = getattr(MessageHandler, name)
    assert inspect.iscoroutinefunction(handler)
    assert list(inspect.signature(handler).parameters)[1:] == re.findall(r"(\w+): ", arguments)


class Notes:
    """A handler that remembers."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    async def handle_message(self, connection_id: int, message: str) -> None:
        self.messages.append(message)


async def test_its_clients_start_behind_their_proxy(fleet: Fleet) -> None:
    # Straight from the exchange: that they read from a gateway with the same code is tests/e2e/test_sdk.py.
    candles, trades = Notes(), Notes()
    url = f"ws://127.0.0.1:{fleet.simulator_port}/usdm/market"
    assert "ContinuousKlineClient::new(config" in block("002 start candles")
    assert "AggTradeClient::new(config" in block("002 start trades")
    async with microsocks() as port:
        first, second = (
            msgspec.structs.replace(config_in(name), proxy_port=port)
            for name in ("002 start candles", "002 start trades")
        )
        kline_client = ContinuousKlineClient(first, candles, url=url)
        trade_client = AggTradeClient(second, trades, url=url)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(each.start()) for each in (kline_client, trade_client)]
            await until(lambda: candles.messages and trades.messages, "both hand over")
            told = [*await kline_client.get_connections(), *await trade_client.get_connections()]
            for task in running:
                task.cancel()
    assert [(each.id, each.status) for each in told] == [(0, "connected")] * 2
    formats = re.findall(r"- 示例: `(btcusdt[^`]+)`", document("002"))
    assert [each.streams for each in told] == [[name] for name in formats]
    parsed = ContinuousKlineClient.parse_message(candles.messages[0])
    assert parsed is not None
    pair, interval, candle = parsed
    assert (pair, interval, candle.interval) == ("BTCUSDT", "1m", "1m")
    assert candle.end_time == candle.start_time + 59_999
    trade = AggTradeClient.parse_message(trades.messages[0])
    assert trade is not None
    assert (trade.symbol, type(trade.price), type(trade.is_buyer_maker)) == ("BTCUSDT", str, bool)


async def test_its_urls_and_its_request_bring_the_streams(fleet: Fleet) -> None:
    (path,) = re.findall(r"- 示例: `(/ws/[^`]+)`", document("002"))
    async with Client(f"{fleet.ws}/usdm{path}") as client:
        await client.reply(lambda each: each.get("e") == "continuous_kline", "a candle")
    names = ["btcusdt_perpetual@continuousKline_1m", "btcusdt@aggTrade"]
    async with Client(f"{fleet.ws}/usdm/stream?streams={'/'.join(names)}") as client:
        for name in names:
            await client.delivered(name)
    request = block("002 subscribe").replace("stream1", names[0]).replace("stream2", names[1])
    async with Client(f"{fleet.ws}/usdm/stream") as client:
        await client.send(request)
        assert await client.reply(lambda each: "id" in each, "the answer") == {"result": None, "id": 1}
        for name in names:
            await client.delivered(name)


def test_its_intervals_and_numbers_are_ours() -> None:
    intervals = re.findall(r"^- `(\w+)` - ", document("002"), re.MULTILINE)
    assert intervals == ["1m", "5m", "30m", "1h", "4h", "1d", "1w"]
    ContinuousKlineClient(ContinuousKlineConfig(symbols=["BTCUSDT"], intervals=intervals), Notes())
    assert float(re.findall(r"(\d+)秒超时检测", document("002"))[0]) == SILENCE_MOST
    assert set(re.findall(r"(\d+)条消息", document("002"))) == {str(BUFFER)}
    assert ContinuousKlineConfig(symbols=["BTCUSDT"]).proxy_port == 1080
