import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.errors import Unusable
from gateway.protocol.forms import Envelope
from gateway.sse.wish import NoSuchPath, Wish, wish_of

MARKETS = (Market.SPOT, Market.USDM)


@pytest.mark.parametrize(
    ("target", "streams"),
    [
        ("prices?symbols=BTCUSDT,ETHUSDT", ("btcusdt@ticker", "ethusdt@ticker")),
        ("prices", ("btcusdt@ticker", "ethusdt@ticker", "bnbusdt@ticker")),
        ("klines?symbol=BTCUSDT&interval=1M", ("btcusdt@kline_1M",)),
        ("klines?symbol=BTCUSDT", ("btcusdt@kline_1m",)),
        ("trades?symbol=btcusdt", ("btcusdt@trade",)),
        ("stream?streams=BTCUSDT@aggTrade/ethusdt@depth5,btcusdt@aggTrade", ("btcusdt@aggTrade", "ethusdt@depth5")),
    ],
)
def test_each_path_names_its_streams(target: str, streams: tuple[str, ...]) -> None:
    assert wish_of(f"/api/ws/sse/{target}", MARKETS) == Wish(Market.SPOT, streams, Envelope.NORMALISED, "")


def test_market_form_and_place_are_parameters() -> None:
    target = "/api/ws/sse/stream?streams=btcusdt@trade&market=usdm&format=raw&lastEventId=1.2&token=x"
    assert wish_of(target, MARKETS) == Wish(Market.USDM, ("btcusdt@trade",), Envelope.TYPED, "1.2")
    assert wish_of("/api/ws/sse/prices?decimal=string", MARKETS).envelope is Envelope.EXACT


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ("klines?interval=1m", "'symbol' is missing"),
        ("klines?symbol=BTCUSDT&interval=7m", "unknown interval '7m'"),
        ("trades?symbol=BTCUSDT&symbols=X", "unknown parameter 'symbols'"),
        ("stream?streams=", "'streams' is missing"),
        ("stream?streams=/", "0 streams"),
        ("stream?streams=btcusdt@nonsense", "nonsense"),
        ("prices?market=coinm", "market 'coinm' is not carried here; allowed: spot, usdm"),
        ("prices?decimal=float", "unknown decimal 'float'"),
        ("stream?streams=a@trade&format=xml", "unknown format 'xml'"),
        ("prices?symbols=" + ",".join(f"A{number}" for number in range(201)), "201 streams"),
    ],
)
def test_what_is_wrong_is_named(target: str, named: str) -> None:
    with pytest.raises(Unusable) as wrong:
        wish_of(f"/api/ws/sse/{target}", MARKETS)
    assert named in str(wrong.value)


def test_other_paths_are_not_found() -> None:
    with pytest.raises(NoSuchPath, match="/api/ws/sse/prices"):
        wish_of("/api/ws/sse/depth", MARKETS)


@given(st.text(max_size=40))
def test_any_target_is_read_or_refused(text: str) -> None:
    try:
        assert wish_of(f"/api/ws/sse/stream?streams={text}", MARKETS).streams
    except Unusable:
        pass
