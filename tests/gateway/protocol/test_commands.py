"""Binance's control messages, read as Binance reads them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.commands import (
    Command,
    GetCombined,
    ListSubscriptions,
    Rejected,
    SetCombined,
    Subscribe,
    Unsubscribe,
    command_of,
    failure,
    result,
)

VARIANTS = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (
            '{"method":"SUBSCRIBE","params":["btcusdt@aggTrade","btcusdt@depth"],"id":1}',
            Subscribe(["btcusdt@aggTrade", "btcusdt@depth"], b"1"),
        ),
        ('{"method":"SUBSCRIBE","params":[],"id":1}', Subscribe([], b"1")),
        ('{"method":"UNSUBSCRIBE","params":["btcusdt@depth"],"id":312}', Unsubscribe(["btcusdt@depth"], b"312")),
        ('{"method":"LIST_SUBSCRIPTIONS","id":3}', ListSubscriptions(b"3")),
        ('{"method":"LIST_SUBSCRIPTIONS","params":[],"id":"3"}', ListSubscriptions(b'"3"')),
        ('{"method":"SET_PROPERTY","params":["combined",true],"id":5}', SetCombined(True, b"5")),
        ('{"method":"SET_PROPERTY","params":["combined",false]}', SetCombined(False, None)),
        ('{"method":"GET_PROPERTY","params":["combined"],"id":2}', GetCombined(b"2")),
        ('{"id":2,"extra":{"x":[]},"params":["combined"],"method":"GET_PROPERTY"}', GetCombined(b"2")),
    ],
)
def test_command_is_read(text: str, command: Command) -> None:
    assert command_of(text) == command


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", 3, "Invalid JSON: expected value at line 1 column 1"),
        ("ping", 3, "Invalid JSON: expected value at line 1 column 1"),
        ('{"method":"SUBSCRIBE"', 3, "Invalid JSON: expected value at line 1 column 1"),
        ("[]", 2, "Invalid request: expected an object"),
        ('{"params":[],"id":1}', 2, "Invalid request: missing field `method` at line 1 column 20"),
        ('{\n"id":1}', 2, "Invalid request: missing field `method` at line 2 column 7"),
        (
            '{"method":"LIST_SUBSCRIPTION","id":3}',
            2,
            f"Invalid request: unknown variant `LIST_SUBSCRIPTION`, expected one of {VARIANTS} at line 1 column 29",
        ),
        (
            '{"method":"subscribe","params":["a@trade"],"id":3}',
            2,
            f"Invalid request: unknown variant `subscribe`, expected one of {VARIANTS} at line 1 column 21",
        ),
        ('{"method":5}', 2, "Invalid request: invalid type: `method` must be a string at line 1 column 11"),
        ('{"method":"SUBSCRIBE"}', 2, "Invalid request: missing field `params` at line 1 column 22"),
        ('{"method":"SUBSCRIBE","params":"a@trade"}', 2, "Invalid request: `params` must be an array"),
        ('{"method":"SUBSCRIBE","params":[1]}', 2, "Invalid request: invalid stream"),
        ('{"method":"SUBSCRIBE","params":[""]}', 2, "Invalid request: invalid stream"),
        ('{"method":"SUBSCRIBE","params":["' + "x" * 201 + '"]}', 2, "Invalid request: invalid stream"),
        ('{"method":"SET_PROPERTY","params":[true,"combined"]}', 2, "Invalid request: property name must be a string"),
        ('{"method":"SET_PROPERTY","params":[]}', 2, "Invalid request: property name must be a string"),
        ('{"method":"SET_PROPERTY","params":["speed",true]}', 0, "Unknown property"),
        ('{"method":"GET_PROPERTY","params":["speed"]}', 0, "Unknown property"),
        ('{"method":"SET_PROPERTY","params":["combined","true"]}', 1, "Invalid value type: expected Boolean"),
        ('{"method":"SET_PROPERTY","params":["combined"]}', 1, "Invalid value type: expected Boolean"),
        ('{"method":"SET_PROPERTY","params":["combined",true,1]}', 2, "Invalid request: too many parameters"),
        ('{"method":"GET_PROPERTY","params":["combined",1]}', 2, "Invalid request: too many parameters"),
        ('{"method":"SUBSCRIBE","id":1.5}', 2, "Invalid request: request ID must be an unsigned integer"),
    ],
)
def test_error_is_binances(text: str, code: int, message: str) -> None:
    with pytest.raises(Rejected) as rejected:
        command_of(text)
    assert (rejected.value.code, rejected.value.message) == (code, message)


def test_error_knows_the_id_when_it_could_be_read() -> None:
    with pytest.raises(Rejected) as rejected:
        command_of('{"method":"NO","id":"x"}')
    assert rejected.value.request_id == b'"x"'


def test_replies_have_an_id_only_where_the_request_had_one() -> None:
    assert result(None, b"0") == b'{"result":null,"id":0}'
    assert result(["a"], None) == b'{"result":["a"]}'
    assert failure(4, "Too many subscriptions", b"19") == (
        b'{"error":{"code":4,"msg":"Too many subscriptions"},"id":19}'
    )
    assert failure(3, "x") == b'{"error":{"code":3,"msg":"x"}}'


ids = st.integers(-(2**63), 2**63 - 1) | st.text() | st.none()


@given(ids, st.sampled_from(["SUBSCRIBE", "NO"]))
def test_id_comes_back_with_value_and_type(request_id: int | str | None, method: str) -> None:
    text = json.dumps({"method": method, "params": [], "id": request_id})
    try:
        reply = json.loads(result(None, command_of(text).id))
    except Rejected as error:
        reply = json.loads(failure(error.code, error.message, error.request_id))
    assert reply["id"] == request_id
    assert type(reply["id"]) is type(request_id)
