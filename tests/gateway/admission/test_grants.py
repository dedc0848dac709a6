from fsnats.binance.streams import KINDS, Market, parse
from gateway.admission.grants import EVERYTHING, TYPES, Grant
from gateway.protocol.topics import STREAM_TYPES

KLINES_OF_SPOT = Grant(name="x", markets=frozenset({Market.SPOT}), types=frozenset({"kline", "depth"}))


def test_without_limits_everything_may_be_read() -> None:
    assert EVERYTHING.why_not_stream(parse(Market.COINM, "btcusd@indexPrice")) is None


def test_what_is_not_allowed_is_named_with_what_is() -> None:
    usdm, ticker = parse(Market.USDM, "btcusdt@kline_1m"), parse(Market.SPOT, "btcusdt@ticker")

    assert KLINES_OF_SPOT.why_not_stream(usdm) == "this token may not read usdm; allowed: spot"
    assert KLINES_OF_SPOT.why_not_stream(ticker) == "this token may not read ticker; allowed: depth, kline"


def test_forms_of_one_type_are_allowed_together() -> None:
    for name in ("btcusdt@depth", "btcusdt@depth20@100ms", "btcusdt@kline_1s"):
        assert KLINES_OF_SPOT.why_not_stream(parse(Market.SPOT, name)) is None
    liquidations = Grant(name="x", types=frozenset({"liquidation"}))
    assert liquidations.why_not_stream(parse(Market.USDM, "!forceOrder@arr")) is None


def test_every_stream_is_of_a_type_and_every_word_of_the_native_dialect_is_one() -> None:
    assert set(STREAM_TYPES) <= TYPES
    assert len(TYPES) < len(KINDS)
