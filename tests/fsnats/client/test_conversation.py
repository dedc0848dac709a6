import json
from decimal import Decimal
from typing import Any

import pytest

from fsnats.binance.streams import Market
from fsnats.client.conversation import Conversation, Rejected, TryLater, conversation_of, market_of
from fsnats.client.values import Gap, Message
from fsnats.errors import Unavailable, Unusable

NOW = 1_795_174_351_645
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
    conversation.received(message("a@trade", 3), NOW)
    conversation.received(message("a@trade", 4), NOW)

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
    value = conversation.received(message("btcusdt@trade", 3, recovered=True, received=12), NOW)

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
    value = conversation.received('{"stream":"a@trade","history":true,"data":{}}', NOW)

    assert isinstance(value, Message)
    assert value.is_history
    assert conversation.places == {}


def test_gaps_are_values_and_so_is_a_resume_that_is_not_certain() -> None:
    conversation = Conversation(Market.SPOT, ["a@depth"])
    gap = conversation.received(
        '{"type":"gap","market":"spot","data":{"e":"gap","stream":"a@depth","from":6,"to":8,"unit":"u",'
        '"reason":"cannot be fetched","resync":true}}',
        NOW,
    )
    assert gap == Gap(
        market=Market.SPOT, stream="a@depth", reason="cannot be fetched", first=6, last=8, unit="u", resync=True
    )
    assert conversation.received('{"type":"resumed","stream":"a@depth","recovered":true,"missed":3}', NOW) is None
    unsure = conversation.received('{"type":"resumed","stream":"a@depth","recovered":false,"missed":0}', NOW)
    assert isinstance(unsure, Gap)
    assert (unsure.stream, unsure.unit) == ("a@depth", "")
    ended = conversation.received('{"type":"historyEnd","stream":"a@kline_1m","count":0,"error":"no"}', NOW)
    assert isinstance(ended, Gap)
    assert "no" in ended.reason


@pytest.mark.parametrize(("name", "breaks_books"), [("a@depth", True), ("a@depth20", False), ("a@trade", False)])
def test_whoever_keeps_a_book_begins_anew_where_it_is_not_certain_that_nothing_is_missing(
    name: str, breaks_books: bool
) -> None:
    conversation = Conversation(Market.SPOT, [name])
    unsure = conversation.received(f'{{"type":"resumed","stream":"{name}","recovered":false,"missed":0}}', NOW)
    assert isinstance(unsure, Gap)
    assert unsure.resync is breaks_books


def test_of_streams_that_had_not_spoken_it_is_told_once_that_something_may_be_missing() -> None:
    conversation = Conversation(Market.SPOT, ["a@trade", "b@trade", "c@depth"])

    def connected() -> list[tuple[str, bool]]:
        conversation.opened()
        return [(gap.stream, gap.resync) for gap in conversation.unplaced()]

    assert connected() == []
    assert connected() == [], "nobody had listened yet"
    conversation.received('{"type":"subscribed","rawStreams":["a@trade","b@trade","c@depth"],"id":2}', NOW)
    conversation.received(message("b@trade", 3), NOW)
    assert connected() == [("a@trade", False), ("c@depth", True)]
    assert connected() == [], "it is known already"


def test_what_was_asked_too_fast_is_asked_again_one_after_the_other_when_the_gateway_takes_it() -> None:
    conversation = Conversation(Market.SPOT, [f"s{number}@trade" for number in range(700)])
    first, second, third = conversation.opened()

    def answered(request: bytes, **said: object) -> None:
        text = json.dumps({"id": json.loads(request)["id"], **said})
        assert conversation.received(text, NOW) is None

    answered(first, type="subscribed", rawStreams=["s0@trade"])
    assert conversation.pause(NOW) is None
    for request, seconds in ((second, 0.5), (third, 0.8)):
        answered(request, type="error", code="TOO_MANY_REQUESTS", message="slow down", retryAfter=seconds)
    assert conversation.pause(NOW) == 0.8
    assert conversation.pause(NOW + 800) == 0
    assert conversation.again() == second
    assert conversation.pause(NOW + 800) is None, "it is not answered"
    answered(second, type="subscribed", rawStreams=["s300@trade"])
    assert conversation.pause(NOW + 800) == 0
    assert conversation.again() == third
    answered(third, type="error", code="TOO_MANY_REQUESTS", message="slow down")
    assert conversation.pause(NOW) == 1.0
    conversation.opened()
    assert conversation.pause(NOW + 1000) is None, "another connection is asked for all of it"


def test_other_messages_say_nothing() -> None:
    conversation = Conversation(Market.SPOT, ["a@trade"])

    for text in ('{"type":"subscribed","rawStreams":["a@trade"]}', '{"type":"goodbye","reconnect":true}', "{}"):
        assert conversation.received(text, NOW) is None


@pytest.mark.parametrize(("more", "simulated"), [("", False), (',"simulated":true', True)])
def test_a_gateway_says_whether_its_data_is_simulated(more: str, simulated: bool) -> None:
    conversation = Conversation(Market.SPOT, ["a@trade"])
    assert conversation.simulated is None
    assert conversation.received(f'{{"type":"connection"{more},"clientId":"x"}}', NOW) is None
    assert conversation.simulated is simulated


def test_what_comes_live_is_received_now_and_nothing_else_is() -> None:
    conversation = Conversation(Market.SPOT, ["a@bookTicker"])

    def received_ms(seq: int, **more: object) -> int:
        value = conversation.received(message("a@bookTicker", seq, **more), NOW)
        assert isinstance(value, Message)
        return value.received_ms

    conversation.opened()
    assert received_ms(1, snapshot=True, received=5) == 5
    assert received_ms(2) == NOW
    conversation.opened()
    assert received_ms(3) == 0
    conversation.received('{"type":"resumed","stream":"a@bookTicker","recovered":true,"missed":1}', NOW)
    assert received_ms(4) == NOW
    assert received_ms(2, recovered=True) == 0
    assert received_ms(2, history=True) == 0


def test_a_time_that_nobody_tells_is_none() -> None:
    book = b'{"u":1,"s":"A","b":"1.5","B":"2","a":"1.6","A":"3"}'
    for received_ms, told in ((NOW, NOW), (0, None)):
        value = Message(market=Market.SPOT, stream="a@bookTicker", payload=book, received_ms=received_ms)
        normal = value.normalised()
        assert isinstance(normal, dict)
        assert normal["timestamp"] == told


def test_a_refusal_is_the_callers_fault_or_passes() -> None:
    conversation = Conversation(Market.SPOT, ["a@trade"])
    with pytest.raises(Rejected, match="UNKNOWN_SYMBOL: unknown symbol") as refused:
        conversation.received('{"type":"error","code":"UNKNOWN_SYMBOL","message":"unknown symbol A","part":["a"]}', NOW)
    assert (refused.value.code, refused.value.part) == ("UNKNOWN_SYMBOL", ["a"])
    with pytest.raises(TryLater) as later:
        conversation.received('{"type":"error","code":"TOO_MANY_REQUESTS","message":"slow down","retryAfter":2.5}', NOW)
    assert later.value.retry_after == 2.5


@pytest.mark.parametrize("wrong", ["", "[]", '{"type":7}', '{"type":"gap","data":7}', "\x00"])
def test_what_is_not_understood_is_no_silence(wrong: str) -> None:
    with pytest.raises(Unavailable, match="not understood"):
        Conversation(Market.SPOT, ["a@trade"]).received(wrong, NOW)


def test_an_unknown_market_names_those_that_there_are() -> None:
    assert market_of("coinm") is Market.COINM
    with pytest.raises(Unusable, match="'forex': no market; there are spot, usdm, coinm"):
        market_of("forex")


def test_a_wish_is_checked_before_anything_is_sent() -> None:
    conversation = conversation_of(["BTCUSDT@trade"], "usdm", resume={"BTCUSDT@trade": (5, 6)}, max_rate=2)
    (request,) = asked(conversation)
    assert (request["market"], request["options"]) == ("usdm", {"maxRate": 2})
    assert request["resume"] == {"btcusdt@trade": {"epoch": 5, "seq": 6}}


@pytest.mark.parametrize(
    ("names", "more", "said"),
    [
        ([], {}, "no stream is named"),
        (["a@kline_7m"], {}, "a@kline_7m: unknown interval '7m'"),
        ([["a@trade"]], {}, r"\['a@trade'\]: streams are named one by one"),
        (["a@trade"], {"resume": {"b@trade": (1, 2)}}, "resume: 'b@trade' is none of the streams that are read"),
        (["a@trade"], {"resume": {"a@nonsense": (1, 2)}}, "nonsense"),
        (["a@trade"], {"resume": {"a@trade": 5}}, r"the place of 'a@trade' is \(epoch, seq\), not 5"),
        (["a@trade"], {"resume": {"a@trade": ("5", "6")}}, "the place of 'a@trade'"),
        (["a@ticker"], {"max_rate": float("nan")}, "max_rate: nan is no rate"),
    ],
)
def test_what_is_wrong_in_a_wish_is_named(names: list[Any], more: dict[str, Any], said: str) -> None:
    with pytest.raises(Unusable, match=said):
        conversation_of(names, "spot", **more)
