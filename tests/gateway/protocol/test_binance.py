"""The Binance dialect, as an unmodified client sees it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.limits import STREAMS_PER_CONNECTION
from fsnats.binance.streams import Market
from fsnats.symbols import Listing
from gateway.admission.grants import Grant
from gateway.effects import Close, Effect, Form, Leave, Listen, Send, Unknown
from gateway.protocol.binance import BinanceSession
from tests.gateway.protocol.worlds import COINM, SPOT, USDM, change, delivered, leaves, listens, listing, sent, world

RAW, COMBINED = False, True
INVALID = Close(1008, "Invalid request")


def session(
    *streams: str,
    market: Market = SPOT,
    combined: bool = RAW,
    listings: dict[Market, Listing] | None = None,
    silent: bool = False,
) -> BinanceSession:
    return BinanceSession(market, combined, streams, world() if listings is None else listings, silent)


def ask(client: BinanceSession, method: str, *params: object, request_id: object = 1) -> list[Effect]:
    return client.receive(json.dumps({"method": method, "params": params, "id": request_id}))


def test_streams_of_the_url_deliver_at_once_without_a_reply() -> None:
    effects = session("btcusdt@trade", "ethusdt@depth20@100ms").opening()

    assert listens(effects) == ["btcusdt@trade", "ethusdt@depth20@100ms"]
    assert sent(effects) == []


def test_subscribe_is_acknowledged_before_data() -> None:
    effects = ask(session(), "SUBSCRIBE", "btcusdt@aggTrade", "btcusdt@depth")

    assert effects[0] == Send(b'{"result":null,"id":1}')
    assert listens(effects) == ["btcusdt@aggTrade", "btcusdt@depth"]


def test_unsubscribe_ends_the_data_before_its_acknowledgement() -> None:
    client = session("btcusdt@depth")
    client.opening()

    effects = ask(client, "UNSUBSCRIBE", "btcusdt@depth", request_id=312)

    assert leaves(effects) == ["btcusdt@depth"]
    assert effects[-1] == Send(b'{"result":null,"id":312}')
    assert client.subscriptions == []


def test_unsubscribing_what_was_never_subscribed_is_acknowledged() -> None:
    assert ask(session(), "UNSUBSCRIBE", "btcusdt@depth") == [Send(b'{"result":null,"id":1}')]


def test_streams_sent_again_are_acknowledged_and_change_nothing() -> None:
    client = session("btcusdt@trade")
    client.opening()

    assert ask(client, "SUBSCRIBE", "btcusdt@trade", "btcusdt@trade") == [Send(b'{"result":null,"id":1}')]
    assert client.subscriptions == ["btcusdt@trade"]


def test_list_subscriptions_tells_names_as_they_were_given() -> None:
    client = session("BTCUSDT@trade", "rubbish")
    client.opening()

    assert sent(ask(client, "LIST_SUBSCRIPTIONS", request_id=3)) == [{"result": ["BTCUSDT@trade", "rubbish"], "id": 3}]


def test_upper_case_symbol_is_served_under_its_canonical_name() -> None:
    effects = session("BTCUSDT@trade", combined=COMBINED).opening()

    assert delivered(effects) == [{"stream": "btcusdt@trade", "data": {"e": "x"}}]


def test_two_spellings_of_a_stream_deliver_it_once_until_both_are_gone() -> None:
    client = session("BTCUSDT@trade", "btcusdt@trade")

    assert listens(client.opening()) == ["btcusdt@trade"]
    assert leaves(ask(client, "UNSUBSCRIBE", "btcusdt@trade")) == []
    assert leaves(ask(client, "UNSUBSCRIBE", "BTCUSDT@trade")) == ["btcusdt@trade"]


@pytest.mark.parametrize(
    "name", ["rubbish", "nosuch@trade", "btcusdt@kline_7m", "!ticker@arr", "btcusdt@depth20@250ms"]
)
def test_unknown_name_is_acknowledged_shown_and_never_listened_to(name: str) -> None:
    client = session()

    assert ask(client, "SUBSCRIBE", name) == [Send(b'{"result":null,"id":1}'), Unknown(SPOT, name)]
    assert client.subscriptions == [name]
    assert ask(client, "UNSUBSCRIBE", name) == [Send(b'{"result":null,"id":1}')]


def test_listen_key_is_not_shown() -> None:
    key = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"
    assert session(key).opening() == [Unknown(SPOT, "<listenKey>")]


def test_every_route_delivers_every_stream() -> None:
    effects = session("btcusdt@depth", "btcusdt@kline_1m", "!markPrice@arr@1s", market=USDM).opening()
    assert len(listens(effects)) == 3


def test_silent_session_acknowledges_and_delivers_nothing() -> None:
    client = session("btcusdt@trade", "key", silent=True)

    assert client.opening() == []
    assert ask(client, "SUBSCRIBE", "btcusdt@depth") == [Send(b'{"result":null,"id":1}')]
    assert client.catalogue_changed(change(SPOT)) == []
    assert client.subscriptions == ["btcusdt@trade", "key", "btcusdt@depth"]


def test_raw_frames_are_bare_payloads() -> None:
    assert delivered(session("btcusdt@trade").opening()) == [{"e": "x"}]


def test_set_property_switches_every_stream() -> None:
    client = session("btcusdt@trade", "rubbish")
    client.opening()

    effects = ask(client, "SET_PROPERTY", "combined", True, request_id=5)

    assert effects[0] == Send(b'{"result":null,"id":5}')
    assert [type(effect) for effect in effects[1:]] == [Leave, Listen]
    assert delivered(effects) == [{"stream": "btcusdt@trade", "data": {"e": "x"}}]
    assert delivered(ask(client, "SUBSCRIBE", "btcusdt@depth"))[0]["stream"] == "btcusdt@depth"


def test_set_property_to_what_it_is_already_disturbs_nothing() -> None:
    client = session("btcusdt@trade", combined=COMBINED)
    client.opening()

    assert ask(client, "SET_PROPERTY", "combined", True) == [Send(b'{"result":null,"id":1}')]


@pytest.mark.parametrize("combined", [RAW, COMBINED])
def test_get_property_tells_the_framing(combined: bool) -> None:
    assert sent(ask(session(combined=combined), "GET_PROPERTY", "combined", request_id=2)) == [
        {"result": combined, "id": 2}
    ]


def test_unknown_method_is_answered_in_the_nested_form() -> None:
    (reply,) = sent(session().receive('{"method":"NO","id":"7"}'))
    assert (reply["error"]["code"], reply["id"]) == (2, "7")


@pytest.mark.parametrize("market", [USDM, COINM])
def test_invalid_json_closes_futures_after_the_error(market: Market) -> None:
    effects = session(market=market).receive("{")
    assert sent(effects) == [{"error": {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}}]
    assert effects[-1] == INVALID


def test_invalid_json_does_not_close_spot() -> None:
    assert [type(effect) for effect in session().receive("{")] == [Send]


def test_binary_closes() -> None:
    assert session().receive_binary(b'{"method":"LIST_SUBSCRIPTIONS"}') == [INVALID]


def test_stream_too_many_is_an_error_and_a_close() -> None:
    client = session(*(f"s{number}@trade" for number in range(STREAMS_PER_CONNECTION)))
    client.opening()
    assert ask(client, "SUBSCRIBE", "s0@trade") == [Send(b'{"result":null,"id":1}')]

    effects = ask(client, "SUBSCRIBE", "one@trade", request_id=19)

    assert effects == [Send(b'{"error":{"code":4,"msg":"Too many subscriptions"},"id":19}'), INVALID]


def test_too_many_streams_in_the_url_close_at_once() -> None:
    client = session(*(f"s{number}@trade" for number in range(STREAMS_PER_CONNECTION + 1)))
    assert client.opening() == [Send(b'{"error":{"code":4,"msg":"Too many subscriptions"}}'), INVALID]


def test_name_starts_to_deliver_when_its_symbol_is_listed() -> None:
    listings = world()
    client = session("newusdt@trade", "btcusdt@trade", listings=listings)
    client.opening()

    listings[SPOT] = listing(SPOT, "BTCUSDT", "NEWUSDT")

    assert listens(client.catalogue_changed(change(SPOT))) == ["newusdt@trade"]
    assert client.catalogue_changed(change(SPOT)) == []


def test_name_waits_for_the_first_listing_without_being_called_unknown() -> None:
    listings: dict[Market, Listing] = {}
    client = session("btcusdt@trade", "nosuch@trade", listings=listings)
    assert client.opening() == []

    listings.update(world())

    effects = client.catalogue_changed(change(SPOT))
    assert listens(effects) == ["btcusdt@trade"]
    assert effects[1:] == [Unknown(SPOT, "nosuch@trade")]


def test_other_markets_do_not_matter() -> None:
    listings: dict[Market, Listing] = {}
    client = session("btcusdt@trade", listings=listings)
    client.opening()
    listings.update(world())

    assert client.catalogue_changed(change(USDM)) == []


def test_halted_symbol_keeps_its_stream() -> None:
    listings = world()
    client = session("btcusdt@trade", listings=listings)
    client.opening()

    listings[SPOT] = listing(SPOT, "BTCUSDT/BREAK")

    assert client.catalogue_changed(change(SPOT)) == []
    assert [stream.name for stream in client.delivered] == ["btcusdt@trade"]


def test_leaving_ends_every_stream() -> None:
    client = session("btcusdt@trade", "rubbish")
    client.opening()

    assert leaves(client.leave_all()) == ["btcusdt@trade"]
    assert client.subscriptions == []


def test_repr_tells_the_state() -> None:
    client = session("btcusdt@trade", "rubbish")
    client.opening()
    assert repr(client) == "<BinanceSession spot raw: 2 asked, 1 delivered>"


names = st.sampled_from(
    ["btcusdt@trade", "BTCUSDT@trade", "ethusdt@depth", "rubbish", "newusdt@trade", "!miniTicker@arr"]
)
steps = st.lists(
    st.tuples(st.sampled_from(["SUBSCRIBE", "UNSUBSCRIBE"]), st.lists(names))
    | st.tuples(st.just("SET_PROPERTY"), st.tuples(st.just("combined"), st.booleans()))
    | st.tuples(st.just("catalogue"), st.sampled_from([("BTCUSDT",), ("BTCUSDT", "ETHUSDT", "NEWUSDT")]))
)


@given(st.lists(names), st.booleans(), steps)
def test_each_stream_has_one_open_listen_in_the_current_framing(
    url: list[str], combined: bool, history: list[tuple[str, Any]]
) -> None:
    listings = world()
    client = session(*url, combined=combined, listings=listings)
    open_now: set[tuple[str, Form]] = set()
    wanted = set(url)
    carry_out(client.opening(), open_now)
    for step, what in history:
        match step:
            case "catalogue":
                listings[SPOT] = listing(SPOT, *what)
                carry_out(client.catalogue_changed(change(SPOT)), open_now)
                continue
            case "SUBSCRIBE":
                wanted |= set(what)
            case "UNSUBSCRIBE":
                wanted -= set(what)
            case "SET_PROPERTY":
                combined = what[1]
        carry_out(ask(client, step, *what), open_now)
    assert set(client.subscriptions) == wanted
    assert {name for name, _ in open_now} <= {name.lower().replace("miniticker", "miniTicker") for name in wanted}
    assert all((form == Form(b"", b"")) != combined for _, form in open_now)
    assert len(open_now) == len({name for name, _ in open_now}) == len(client.delivered)


def carry_out(effects: list[Effect], open_now: set[tuple[str, Form]]) -> None:
    """Do what a connection does, and insist that every Listen and Leave changes something."""
    for effect in effects:
        match effect:
            case Listen(stream, form):
                assert (stream.name, form) not in open_now
                open_now.add((stream.name, form))
            case Leave(stream, form):
                open_now.remove((stream.name, form))


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | names,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
requests = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["SUBSCRIBE", "UNSUBSCRIBE", "SET_PROPERTY", "GET_PROPERTY"]) | values,
        "params": st.lists(names) | values,
        "id": values,
    },
)


@given(st.text() | st.text('{}[]",:methodparams0 ') | requests.map(json.dumps) | values.map(json.dumps))
def test_any_text_is_answered_once_and_first(text: str) -> None:
    for market in (SPOT, USDM):
        effects = session(market=market).receive(text)
        assert isinstance(effects[0], Send)
        assert len(sent(effects)) == 1
        assert {type(effect) for effect in effects[1:]} <= {Listen, Unknown, Close}


def test_what_a_token_does_not_allow_is_an_error_and_nothing_is_subscribed() -> None:
    grant = Grant(name="bot", types=frozenset({"trade"}), streams=3)
    client = BinanceSession(SPOT, RAW, [], world(), grant=grant)

    (reply,) = sent(effects := ask(client, "SUBSCRIBE", "btcusdt@trade", "btcusdt@depth", "nonsense"))
    assert reply == {
        "error": {
            "code": 2,
            "msg": "Invalid request: btcusdt@depth: this token may not read depth; allowed: trade",
        },
        "id": 1,
    }
    assert len(effects) == 1
    assert client.subscriptions == []
    assert listens(ask(client, "SUBSCRIBE", "btcusdt@trade", "nonsense@trade")) == ["btcusdt@trade"]
    assert ask(client, "SUBSCRIBE", "a@trade", "b@trade")[-1] == INVALID  # more streams than it may


def test_the_goodbye_is_binances_in_the_framing_of_the_connection() -> None:
    assert session().goodbye(5, 1.0) == [Send(b'{"e":"serverShutdown","E":5}')]
    assert session(combined=COMBINED).goodbye(5, 1.0) == [
        Send(b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":5}}')
    ]
    assert session(silent=True).goodbye(5, 1.0) == []


def test_who_sends_too_fast_is_closed() -> None:
    assert session().overrun("{}", 5.0, 0.2) == [Close(1008, "Too many requests")]
