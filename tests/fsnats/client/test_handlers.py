import pytest

from fsnats.client.handlers import AggTradeClient, AggTradeConfig, ContinuousKlineClient, ContinuousKlineConfig
from fsnats.errors import StreamNameError, Unusable
from fsnats.store import KlineData, RawAggTrade

CANDLE = (
    '{"stream":"btcusdt_perpetual@continuousKline_1m","data":{"e":"continuous_kline","E":1,"ps":"BTCUSDT",'
    '"ct":"PERPETUAL","k":{"t":1607443020000,"T":1607443079999,"i":"1m","f":116467658886,"L":116468012423,"o":"18787.00",'
    '"c":"18804.04","h":"18804.04","l":"18786.54","v":"197.664","n":543,"x":false,"q":"3715253.19494","V":"184.769",'
    '"Q":"3472925.84746","B":"0"}}}'
)
TRADE = (
    '{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1,"a":5933014,"s":"BTCUSDT","p":"0.001","q":"100",'
    '"f":100,"l":105,"T":7,"m":true}}'
)


class Nobody:
    async def handle_message(self, connection_id: int, message: str) -> None: ...


def test_a_candle_is_the_seeds_sixteen_fields() -> None:
    assert ContinuousKlineClient.parse_message(CANDLE) == (
        "BTCUSDT",
        "1m",
        KlineData(
            start_time=1607443020000,
            end_time=1607443079999,
            interval="1m",
            first_trade_id=116467658886,
            last_trade_id=116468012423,
            open="18787.00",
            close="18804.04",
            high="18804.04",
            low="18786.54",
            volume="197.664",
            number_of_trades=543,
            is_closed=False,
            quote_volume="3715253.19494",
            taker_buy_volume="184.769",
            taker_buy_quote_volume="3472925.84746",
            ignore="0",
        ),
    )


def test_a_trade_is_the_seeds_eight_fields() -> None:
    assert AggTradeClient.parse_message(TRADE) == RawAggTrade("BTCUSDT", "0.001", "100", 7, 5933014, 100, 105, True)


def test_other_messages_are_none_and_broken_ones_are_named() -> None:
    assert ContinuousKlineClient.parse_message(TRADE) is None
    assert AggTradeClient.parse_message(CANDLE) is None
    for text in (
        "",
        "{}",
        '{"stream":"x","data":7}',
        TRADE.replace('"a":5933014,', ""),
        TRADE.replace("5933014", '"7"'),
    ):
        with pytest.raises(Unusable, match="message"):
            AggTradeClient.parse_message(text)


async def test_streams_are_named_as_the_seed_names_them_and_spread_over_connections() -> None:
    client = ContinuousKlineClient(
        ContinuousKlineConfig(symbols=["BTCUSDT", "ETHUSDT"], intervals=["1m", "5m"]), Nobody()
    )
    (connection,) = await client.get_connections()
    assert connection.streams == [
        "btcusdt_perpetual@continuousKline_1m",
        "btcusdt_perpetual@continuousKline_5m",
        "ethusdt_perpetual@continuousKline_1m",
        "ethusdt_perpetual@continuousKline_5m",
    ]
    assert (connection.status, connection.message_count) == ("connecting", 0)
    many = AggTradeClient(AggTradeConfig(symbols=[f"A{number}USDT" for number in range(450)]), Nobody())
    assert [len(each.streams) for each in await many.get_connections()] == [200, 200, 50]


def test_what_does_not_exist_is_refused_before_anything_is_connected() -> None:
    with pytest.raises(StreamNameError, match="7m"):
        ContinuousKlineClient(ContinuousKlineConfig(symbols=["BTCUSDT"], intervals=["7m"]), Nobody())
    with pytest.raises(Unusable, match="no symbol"):
        AggTradeClient(AggTradeConfig(symbols=[]), Nobody())
