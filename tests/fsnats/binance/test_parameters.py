import json

import pytest

from fsnats.binance.parameters import RestError, integer, limit_of, needed, shift_of, symbols_of

HOUR = 3_600_000


def code(error: pytest.ExceptionInfo[RestError]) -> int:
    return int(json.loads(error.value.body)["code"])


def test_a_missing_parameter_and_an_empty_one_are_told_apart() -> None:
    with pytest.raises(RestError) as missing:
        needed({}, "symbol")
    with pytest.raises(RestError) as empty:
        needed({"symbol": ""}, "symbol")
    assert (code(missing), code(empty)) == (-1102, -1105)
    assert b"Parameter 'symbol' was empty." in empty.value.body


@pytest.mark.parametrize("text", ["None", "-1", "1.5", "", "1e3"])
def test_numbers_are_digits(text: str) -> None:
    with pytest.raises(RestError) as error:
        integer({"endTime": text}, "endTime")
    assert json.loads(error.value.body) == {
        "code": -1100,
        "msg": "Illegal characters found in parameter 'endTime'; legal range is '^[0-9]{1,20}$'.",
    }


@pytest.mark.parametrize("limit", ["0", "1001"])
def test_a_limit_out_of_range_is_refused(limit: str) -> None:
    with pytest.raises(RestError) as error:
        limit_of({"limit": limit}, 500, 1000)
    assert code(error) == -1130


def test_a_limit_that_is_not_given_is_the_default() -> None:
    assert limit_of({}, 500, 1000) == 500
    assert limit_of({"limit": "7"}, 500, 1000) == 7


@pytest.mark.parametrize(
    ("zone", "hours"), [("0", 0.0), ("8", 8.0), ("-1:00", -1.0), ("05:45", 5.75), ("+14:00", 14.0)]
)
def test_time_zones(zone: str, hours: float) -> None:
    assert shift_of(zone) == hours * HOUR


@pytest.mark.parametrize("zone", ["15", "-13", "UTC", ""])
def test_time_zones_that_do_not_exist(zone: str) -> None:
    with pytest.raises(RestError):
        shift_of(zone)


@pytest.mark.parametrize("text", ["BTCUSDT", '["BTCUSDT", "ETHUSDT"]', '["btcusdt"]', '["BTC USDT"]', "[1]", '"X"'])
def test_several_symbols_are_an_array_without_blanks(text: str) -> None:
    assert symbols_of({"symbols": '["BTCUSDT","币安人生USDT"]'}) == ["BTCUSDT", "币安人生USDT"]
    with pytest.raises(RestError) as refusal:
        symbols_of({"symbols": text})
    assert code(refusal) == -1100
