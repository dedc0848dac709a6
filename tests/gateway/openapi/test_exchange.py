from fsnats.binance.methods import METHODS
from fsnats.binance.streams import Market
from gateway.openapi.exchange import operations

DESCRIBED = {each.path: each for each in operations(tuple(Market))}


def test_each_method_is_at_the_root_and_behind_its_markets_base() -> None:
    assert DESCRIBED["/fapi/v1/depth"].places == [("GET", "/fapi/v1/depth"), ("GET", "/usdm/fapi/v1/depth")]
    assert DESCRIBED["/fapi/v2/ticker/price"].bases == ("", "/usdm")
    assert len(DESCRIBED) == sum(len(methods) for methods in METHODS.values())


def test_statistics_at_the_root_are_usdms() -> None:
    assert DESCRIBED["/futures/data/basis"].bases == ("", "/usdm")
    assert DESCRIBED["/coinm/futures/data/basis"].bases == ("",)


def test_examples_name_what_their_market_has() -> None:
    assert DESCRIBED["/api/v3/klines"].example == "/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=5"
    assert DESCRIBED["/dapi/v1/fundingRate"].example == "/dapi/v1/fundingRate?symbol=BTCUSD_PERP&limit=5"
    assert DESCRIBED["/futures/data/basis"].example == (
        "/futures/data/basis?pair=BTCUSDT&contractType=PERPETUAL&period=5m&limit=5"
    )
    assert DESCRIBED["/fapi/v1/indexInfo"].example == "/fapi/v1/indexInfo"


def test_what_a_parameter_may_be_is_told_by_the_table_it_is_read_by() -> None:
    depth = {each.name: each.schema for each in DESCRIBED["/fapi/v1/depth"].parameters}
    assert depth["limit"] == {"type": "integer", "enum": [5, 10, 20, 50, 100, 500, 1000]}
    candles = {each.name: each.schema for each in DESCRIBED["/api/v3/klines"].parameters}
    assert "1s" in str(candles["interval"])
    assert candles["timeZone"] == {"type": "string", "pattern": r"^[+-]?[0-9]{1,2}(:[0-9]{2})?$"}
