"""The Python client against real gateways: nothing is missed when they die, and every interface of the seeds works."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest

from fsnats.binance.streams import Market, intervals_of
from fsnats.client import (
    AggTradeClient,
    AggTradeConfig,
    BinanceWebSocket,
    Client,
    ContinuousKlineClient,
    ContinuousKlineConfig,
    Gap,
    Message,
    Rejected,
    SyncClient,
    conversation,
)
from fsnats.errors import StreamNameError, Unavailable, Unusable
from tests.e2e.client import until
from tests.e2e.fleet import Fleet, free_port, get, wait_for


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("sdk")
    with Fleet(directory, markets="spot,usdm", symbols="BTCUSDT,ETHUSDT") as running:
        yield running


@contextlib.asynccontextmanager
async def background(*coroutines: Any) -> AsyncIterator[None]:
    """Run these for as long as the block; what ends one ends the test."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(each) for each in coroutines]
        yield
        for task in running:
            task.cancel()


async def test_a_stream_goes_on_over_the_death_of_its_gateway_with_nothing_missing_and_nothing_twice(
    fleet: Fleet,
) -> None:
    port = free_port()
    gateway = fleet.start_gateway(port)
    trades: list[Message] = []

    async def read() -> None:
        async with Client(f"ws://127.0.0.1:{port}") as client:
            async for value in client.stream("BTCUSDT@aggTrade"):
                assert isinstance(value, Message), value
                trades.append(value)

    async with background(read()):
        for _ in range(3):
            count = len(trades)
            await until(lambda count=count: len(trades) > count + 5, "trades flow")  # type: ignore[misc]
            gateway.kill()
            gateway = fleet.start_gateway(port)
        count = len(trades)
        await until(lambda: len(trades) > count + 5, "trades flow again")

    ids = [trade.data["a"] for trade in trades]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_more_streams_than_a_gateway_lets_begin_at_once_begin_one_request_after_the_other(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(conversation, "_NAMES_AT_ONCE", 4)
    port = free_port()
    gateway = fleet.serve_gateway(port, gateway_requests=2)
    names = {
        f"{symbol}@kline_{interval}"
        for symbol in ("btcusdt", "ethusdt")
        for interval in intervals_of(Market.SPOT, "kline")
    }
    async with (
        asyncio.timeout(60),
        Client(f"ws://127.0.0.1:{port}") as client,
        contextlib.aclosing(client.stream(*names)) as values,
    ):
        async for value in values:
            assert isinstance(value, Message), value
            names.discard(value.stream)
            if not names:
                break
    gateway.kill()
    assert "no connection" not in caplog.text


async def test_snapshots_history_and_choices_reach_the_loop(fleet: Fleet) -> None:
    async with Client(fleet.ws) as client:
        past: list[Message] = []
        async with contextlib.aclosing(client.stream("btcusdt@kline_1m", history=3)) as values:
            async for value in values:
                assert isinstance(value, Message)
                past.append(value)
                if not value.is_history:
                    break
        opened = [message.data["k"]["t"] for message in past]
        assert [message.is_history for message in past] == [True, True, True, False]
        assert opened == sorted(opened)

        async with contextlib.aclosing(client.stream("btcusdt@kline_1s", closed_only=True)) as values:
            async for value in values:
                assert isinstance(value, Message)
                assert value.data["k"]["x"] is True
                break


async def test_what_is_wrong_is_told_where_it_is_asked(fleet: Fleet) -> None:
    async with Client(fleet.ws) as client:
        with pytest.raises(StreamNameError, match="nonsense"):
            await anext(client.stream("btcusdt@nonsense"))
        with pytest.raises(Rejected, match="NOPEUSDT") as refused:
            await anext(client.stream("nopeusdt@trade"))
        assert refused.value.code == "UNKNOWN_SYMBOL"
        with pytest.raises(Unusable, match="no stream is named"):
            await anext(client.stream())
    with pytest.raises(Unusable, match="ftp://x"):
        Client("ftp://x")


async def test_candles_come_as_rows_and_as_tables(fleet: Fleet) -> None:
    async with Client(fleet.ws) as client:
        candles = await client.klines("btcusdt", "1m", market="usdm", start="3h", end="1h")
        assert candles.complete
        assert client.simulated
        assert 119 <= len(candles.klines) <= 121
        stored = await client.klines("btcusdt", "1m", market="usdm", start="30d", source="store")
        assert not stored.complete
        assert stored.missing[0][0] < candles.klines[0].t
        row = candles.klines[0]
        assert candles.table("list")[0] is row
        panda = candles.table("pandas")
        assert panda["close"].iloc[0] == float(row.c)
        assert panda.index[0].timestamp() * 1000 == row.t
        polar = candles.table("polars", exact=True)
        assert polar["close"][0] == Decimal(row.c)
        assert candles.table("arrow")["open_time"][0].as_py().timestamp() * 1000 == row.t
        with pytest.raises(Rejected, match="NOPE"):
            await client.klines("nope", "1m")
        with pytest.raises(Unusable, match="market"):
            await client.klines("btcusdt", "1m", market="forex")
    with SyncClient(fleet.ws) as sync:
        assert len(sync.klines("btcusdt", "1m", limit=7).klines) == 7
    with pytest.raises(Unavailable, match="does not answer"):
        await Client(f"ws://127.0.0.1:{free_port()}").klines("btcusdt", "1m")


async def test_closing_the_client_ends_its_loops(fleet: Fleet) -> None:
    client = Client(fleet.ws)
    seen: list[Message | Gap] = []

    async def read() -> None:
        async for value in client.stream("btcusdt@trade", market="usdm"):
            seen.append(value)

    reading = asyncio.create_task(read())
    await until(lambda: seen, "a trade comes")
    await client.close()
    await reading


def test_programs_without_a_loop_read_in_plain_ones(fleet: Fleet) -> None:
    with SyncClient(fleet.ws) as client:
        trades = []
        for value in client.stream("ethusdt@aggTrade"):
            assert isinstance(value, Message)
            trades.append(value.data["a"])
            if len(trades) == 20:
                break
        assert trades == list(range(trades[0], trades[0] + 20))
        with pytest.raises(Rejected, match="NOPEUSDT"):
            next(client.stream("nopeusdt@trade"))
    client.close()


async def test_the_callbacks_of_the_seed_are_called_from_a_gateway_and_from_the_exchange_alike(fleet: Fleet) -> None:
    for url in (fleet.ws, f"ws://127.0.0.1:{fleet.simulator_port}/spot"):
        said: list[str] = []
        prices: list[dict[str, Any]] = []
        others: dict[str, dict[str, Any]] = {}
        ws = BinanceWebSocket(url)
        ws.on_connect(lambda said=said: said.append("Connected!"))  # type: ignore[misc]
        ws.on_disconnect(lambda said=said: said.append("Disconnected!"))  # type: ignore[misc]
        ws.on_error(lambda e, said=said: said.append(f"Error: {e}"))  # type: ignore[misc]
        ws.on_message(lambda data, others=others: others.setdefault(data["type"], data))  # type: ignore[misc]
        await ws.connect()
        assert said == ["Connected!"]

        async def handle_price(data: dict[str, Any], prices: list[dict[str, Any]] = prices) -> None:
            prices.append(data)
            if len(prices) == 1:
                raise ValueError("the first one is refused")

        await ws.subscribe_ticker("BTCUSDT", handle_price)
        await ws.subscribe_ticker("BTCUSDT", mini=True)
        await ws.subscribe_kline("BTCUSDT", "1m")
        await ws.subscribe_trade("BTCUSDT")
        await ws.subscribe_trade("BTCUSDT", aggregate=True)
        await ws.subscribe_book_ticker("ETHUSDT")
        async with background(ws.run_forever()):
            await until(lambda: len(prices) > 2 and len(others) == 6, "everything is called back")  # noqa: B023
            await ws.disconnect()

        assert isinstance(prices[0]["price"], float)
        assert prices[0]["symbol"] == "BTCUSDT"
        assert others["book_ticker"]["symbol"] == "ETHUSDT"
        assert said == ["Connected!", "Error: the first one is refused", "Disconnected!"]


async def test_callbacks_go_on_after_a_cut_and_give_up_when_told_to(fleet: Fleet) -> None:
    said: list[str] = []
    trades: list[int] = []
    ws = BinanceWebSocket(f"ws://127.0.0.1:{fleet.simulator_port}/usdm/market", market="usdm")
    ws.on_connect(lambda: said.append("up"))
    ws.on_disconnect(lambda: said.append("down"))
    ws.on_error(lambda error: None)
    await ws.subscribe_trade("btcusdt", lambda data: trades.append(data["trade_id"]), aggregate=True)
    async with background(ws.run_forever()):
        await until(lambda: trades, "a trade comes")
        await asyncio.to_thread(fleet.tell_simulator, "faults/cut")
        await until(lambda: said[-2:] == ["down", "up"], "it connected again")
        count = len(trades)
        await until(lambda: len(trades) > count, "trades flow again")
        await ws.disconnect()

    nowhere = BinanceWebSocket(f"ws://127.0.0.1:{free_port()}", max_reconnects=1)
    nowhere.on_error(lambda error: None)
    with pytest.raises(Unavailable, match="1 tries in a row failed"):
        await nowhere.run_forever()


class Notes:
    """A handler that remembers."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, str]] = []

    async def handle_message(self, connection_id: int, message: str) -> None:
        self.messages.append((connection_id, message))


async def test_the_clients_of_the_other_seed_hand_over_candles_and_trades(fleet: Fleet) -> None:
    candles, trades = Notes(), Notes()
    kline_client = ContinuousKlineClient(
        ContinuousKlineConfig(symbols=["BTCUSDT", "ETHUSDT"], intervals=["1m", "5m"]), candles, url=f"{fleet.ws}/usdm"
    )
    trade_client = AggTradeClient(AggTradeConfig(symbols=["BTCUSDT", "ETHUSDT"]), trades, url=f"{fleet.ws}/usdm")
    async with background(kline_client.start(), trade_client.start()):

        def series() -> set[tuple[str, str]]:
            found = map(ContinuousKlineClient.parse_message, (message for _, message in candles.messages))
            return {(pair, interval) for pair, interval, _ in filter(None, found)}

        wanted = {(pair, interval) for pair in ("BTCUSDT", "ETHUSDT") for interval in ("1m", "5m")}
        await until(lambda: series() == wanted and len(trades.messages) > 10, "everything flows")
        (connection,) = await kline_client.get_connections()
        assert (connection.id, connection.status) == (0, "connected")
        assert connection.message_count >= len(candles.messages)

    ids = [trade.agg_id for _, text in trades.messages if (trade := AggTradeClient.parse_message(text)) is not None]
    assert len(ids) == len(trades.messages)
    assert json.loads(trades.messages[0][1])["stream"].endswith("usdt@aggTrade")


def test_the_fleet_is_well_after_all_of_this(fleet: Fleet) -> None:
    wait_for(lambda: get(f"{fleet.http}/readyz")[0] == 200, "ready")
