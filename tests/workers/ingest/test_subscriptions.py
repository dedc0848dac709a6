import json

from hypothesis import given
from hypothesis import strategies as st

from workers.ingest.subscriptions import Subscriptions

NAMES = st.sets(st.sampled_from([f"sym{number}usdt@kline_1m" for number in range(400)]))


def test_what_is_wanted_is_asked_once_in_batches() -> None:
    subscriptions = Subscriptions()
    subscriptions.wanted = {f"sym{number}@trade" for number in range(200)}
    subscriptions.opened()
    first, second = subscriptions.next_request(), subscriptions.next_request()

    assert first is not None
    assert second is not None
    assert (len(first.names), len(second.names)) == (150, 50)
    assert json.loads(first.text)["method"] == "SUBSCRIBE"
    assert subscriptions.next_request() is None


def test_what_is_left_goes_before_what_is_added() -> None:
    subscriptions = Subscriptions()
    subscriptions.wanted = {"a@trade"}
    subscriptions.next_request()
    subscriptions.wanted = {"b@trade"}
    first, second = subscriptions.next_request(), subscriptions.next_request()

    assert first is not None
    assert second is not None
    assert (first.subscribes, second.subscribes) == (False, True)


def test_a_new_connection_is_asked_for_everything_again() -> None:
    subscriptions = Subscriptions()
    subscriptions.wanted = {"a@trade"}
    first = subscriptions.next_request()
    subscriptions.opened()
    second = subscriptions.next_request()

    assert first is not None
    assert second is not None
    assert (second.names, second.number) == (["a@trade"], first.number + 1)


def test_an_acknowledged_stream_is_silent_until_its_first_event() -> None:
    subscriptions = Subscriptions()
    subscriptions.wanted = {"a@trade"}
    request = subscriptions.next_request()
    assert request is not None
    assert subscriptions.answered(request.number, None) is request

    assert subscriptions.silent == {"a@trade"}
    subscriptions.live.add("a@trade")
    assert subscriptions.silent == set()


def test_an_answer_to_an_earlier_connection_matches_nothing() -> None:
    subscriptions = Subscriptions()
    subscriptions.wanted = {"a@trade"}
    request = subscriptions.next_request()
    assert request is not None
    subscriptions.opened()

    assert subscriptions.answered(request.number, "2: Invalid request") is None
    assert subscriptions.refused == {}


@given(st.lists(NAMES, max_size=6))
def test_the_exchange_ends_with_what_is_wanted_and_never_carries_more(
    wishes: list[set[str]],
) -> None:
    subscriptions = Subscriptions()
    exchange: set[str] = set()
    for wanted in wishes:
        most = max(len(exchange), len(wanted))
        subscriptions.wanted = wanted
        while (request := subscriptions.next_request()) is not None:
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
