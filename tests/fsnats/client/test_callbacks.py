from http import HTTPStatus

import pytest

from fsnats.client import AggTradeClient, AggTradeConfig, BinanceWebSocket, Forbidden, Unusable
from tests.conftest import eventually
from tests.fsnats.client.gateways import Gateway, running
from tests.fsnats.client.test_handlers import Nobody


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
