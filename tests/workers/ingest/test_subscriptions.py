import json

from hypothesis import given
from hypothesis import strategies as st

from workers.ingest.subscriptions import ANSWER, AUDIT_EVERY, Request, Subscriptions

NAMES = st.sets(st.sampled_from([f"sym{number}usdt@kline_1m" for number in range(400)]))


def test_what_is_wanted_is_asked_once_in_batches() -> None:
    subscriptions = Subscriptions()
    subscriptions.wanted = {f"sym{number}@trade" for number in range(200)}
    subscriptions.opened()
    first, second = subscriptions.next_request(0), subscriptions.next_request(0)

    assert first is not None
    assert second is not None
    assert (len(first.names), len(second.names)) == (150, 50)
    assert json.loads(first.text)["method"] == "SUBSCRIBE"
    assert subscriptions.next_request(0) is None


def test_what_is_left_goes_before_what_is_added() -> None:
    subscriptions = Subscriptions()
    subscriptions.wanted = {"a@trade"}
    subscriptions.next_request(0)
    subscriptions.wanted = {"b@trade"}
    first, second = subscriptions.next_request(0), subscriptions.next_request(0)

    assert first is not None
    assert second is not None
    assert (first.subscribes, second.subscribes) == (False, True)


def test_a_new_connection_is_asked_for_everything_again() -> None:
    subscriptions = Subscriptions()
    subscriptions.wanted = {"a@trade"}
    first = subscriptions.next_request(0)
    subscriptions.opened()
    second = subscriptions.next_request(0)

    assert first is not None
    assert second is not None
    assert (second.names, second.number) == (["a@trade"], first.number + 1)


def test_an_acknowledged_stream_is_silent_until_its_first_event() -> None:
    subscriptions = Subscriptions()
    subscriptions.wanted = {"a@trade"}
    request = subscriptions.next_request(0)
    assert request is not None
    assert subscriptions.answered(request.number, None, 0) is request

    assert subscriptions.silent == {"a@trade"}
    subscriptions.live.add("a@trade")
    assert subscriptions.silent == set()


def test_an_answer_to_an_earlier_connection_matches_nothing() -> None:
    subscriptions = Subscriptions()
    subscriptions.wanted = {"a@trade"}
    request = subscriptions.next_request(0)
    assert request is not None
    subscriptions.opened()

    assert subscriptions.answered(request.number, "2: Invalid request", 0) is None


def test_what_was_refused_is_asked_again_after_a_while() -> None:
    subscriptions = Subscriptions()
    subscriptions.wanted = {"a@trade"}
    request = subscriptions.next_request(0)
    assert request is not None
    subscriptions.answered(request.number, "3: Too many requests", 10)

    assert not subscriptions.again(refused_before=9, asked_before=-1)
    assert subscriptions.next_request(11) is None
    assert subscriptions.again(refused_before=10, asked_before=-1)
    again = subscriptions.next_request(15)
    assert again is not None
    assert again.names == ["a@trade"]


def test_what_is_never_answered_counts_as_refused() -> None:
    subscriptions = Subscriptions()
    subscriptions.wanted = {"a@trade"}
    subscriptions.next_request(0)

    assert not subscriptions.again(refused_before=29, asked_before=-1)
    assert subscriptions.again(refused_before=30, asked_before=0)
    assert subscriptions.next_request(30) is not None


def asked(subscriptions: Subscriptions, now: float = 0) -> Request:
    request = subscriptions.next_request(now)
    assert request is not None
    return request


def carrying(*names: str) -> Subscriptions:
    """A connection that has these streams, acknowledged at 0."""
    subscriptions = Subscriptions()
    subscriptions.wanted = set(names)
    subscriptions.opened()
    subscriptions.answered(asked(subscriptions).number, None, 0)
    return subscriptions


def test_it_knows_since_when_what_is_acknowledged() -> None:
    subscriptions = carrying("a@trade")
    subscriptions.wanted = {"a@trade", "b@trade"}
    request = asked(subscriptions)
    assert subscriptions.acknowledged == {"a@trade": 0}
    subscriptions.answered(request.number, None, 7)
    assert subscriptions.acknowledged == {"a@trade": 0, "b@trade": 7}
    subscriptions.wanted = {"b@trade"}
    asked(subscriptions)
    assert subscriptions.acknowledged == {"b@trade": 7}
    subscriptions.opened()
    assert subscriptions.acknowledged == {}


def test_what_is_never_acknowledged_should_have_been() -> None:
    subscriptions = Subscriptions()
    subscriptions.wanted = {"a@trade", "b@trade"}
    request = asked(subscriptions, 5)
    assert subscriptions.listening == dict.fromkeys(["a@trade", "b@trade"], 5 + ANSWER)
    subscriptions.answered(request.number, "2: Invalid request", 6)
    subscriptions.again(refused_before=6, asked_before=-1)
    request = asked(subscriptions, 11)
    assert subscriptions.listening["a@trade"] == 5 + ANSWER
    subscriptions.answered(request.number, None, 12)
    assert subscriptions.listening["a@trade"] == 12
    subscriptions.wanted = {"b@trade"}
    asked(subscriptions, 13)
    assert subscriptions.listening == {"b@trade": 12}


def test_what_is_left_before_its_answer_came_is_not_acknowledged() -> None:
    subscriptions = Subscriptions()
    subscriptions.wanted = {"a@trade"}
    request = asked(subscriptions)
    subscriptions.wanted = set()
    asked(subscriptions)
    subscriptions.answered(request.number, None, 1)
    assert subscriptions.acknowledged == {}


def test_what_is_renewed_is_unsubscribed_and_subscribed() -> None:
    subscriptions = carrying("a@trade", "b@trade")
    subscriptions.renew({"a@trade", "c@trade"})
    first, second = asked(subscriptions), asked(subscriptions)
    assert (first.names, first.subscribes) == (["a@trade"], False)
    assert (second.names, second.subscribes) == (["a@trade"], True)
    assert subscriptions.next_request(0) is None


def test_what_the_exchange_does_not_list_is_asked_for_again() -> None:
    subscriptions = carrying("a@trade", "b@trade")
    assert subscriptions.audit(5)
    audit = asked(subscriptions, 5)
    assert json.loads(audit.text) == {"method": "LIST_SUBSCRIPTIONS", "id": audit.number}
    subscriptions.answered(audit.number, None, 6, ["b@trade"])
    assert subscriptions.acknowledged == {"b@trade": 0}
    assert asked(subscriptions, 6).names == ["a@trade"]


def test_what_was_acknowledged_after_the_question_is_not_missed_in_the_answer() -> None:
    subscriptions = carrying("a@trade")
    subscriptions.wanted = {"a@trade", "b@trade"}
    subscribe = asked(subscriptions, 5)
    subscriptions.audit(5)
    audit = asked(subscriptions, 5)
    subscriptions.answered(subscribe.number, None, 6)
    subscriptions.answered(audit.number, None, 6, ["a@trade"])
    assert subscriptions.next_request(6) is None


def test_a_connection_is_audited_seldom() -> None:
    subscriptions = carrying("a@trade")
    assert subscriptions.audit(5)
    asked(subscriptions, 5)
    assert not subscriptions.audit(5 + AUDIT_EVERY - 1)
    assert subscriptions.next_request(6) is None
    assert subscriptions.audit(5 + AUDIT_EVERY)


def test_a_refused_audit_is_no_harm() -> None:
    subscriptions = carrying("a@trade")
    subscriptions.audit(5)
    subscriptions.answered(asked(subscriptions, 5).number, "2: Invalid request", 6)
    subscriptions.again(refused_before=6, asked_before=-1)
    assert subscriptions.next_request(6) is None


@given(st.lists(NAMES, max_size=6))
def test_the_exchange_ends_with_what_is_wanted_and_never_carries_more(
    wishes: list[set[str]],
) -> None:
    subscriptions = Subscriptions()
    exchange: set[str] = set()
    for wanted in wishes:
        most = max(len(exchange), len(wanted))
        subscriptions.wanted = wanted
        while (request := subscriptions.next_request(0)) is not None:
            message = json.loads(request.text)
            names = set(message["params"])
            if message["method"] == "SUBSCRIBE":
                assert not names & exchange
                exchange |= names
            else:
                assert names <= exchange
                exchange -= names
            assert len(exchange) <= most
        assert exchange == wanted
