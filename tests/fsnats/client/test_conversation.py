import json
from decimal import Decimal
from typing import Any

import pytest

from fsnats.binance.streams import Market
from fsnats.client.conversation import Conversation, Rejected, TryLater, market_of
from fsnats.client.values import Gap, Message
from fsnats.errors import Unavailable, Unusable

TRADE = '{"e":"trade","E":7,"s":"BTCUSDT","t":1,"p":"1.50","q":"2","T":7,"m":true,"M":true}'


def asked(conversation: Conversation) -> list[dict[str, Any]]:
    return [json.loads(request) for request in conversation.opened()]


def message(stream: str, seq: int, **more: object) -> str:
    return json.dumps({"stream": stream, "epoch": 9, "seq": seq, **more})[:-1] + f',"data":{TRADE}}}'


def test_a_first_connection_is_asked_for_everything_with_what_comes_before_it() -> None:
    conversation = Conversation(Market.USDM, ["a@trade", "b@trade", "a@trade"], options={"maxRate": 2}, history=5)

    assert asked(conversation) == [
        {
            "type": "subscribe",
            "market": "usdm",
            "rawStreams": ["a@trade", "b@trade"],
            "id": 1,
            "options": {"maxRate": 2},
            "snapshot": True,
            "history": 5,
        }
    ]


def test_the_next_connection_goes_on_after_what_was_read() -> None:
    conversation = Conversation(Market.SPOT, ["a@trade", "b@trade"])
    conversation.opened()
    conversation.received(message("a@trade", 3))
    conversation.received(message("a@trade", 4))

    resumed, new = asked(conversation)
    assert (resumed["rawStreams"], resumed["resume"]) == (["a@trade"], {"a@trade": {"epoch": 9, "seq": 4}})
    assert resumed["snapshot"] is False
    assert (new["rawStreams"], "resume" in new, new["snapshot"]) == (["b@trade"], False, True)
    assert resumed["id"] != new["id"]


def test_places_of_another_program_can_be_gone_on_from() -> None:
    (request,) = asked(Conversation(Market.SPOT, ["a@trade"], places={"a@trade": (5, 6)}))

    assert request["resume"] == {"a@trade": {"epoch": 5, "seq": 6}}


def test_many_names_are_asked_for_in_several_requests_each_below_the_gateways_limit() -> None:
    names = [f"{'x' * 30}{number}@continuousKline_15m" for number in range(700)]
    conversation = Conversation(Market.USDM, names, places=dict.fromkeys(names, (1795174351645151000, 10**9)))
    requests = conversation.opened()

    assert [name for request in requests for name in json.loads(request)["rawStreams"]] == names
    assert max(map(len, requests)) < 64 * 1024


def test_a_message_is_its_payload_byte_for_byte_and_its_place() -> None:
    conversation = Conversation(Market.SPOT, ["btcusdt@trade"])
    value = conversation.received(message("btcusdt@trade", 3, recovered=True, received=12))

    assert value == Message(
        market=Market.SPOT,
        stream="btcusdt@trade",
        payload=TRADE.encode(),
        epoch=9,
        seq=3,
        received_ms=12,
        is_recovered=True,
    )
    assert value.data["p"] == "1.50"
    assert isinstance(normal := value.normalised(Decimal), dict)
    assert normal["price"] == Decimal("1.50")


def test_history_has_no_place() -> None:
    conversation = Conversation(Market.SPOT, ["a@trade"])
    value = conversation.received('{"stream":"a@trade","history":true,"data":{}}')

    assert isinstance(value, Message)
    assert value.is_history
    assert conversation.places == {}


def test_gaps_are_values_and_so_is_a_resume_that_is_not_certain() -> None:
    conversation = Conversation(Market.SPOT, ["a@depth"])
    gap = conversation.received(
        '{"type":"gap","market":"spot","data":{"e":"gap","stream":"a@depth","from":6,"to":8,"unit":"u",'
        '"reason":"cannot be fetched","resync":true}}'
    )
    assert gap == Gap(
        market=Market.SPOT, stream="a@depth", reason="cannot be fetched", first=6, last=8, unit="u", resync=True
    )
    assert conversation.received('{"type":"resumed","stream":"a@depth","recovered":true,"missed":3}') is None
    unsure = conversation.received('{"type":"resumed","stream":"a@depth","recovered":false,"missed":0}')
    assert isinstance(unsure, Gap)
    assert (unsure.stream, unsure.unit) == ("a@depth", "")
    ended = conversation.received('{"type":"historyEnd","stream":"a@kline_1m","count":0,"error":"no"}')
    assert isinstance(ended, Gap)
    assert "no" in ended.reason


def test_other_messages_say_nothing() -> None:
    conversation = Conversation(Market.SPOT, ["a@trade"])

    for text in ('{"type":"subscribed","rawStreams":["a@trade"]}', '{"type":"goodbye","reconnect":true}', "{}"):
        assert conversation.received(text) is None
    assert conversation.received('{"type":"connection","simulated":true,"clientId":"x"}') is None
    assert conversation.simulated


def test_a_refusal_is_the_callers_fault_or_passes() -> None:
    conversation = Conversation(Market.SPOT, ["a@trade"])
    with pytest.raises(Rejected, match="UNKNOWN_SYMBOL: unknown symbol") as refused:
        conversation.received('{"type":"error","code":"UNKNOWN_SYMBOL","message":"unknown symbol A","part":["a"]}')
    assert (refused.value.code, refused.value.part) == ("UNKNOWN_SYMBOL", ["a"])
    with pytest.raises(TryLater) as later:
        conversation.received('{"type":"error","code":"TOO_MANY_REQUESTS","message":"slow down","retryAfter":2.5}')
    assert later.value.retry_after == 2.5


@pytest.mark.parametrize("wrong", ["", "[]", '{"type":7}', '{"type":"gap","data":7}', "\x00"])
def test_what_is_not_understood_is_no_silence(wrong: str) -> None:
    with pytest.raises(Unavailable, match="not understood"):
        Conversation(Market.SPOT, ["a@trade"]).received(wrong)


def test_an_unknown_market_names_those_that_there_are() -> None:
    assert market_of("coinm") is Market.COINM
    with pytest.raises(Unusable, match="'forex': no market; there are spot, usdm, coinm"):
        market_of("forex")
