import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market, parse
from fsnats.errors import Unusable
from fsnats.normalised import TYPES, iso, normalised, type_of, values

TICKER = (
    b'{"e":"24hrTicker","E":1703520000000,"s":"BTCUSDT","p":"500.50","P":"1.19","w":"1","c":"42500.50","Q":"1",'
    b'"o":"42000.00","h":"43000.00","l":"41500.00","v":"15000.5","q":"637507500.0","O":0,"C":1,"F":1,"L":2,"n":2}'
)
KLINE = (
    b'{"e":"kline","E":1703520060000,"s":"BTCUSDT","k":{"t":1703520000000,"T":1703520059999,"s":"BTCUSDT","i":"1m",'
    b'"f":1,"L":2,"o":"42500.00","c":"42530.00","h":"42550.00","l":"42480.00","v":"125.5","n":1250,"x":true,'
    b'"q":"5337415.00","V":"1","Q":"1","B":"0"}}'
)
TRADE = (
    b'{"e":"trade","E":1703520000500,"s":"BTCUSDT","t":123456789,"p":"42500.00","q":"0.5","T":1703520000000,"m":false}'
)


def test_a_ticker_is_the_eleven_fields_of_the_seed_in_its_envelope() -> None:
    text = normalised(parse(Market.SPOT, "btcusdt@ticker"), TICKER, 1)

    assert text == (
        b'{"type":"ticker","data":{"type":"ticker","symbol":"BTCUSDT","price":42500.50,"open":42000.00,"high":43000.00,'
        b'"low":41500.00,"volume":15000.5,"quote_volume":637507500.0,"price_change":500.50,"price_change_percent":1.19,'
        b'"timestamp":1703520000000},"timestamp":"2023-12-25T16:00:00.000Z"}'
    )


def test_a_candle_has_the_seeds_fields_and_the_time_of_its_event_around_them() -> None:
    message = json.loads(normalised(parse(Market.USDM, "btcusdt@kline_1m"), KLINE, 1))

    assert message["timestamp"] == iso(1703520060000)
    assert message["data"] == {
        "type": "kline",
        "symbol": "BTCUSDT",
        "interval": "1m",
        "timestamp": 1703520000000,
        "open": 42500.0,
        "high": 42550.0,
        "low": 42480.0,
        "close": 42530.0,
        "volume": 125.5,
        "is_closed": True,
        "trades": 1250,
        "quote_volume": 5337415.0,
    }


def test_a_trade_has_the_seven_fields_of_the_seed() -> None:
    data = json.loads(normalised(parse(Market.SPOT, "btcusdt@trade"), TRADE, 1))["data"]

    assert list(data) == ["type", "symbol", "trade_id", "price", "quantity", "timestamp", "is_buyer_maker"]
    assert (data["trade_id"], data["is_buyer_maker"], data["timestamp"]) == (123456789, False, 1703520000000)


def test_what_the_payload_does_not_tell_is_when_it_was_received_or_null() -> None:
    book = b'{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}'
    text = normalised(parse(Market.SPOT, "bnbusdt@bookTicker"), book, 1703520000001)
    assert b'"bid_price":25.35190000,' in text
    assert b'"timestamp":1703520000001},"timestamp":"2023-12-25T16:00:00.001Z"' in text

    mark = b'{"e":"markPriceUpdate","E":5,"s":"BTCUSD_261225","p":"1.0","P":"","i":"1.2","r":"","T":0}'
    (data,) = values(parse(Market.COINM, "btcusd_261225@markPrice"), mark, 1)
    assert (data["funding_rate"], data["estimated_settle_price"], data["next_funding_time"]) == (None, None, 0)


def test_arrays_are_arrays_and_take_the_symbol_from_each_row() -> None:
    rows = b'[{"e":"24hrMiniTicker","E":7,"s":"A","c":"1"},{"e":"24hrMiniTicker","E":8,"s":"B","c":"2"}]'
    message = json.loads(normalised(parse(Market.SPOT, "!miniTicker@arr"), rows, 1))

    assert [(row["symbol"], row["price"], row["timestamp"]) for row in message["data"]] == [("A", 1, 7), ("B", 2, 8)]
    assert (message["type"], message["timestamp"]) == ("mini_ticker", iso(7))
    assert json.loads(normalised(parse(Market.SPOT, "!miniTicker@arr"), b"[]", 9))["data"] == []


def test_books_and_liquidations_and_continuous_candles_are_told_as_well() -> None:
    partial = b'{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[]}'
    (data,) = values(parse(Market.SPOT, "btcusdt@depth5"), partial, 3, Decimal)
    assert data == {
        "type": "partial_depth",
        "symbol": "BTCUSDT",
        "last_update_id": 160,
        "bids": [[Decimal("0.0024"), Decimal(10)]],
        "asks": [],
        "timestamp": 3,
    }
    force = b'{"e":"forceOrder","E":9,"o":{"s":"ETHUSDT","S":"SELL","q":"0.014","p":"9910","T":8}}'
    (data,) = values(parse(Market.USDM, "!forceOrder@arr"), force, 1)
    assert (data["symbol"], data["side"], data["price"], data["timestamp"]) == ("ETHUSDT", "SELL", 9910.0, 8)
    candle = KLINE.replace(b'"s":"BTCUSDT","k"', b'"ps":"BTCUSDT","ct":"PERPETUAL","k"')
    (data,) = values(parse(Market.USDM, "btcusdt_perpetual@continuousKline_1m"), candle, 1)
    assert (data["type"], data["symbol"], data["contract_type"]) == ("continuous_kline", "BTCUSDT", "PERPETUAL")


def test_exact_numbers_stay_the_strings_that_they_were() -> None:
    text = normalised(parse(Market.SPOT, "btcusdt@ticker"), TICKER, 1, exact=True)
    assert b'"price":"42500.50","open":"42000.00"' in text
    assert b'"timestamp":1703520000000}' in text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_every_number_is_the_decimal_that_binance_sent(number: Decimal) -> None:
    sent = f"{number:f}"
    payload = TRADE.replace(b"42500.00", sent.encode())
    stream = parse(Market.SPOT, "btcusdt@trade")

    (line,) = [part for part in normalised(stream, payload, 1).split(b",") if part.startswith(b'"price":')]
    assert line == b'"price":' + sent.encode()
    assert json.loads(normalised(stream, payload, 1), parse_float=Decimal, parse_int=Decimal)["data"]["price"] == number
    assert values(stream, payload, 1, Decimal)[0]["price"] == number
    assert json.loads(normalised(stream, payload, 1, exact=True))["data"]["price"] == sent


@pytest.mark.parametrize("wrong", [b"", b"{", b"7", b'[{"e":7},8]', b'"x"', b"\xff"])
def test_a_payload_of_another_shape_is_refused(wrong: bytes) -> None:
    with pytest.raises(Unusable, match="btcusdt@trade"):
        normalised(parse(Market.SPOT, "btcusdt@trade"), wrong, 1)


def test_a_stream_without_a_normalised_form_says_so() -> None:
    with pytest.raises(Unusable, match="btcusdt@avgPrice: no normalised form"):
        type_of(parse(Market.SPOT, "btcusdt@avgPrice"))


def test_there_are_as_many_types_as_streams_have() -> None:
    examples = ["a@ticker", "a@miniTicker", "a@kline_1m", "a@trade", "a@aggTrade", "a@bookTicker", "a@markPrice"]
    examples += ["a@forceOrder", "a@depth", "a@depth5", "a_perpetual@continuousKline_1m"]
    assert {type_of(parse(Market.USDM, name)) for name in examples} == set(TYPES)
