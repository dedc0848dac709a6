import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from workers.simulator.control import Decision, Subscriptions, binary, decide


def ask(market: Market = Market.SPOT, held: dict[str, None] | None = None, **request: object) -> Decision:
    return decide(json.dumps(request), Subscriptions(market, False, held or {}))


def answer(decision: Decision) -> Any:
    return json.loads(decision.reply)


def test_a_subscription_is_acknowledged() -> None:
    decision = ask(method="SUBSCRIBE", params=["btcusdt@aggTrade", "btcusdt@depth"], id=1)
    assert decision.reply == '{"result":null,"id":1}'
    assert decision.added == ("btcusdt@aggTrade", "btcusdt@depth")


@pytest.mark.parametrize("name", ["nosuch@aggTrade", "BTCUSDT@aggTrade", "btcusdt@invented", "rubbish", "币@trade"])
def test_rubbish_is_acknowledged_and_listed(name: str) -> None:
    assert ask(method="SUBSCRIBE", params=[name], id=1).reply == '{"result":null,"id":1}'
    assert answer(ask(held={name: None}, method="LIST_SUBSCRIPTIONS", id=3)) == {"result": [name], "id": 3}


def test_what_was_never_subscribed_can_be_unsubscribed() -> None:
    assert ask(method="UNSUBSCRIBE", params=["a@b"], id=312) == Decision('{"result":null,"id":312}', removed=("a@b",))


def test_the_framing_can_be_asked_for_and_changed() -> None:
    assert ask(method="GET_PROPERTY", params=["combined"], id=2).reply == '{"result":false,"id":2}'
    decision = ask(method="SET_PROPERTY", params=["combined", True], id=5)
    assert (decision.reply, decision.combined) == ('{"result":null,"id":5}', True)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"method": "SET_PROPERTY", "params": ["colour", True]}, {"code": 0, "msg": "Unknown property"}),
        (
            {"method": "SET_PROPERTY", "params": ["combined", "yes"]},
            {"code": 1, "msg": "Invalid value type: expected Boolean"},
        ),
        (
            {"method": "GET_PROPERTY", "params": [7]},
            {"code": 2, "msg": "Invalid request: property name must be a string"},
        ),
        (
            {"method": "GET_PROPERTY", "params": ["combined", "more"]},
            {"code": 2, "msg": "Invalid request: too many parameters"},
        ),
        ({"method": "SUBSCRIBE", "params": ["not a name"]}, {"code": 2, "msg": "Invalid request: invalid stream"}),
    ],
)
def test_errors_are_nested_and_carry_the_id(request_: dict[str, object], error: dict[str, object]) -> None:
    decision = decide(json.dumps({**request_, "id": 9}), Subscriptions(Market.SPOT, False))
    assert answer(decision) == {"error": error, "id": 9}
    assert decision.close is None
    assert not decision.added


def test_an_unknown_method_is_told_with_its_place() -> None:
    text = '{"method":"SUBSCRIB","params":["btcusdt@depth"],"id":1}'
    message = answer(decide(text, Subscriptions(Market.USDM, False)))["error"]["msg"]
    assert message.startswith("Invalid request: unknown variant `SUBSCRIB`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`")
    assert message.endswith("at line 1 column 20")


def test_a_missing_method_is_told() -> None:
    text = '{"params":["btcusdt@depth"],"id":1}'
    message = answer(decide(text, Subscriptions(Market.USDM, False)))["error"]["msg"]
    assert message == f"Invalid request: missing field `method` at line 1 column {len(text)}"


@pytest.mark.parametrize("id_", [0, 2**63 - 1, -1, "abc-1", "", None])
def test_spot_echoes_integers_short_strings_and_null(id_: object) -> None:
    assert answer(ask(Market.SPOT, method="LIST_SUBSCRIPTIONS", id=id_)) == {"result": [], "id": id_}


@pytest.mark.parametrize("id_", [-1, "1", 1.5, True, 2**63, [1]])
@pytest.mark.parametrize("market", [Market.USDM, Market.COINM])
def test_futures_want_unsigned_integers(market: Market, id_: object) -> None:
    expected = {"error": {"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"}}
    assert answer(ask(market, method="LIST_SUBSCRIPTIONS", id=id_)) == expected


def test_only_futures_disconnect_after_invalid_json() -> None:
    for market in Market:
        decision = decide("hello", Subscriptions(market, False))
        assert decision.reply == '{"error":{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}}'
        assert (decision.close is None) == (market is Market.SPOT)


def test_the_stream_after_the_last_allowed_loses_all() -> None:
    held = Subscriptions(Market.SPOT, False, {f"s{index}@trade": None for index in range(1024)})
    again = decide('{"method":"SUBSCRIBE","params":["s1@trade"],"id":18}', held)
    assert again.close is None
    decision = decide('{"method":"SUBSCRIBE","params":["one@trade"],"id":19}', held)
    assert answer(decision) == {"error": {"code": 4, "msg": "Too many subscriptions"}, "id": 19}
    assert (decision.close, decision.violation) == ("Invalid request", "streams")


def test_a_binary_message_closes_without_a_word() -> None:
    assert binary() == Decision(close="Invalid request", violation="binary")


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
methods = st.sampled_from(["SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY", "PING"])
requests = anything | st.fixed_dictionaries(
    {}, optional={"method": methods | anything, "params": st.lists(anything, max_size=4) | anything, "id": anything}
)


@given(st.sampled_from(Market), requests)
def test_whatever_is_asked_the_answer_is_one_result_or_one_error(market: Market, request: object) -> None:
    decision = decide(json.dumps(request), Subscriptions(market, False))
    reply = answer(decision)
    assert ("result" in reply) != ("error" in reply)
    if "error" in reply:
        assert isinstance(reply["error"]["code"], int)
        assert not decision.added
        assert not decision.removed
    assert decision.close is None


@given(st.sampled_from(Market), st.text())
def test_no_text_breaks_the_protocol(market: Market, text: str) -> None:
    assert isinstance(answer(decide(text, Subscriptions(market, False))), dict)
