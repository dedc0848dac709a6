"""What one session has subscribed to, and what changing that means."""

import pytest

from fsnats.binance.streams import parse
from gateway.effects import PLAIN, Delivery, OnSlow
from gateway.protocol.forms import Envelope
from gateway.protocol.subscriptions import Subscription, Subscriptions
from gateway.protocol.topics import ALL, Topic
from tests.gateway.protocol.worlds import SPOT, USDM, delivered, leaves, listens, listing, world

ONE_MINUTE, FIVE_MINUTES = Topic(SPOT, "kline", "kline_1m"), Topic(SPOT, "kline", "kline_5m")
STRICT = Delivery(OnSlow.DISCONNECT)


def every(delivery: Delivery) -> bool:
    return True


@pytest.fixture
def held() -> Subscriptions:
    return Subscriptions(SPOT, Envelope.TYPED)


def test_symbol_is_listened_to_once(held: Subscriptions) -> None:
    stream = ONE_MINUTE.stream("BTCUSDT")

    assert listens(held.add(ONE_MINUTE, "BTCUSDT", stream)) == ["btcusdt@kline_1m"]
    assert held.add(ONE_MINUTE, "BTCUSDT", stream) == []
    assert leaves(held.remove(ONE_MINUTE, "BTCUSDT")) == ["btcusdt@kline_1m"]
    assert held.remove(ONE_MINUTE, "BTCUSDT") == []
    assert list(held) == []


def test_variants_are_apart(held: Subscriptions) -> None:
    held.add(ONE_MINUTE, "BTCUSDT", ONE_MINUTE.stream("BTCUSDT"))
    held.add(FIVE_MINUTES, "BTCUSDT", FIVE_MINUTES.stream("BTCUSDT"))

    assert held.topics(SPOT, "kline") == [ONE_MINUTE, FIVE_MINUTES]
    assert leaves(held.remove(ONE_MINUTE, "BTCUSDT")) == ["btcusdt@kline_1m"]
    assert held.topics(SPOT, "kline") == [FIVE_MINUTES]
    assert held.topics(USDM, "kline") == held.topics(SPOT, "ticker") == []


def test_typed_and_raw_of_one_stream_are_both_delivered(held: Subscriptions) -> None:
    stream = ONE_MINUTE.stream("BTCUSDT")
    effects = held.add(ONE_MINUTE, "BTCUSDT", stream) + held.add_raw(stream, PLAIN) + held.add_raw(stream, PLAIN)

    assert delivered(effects) == [
        {"type": "kline", "data": {"e": "x"}},
        {"stream": "btcusdt@kline_1m", "data": {"e": "x"}},
    ]
    assert len(leaves(held.remove_raw(stream, every))) == 1
    assert held.remove_raw(stream, every) == []
    assert len(held) == 1


def test_deliveries_of_one_name_are_apart(held: Subscriptions) -> None:
    stream = ONE_MINUTE.stream("BTCUSDT")
    strict = ONE_MINUTE._replace(delivery=STRICT)
    for topic in (ONE_MINUTE, strict):
        assert len(listens(held.add(topic, "BTCUSDT", stream))) == 1
        assert len(listens(held.add_raw(stream, topic.delivery))) == 1

    assert held.news(strict, [stream]) == held.news_raw([stream], STRICT) == 0
    assert len(leaves(held.remove(strict, "BTCUSDT"))) == 1
    assert len(leaves(held.remove_raw(stream, lambda delivery: delivery is STRICT))) == 1
    assert [each.options for each in held] == [{}, {}]


def test_pattern_follows_the_catalogue(held: Subscriptions) -> None:
    assert listens(held.add_pattern(ONE_MINUTE, listing(SPOT, "B", "A"))) == ["a@kline_1m", "b@kline_1m"]

    effects = held.refresh(listing(SPOT, "B", "C", "D/BREAK"))

    assert leaves(effects) == ["a@kline_1m"]
    assert listens(effects) == ["c@kline_1m"]
    assert held.refresh(listing(USDM, "X")) == []


def test_pattern_and_symbol_keep_each_others_stream(held: Subscriptions) -> None:
    held.add(ONE_MINUTE, "A", ONE_MINUTE.stream("A"))

    assert listens(held.add_pattern(ONE_MINUTE, listing(SPOT, "A", "B"))) == ["b@kline_1m"]
    assert held.remove(ONE_MINUTE, "A") == []
    held.add(ONE_MINUTE, "A", ONE_MINUTE.stream("A"))
    assert leaves(held.refresh(listing(SPOT, "B"))) == []
    assert [subscription.stream for subscription in held] == ["a@kline_1m", "*@kline_1m"]


def test_all_removes_pattern_and_symbols(held: Subscriptions) -> None:
    held.add(ONE_MINUTE, "LUNA", ONE_MINUTE.stream("LUNA"))
    held.add_pattern(ONE_MINUTE, listing(SPOT, "A", "B"))

    assert leaves(held.remove(ONE_MINUTE, ALL)) == ["luna@kline_1m", "a@kline_1m", "b@kline_1m"]
    assert held.refresh(listing(SPOT, "A", "B", "C")) == []
    assert len(held) == 0


def test_news_counts_what_is_not_there_yet(held: Subscriptions) -> None:
    a, b = ONE_MINUTE.stream("A"), ONE_MINUTE.stream("B")
    held.add(ONE_MINUTE, "A", a)

    assert held.news(ONE_MINUTE, [a, b, b]) == 1
    assert held.news_raw([a], PLAIN) == 1


def test_view_tells_every_subscription(held: Subscriptions) -> None:
    held.add(ONE_MINUTE, "BTCUSDT", ONE_MINUTE.stream("BTCUSDT"))
    held.add_raw(parse(USDM, "btcusdt@trade"), PLAIN)
    held.add_raw(parse(USDM, "btcusdt@trade"), STRICT)
    held.add_pattern(FIVE_MINUTES, world()[SPOT])

    assert list(held) == [
        Subscription(SPOT, "btcusdt@kline_1m", "kline"),
        Subscription(USDM, "btcusdt@trade"),
        Subscription(USDM, "btcusdt@trade", options={"onSlow": "disconnect"}),
        Subscription(SPOT, "*@kline_5m", "kline", 3),
    ]
    assert [subscription.is_pattern for subscription in held] == [False, False, False, True]


def test_clear_leaves_everything(held: Subscriptions) -> None:
    held.add(ONE_MINUTE, "A", ONE_MINUTE.stream("A"))
    held.add_raw(ONE_MINUTE.stream("A"), PLAIN)
    held.add_pattern(FIVE_MINUTES, listing(SPOT, "B"))

    assert leaves(held.clear()) == ["a@kline_1m", "a@kline_1m", "b@kline_5m"]
    assert list(held) == []
    assert held.clear() == []
