"""The native dialect's requests, field by field."""

import json

import pytest

from fsnats.binance.streams import Market
from fsnats.errors import BadCommand
from gateway.protocol import requests
from gateway.protocol.requests import Candles, Request, request_of
from gateway.protocol.wire import encode
from tests.gateway.protocol.worlds import COINM, EVERY, SPOT, USDM


def request(**fields: object) -> Request:
    return request_of(json.dumps(fields))


@pytest.mark.parametrize(
    ("text", "code"), [("{", "INVALID_JSON"), ("", "INVALID_JSON"), ("[]", "INVALID_REQUEST"), ("7", "INVALID_REQUEST")]
)
def test_message_that_is_no_request(text: str, code: str) -> None:
    with pytest.raises(BadCommand) as error:
        request_of(text)
    assert error.value.code == code


def test_unknown_fields_are_ignored() -> None:
    assert requests.type_of(request(type="ping", colour="red")) == "ping"


def test_echo_repeats_only_what_was_sent_as_it_was_sent() -> None:
    sent = request_of('{"streamType" : "kline", "symbols": ["a",  "b"], "options": null}')
    echo = sent.echo("stream_type", "symbols", "options", "market")
    assert encode(echo) == b'{"streamType":"kline","symbols":["a",  "b"],"options":null}'


@pytest.mark.parametrize(
    ("fields", "stream_type", "default", "market"),
    [
        ({}, "", SPOT, SPOT),
        ({}, "kline", USDM, USDM),
        ({"market": "coinm"}, "kline", SPOT, COINM),
        ({"market": None}, "kline", SPOT, SPOT),
        ({"isFutures": True}, "kline", SPOT, USDM),
        ({"isFutures": False}, "kline", SPOT, SPOT),
        ({"isFutures": False}, "kline", USDM, SPOT),
        ({"market": "coinm", "isFutures": True}, "kline", SPOT, COINM),
        ({"market": "spot", "isFutures": False}, "kline", USDM, SPOT),
        ({}, "markPrice", SPOT, USDM),
        ({}, "liquidation", SPOT, USDM),
        ({}, "continuousKline", SPOT, USDM),
        ({}, "liquidation", COINM, COINM),
        ({"market": "coinm"}, "liquidation", SPOT, COINM),
        ({"market": "spot"}, "liquidation", USDM, SPOT),  # which then is an error of its own
        ({"isFutures": False}, "liquidation", SPOT, USDM),
    ],
)
def test_market_that_a_request_means(
    fields: dict[str, object], stream_type: str, default: Market, market: Market
) -> None:
    assert requests.market_of(request(**fields), default, EVERY, stream_type) is market


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({"market": "futures"}, "UNKNOWN_MARKET", "unknown market 'futures'; allowed: spot, usdm"),
        ({"market": "coinm"}, "UNKNOWN_MARKET", "unknown market 'coinm'; allowed: spot, usdm"),
        ({"market": 5}, "INVALID_FIELD", "'market' must be a string"),
        ({"isFutures": "true"}, "INVALID_FIELD", "'isFutures' must be true or false"),
        (
            {"market": "spot", "isFutures": True},
            "INVALID_FIELD",
            "'market' and 'isFutures' contradict each other on spot",
        ),
        (
            {"market": "usdm", "isFutures": False},
            "INVALID_FIELD",
            "'market' and 'isFutures' contradict each other on usdm",
        ),
    ],
)
def test_market_that_cannot_be_meant(fields: dict[str, object], code: str, message: str) -> None:
    with pytest.raises(BadCommand) as error:
        requests.market_of(request(**fields), SPOT, (SPOT, USDM))
    assert (error.value.code, error.value.message) == (code, message)


def test_options_are_checked_by_name_and_type() -> None:
    assert requests.options_of(request(options={"interval": "1m", "level": 5, "updateSpeed": None})) == {
        "interval": "1m",
        "level": 5,
    }
    assert requests.options_of(request(options=None)) == requests.options_of(request()) == {}


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (
            {"levels": 5},
            "UNKNOWN_OPTION",
            "unknown option 'levels'; allowed: interval, level, updateSpeed, contractType, onSlow, maxRate, closedOnly",
        ),
        ({"level": [5]}, "INVALID_FIELD", "'level' must be a string or an integer"),
        ({"level": True}, "INVALID_FIELD", "'level' must be a string or an integer"),
        ({"level": 5.5}, "INVALID_FIELD", "'level' must be a string or an integer"),
        (["1m"], "INVALID_FIELD", "'options' must be an object"),
        ("1m", "INVALID_FIELD", "'options' must be an object"),
    ],
)
def test_wrong_options(options: object, code: str, message: str) -> None:
    with pytest.raises(BadCommand) as error:
        requests.options_of(request(options=options))
    assert (error.value.code, error.value.message) == (code, message)


@pytest.mark.parametrize(
    ("symbols", "code"),
    [
        ("btcusdt", "INVALID_FIELD"),
        ([], "INVALID_FIELD"),
        ([1], "INVALID_FIELD"),
        ({"a": 1}, "INVALID_FIELD"),
        (None, "MISSING_FIELD"),
    ],
)
def test_wrong_names(symbols: object, code: str) -> None:
    with pytest.raises(BadCommand) as error:
        requests.names_of(request(symbols=symbols).symbols, "symbols")
    assert error.value.code == code
    assert "'symbols'" in error.value.message


def test_candles_are_read() -> None:
    asked = request(interval="1m", limit=500, startTime=1620000000000, endTime=1620100000000)
    assert requests.candles_of(asked, SPOT) == Candles("1m", 500, 1620000000000, 1620100000000, "")
    assert requests.candles_of(request(interval="1M", limit=None), USDM) == Candles("1M", None, None, None, "")


@pytest.mark.parametrize(
    ("fields", "code", "message"),
    [
        ({}, "MISSING_FIELD", "missing field 'interval', a string"),
        ({"interval": "7m"}, "UNKNOWN_INTERVAL", "unknown interval '7m' on spot; allowed: "),
        ({"interval": "1m", "limit": 0}, "INVALID_FIELD", "'limit' must be 1 to 5000"),
        ({"interval": "1m", "limit": 5001}, "INVALID_FIELD", "'limit' must be 1 to 5000"),
        ({"interval": "1m", "limit": "500"}, "INVALID_FIELD", "'limit' must be an integer"),
        ({"interval": "1m", "startTime": -1}, "INVALID_FIELD", "'startTime' must be milliseconds since 1970"),
        ({"interval": "1m", "endTime": 1 << 70}, "INVALID_FIELD", "'endTime' must be milliseconds since 1970"),
        ({"interval": "1m", "startTime": 2, "endTime": 1}, "INVALID_FIELD", "'startTime' is after 'endTime'"),
    ],
)
def test_wrong_candles(fields: dict[str, object], code: str, message: str) -> None:
    with pytest.raises(BadCommand) as error:
        requests.candles_of(request(**fields), SPOT)
    assert error.value.code == code
    assert error.value.message.startswith(message)


@pytest.mark.parametrize(
    ("continuous", "contract"),
    [(None, ""), (False, ""), (True, "perpetual"), ("current_quarter", "current_quarter"), ("PERPETUAL", "perpetual")],
)
def test_the_type_of_contract_is_read(continuous: object, contract: str) -> None:
    assert requests.contract_of(request(continuous=continuous)) == contract


@pytest.mark.parametrize(("continuous", "code"), [("weekly", "UNKNOWN_CONTRACT_TYPE"), (1, "INVALID_FIELD")])
def test_a_wrong_type_of_contract_is_named(continuous: object, code: str) -> None:
    with pytest.raises(BadCommand) as error:
        requests.contract_of(request(continuous=continuous))
    assert error.value.code == code


def test_spot_has_no_continuous_candles() -> None:
    with pytest.raises(BadCommand) as error:
        requests.candles_of(request(interval="1m"), SPOT, "perpetual")
    assert error.value.code == "UNKNOWN_STREAM_TYPE"


def test_id_of_another_type_is_refused() -> None:
    with pytest.raises(BadCommand) as error:
        requests.request_id_of(request(id=[1]))
    assert error.value.code == "INVALID_ID"
