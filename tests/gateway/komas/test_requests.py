import msgspec
import pytest

from fsnats.binance.streams import Market, parse
from fsnats.errors import Unusable
from fsnats.normalised import TYPES, type_of
from gateway.komas.requests import Subscribe, Unsubscribe, described, stream_id, stream_of_id, streams_of
from tests.gateway.protocol.worlds import world

MARKETS = (Market.SPOT, Market.USDM)


def names(**asked: object) -> list[str]:
    return [stream.name for stream in streams_of(Subscribe(**asked), MARKETS, world())]  # type: ignore[arg-type]


def test_each_type_names_its_stream() -> None:
    assert names(symbols=["BTCUSDT", "ethusdt", "BTCUSDT"]) == ["btcusdt@ticker", "ethusdt@ticker"]
    assert names(symbols=["BTCUSDT"], stream_type="kline") == ["btcusdt@kline_1m"]
    assert names(symbols=["BTCUSDT"], stream_type="kline", interval="1M") == ["btcusdt@kline_1M"]
    assert names(symbols=["BTCUSDT"], stream_type="agg_trade", market="usdm") == ["btcusdt@aggTrade"]


def test_what_only_futures_have_means_futures() -> None:
    (stream,) = streams_of(Subscribe(["BTCUSDT"], "mark_price"), MARKETS, world())
    assert (stream.market, stream.name) == (Market.USDM, "btcusdt@markPrice@1s")


def test_every_normalised_type_can_be_asked_for() -> None:
    for name in TYPES:
        assert [type_of(stream) for stream in streams_of(Subscribe(["BTCUSDT"], name), MARKETS, world())] == [name]


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (Subscribe(["BTC_USDT"]), "did you mean BTCUSDT?"),
        (Subscribe([]), "'symbols' is empty"),
        (Subscribe(["BTCUSDT"], "candles"), "unknown stream_type 'candles'; allowed: ticker, mini_ticker"),
        (Subscribe(["BTCUSDT"], "kline", "7m"), "unknown interval '7m'"),
        (Subscribe(["BTCUSDT"], market="coinm"), "market 'coinm' is not carried here; allowed: spot, usdm"),
        (Unsubscribe(["BTCUSDT"], market="forex"), "market 'forex'"),
    ],
)
def test_what_is_wrong_is_named(asked: Subscribe, named: str) -> None:
    with pytest.raises(Unusable) as wrong:
        streams_of(asked, MARKETS, world())
    assert named in str(wrong.value)


def test_ids_lead_back_to_their_streams() -> None:
    stream = parse(Market.USDM, "btcusdt@kline_5m")
    assert stream_of_id(stream_id(stream.market, stream.name)) == stream
    assert msgspec.to_builtins(described(stream, 7)) == {
        "stream_id": "usdm:btcusdt@kline_5m",
        "symbol": "BTCUSDT",
        "stream_type": "kline",
        "market": "usdm",
        "since": 7,
        "interval": "5m",
    }
    for wrong in ("btcusdt@ticker", "spot:nonsense", "forex:x@ticker"):
        with pytest.raises(Unusable, match="stream_id"):
            stream_of_id(wrong)
