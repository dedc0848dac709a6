import asyncio
from http import HTTPStatus
from typing import Any

import pytest

from fsnats.client import AggTradeClient, AggTradeConfig, BinanceWebSocket, Forbidden, Unavailable, Unusable
from tests.conftest import eventually
from tests.fsnats.client.gateways import Gateway, running
from tests.fsnats.client.test_handlers import Nobody

_ZEROS = ",".join(f'"{name}":"0"' for name in "pPwxcQbBaAohlvq")
_DAY = f'{{"e":"24hrTicker","E":1,"s":"BTCUSDT",{_ZEROS},"O":0,"C":1,"F":1,"L":1,"n":1}}'
PRICE = f'{{"stream":"btcusdt@ticker","data":{_DAY}}}'


async def test_what_the_server_refuses_goes_to_on_error() -> None:
    said: list[str] = []
    async with running(Gateway(['{"error":{"code":2,"msg":"no"},"id":1}'])) as gateway:
        ws = BinanceWebSocket(gateway.url, token="0123456789abcdef")
        ws.on_error(lambda error: said.append(str(error)))
        await ws.connect()
        await eventually(lambda: said)
        await ws.disconnect()
    assert said == ['refused: {"code":2,"msg":"no"}']
    assert gateway.asked == ["Bearer 0123456789abcdef"]


async def test_a_callback_may_end_it_and_nothing_is_called_back_after_that() -> None:
    said: list[str] = []
    async with running(Gateway([PRICE, PRICE])) as gateway:
        ws = BinanceWebSocket(gateway.url)

        async def leave(data: dict[str, Any]) -> None:
            await ws.disconnect()
            await asyncio.sleep(0)
            said.append(data["type"])

        ws.on_disconnect(lambda: said.append("down"))
        await ws.subscribe_ticker("BTCUSDT", leave)
        for _ in range(2):  # and it may be begun again
            await ws.run_forever()
            await eventually(lambda: not gateway.connections)
    assert said == ["down", "ticker"] * 2
    assert len(gateway.asked) == 2


async def test_what_was_given_up_can_be_tried_again() -> None:
    async with running(Gateway(refusing=HTTPStatus.SERVICE_UNAVAILABLE)) as gateway:
        ws = BinanceWebSocket(gateway.url, max_reconnects=1)
        ws.on_error(lambda error: None)
        for tries in (1, 2):
            with pytest.raises(Unavailable, match="1 tries in a row failed"):
                await ws.connect()
            assert len(gateway.asked) == tries
        gateway.refusing = None
        await ws.connect()
        assert ws.is_connected
        await ws.disconnect()


async def test_who_is_cancelled_while_it_runs_can_run_it_again() -> None:
    async with running(Gateway()) as gateway:
        ws = BinanceWebSocket(gateway.url)
        for count in (1, 2):
            reading = asyncio.create_task(ws.run_forever())
            await eventually(lambda: ws.is_connected)
            assert len(gateway.asked) == count
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            await eventually(lambda: not ws.is_connected)


async def test_a_stream_that_nobody_could_hear_is_refused_when_it_is_asked_for() -> None:
    with pytest.raises(Unusable, match="btcusdt@avgPrice: no normalised form"):
        await BinanceWebSocket().subscribe_stream("btcusdt@avgPrice")


async def test_who_is_not_let_in_hears_it_at_once() -> None:
    async with running(Gateway(refusing=HTTPStatus.UNAUTHORIZED)) as gateway:
        with pytest.raises(Forbidden, match="because"):
            await BinanceWebSocket(gateway.url).connect()
        with pytest.raises(Forbidden, match="because"):
            await AggTradeClient(AggTradeConfig(symbols=["a"]), Nobody(), url=gateway.url, token="x").start()
    for wrong in ({"url": "ws://h?token=secret"}, {"token": "secret\n"}):
        with pytest.raises(Unusable, match="token"):
            BinanceWebSocket(**wrong)  # type: ignore[arg-type]
