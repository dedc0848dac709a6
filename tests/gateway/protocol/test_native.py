"""The native dialect, as the client guide promises it."""

import json

import pytest
from msgspec.structs import replace

from fsnats.binance.streams import Market
from fsnats.symbols import Listing
from gateway.admission.grants import Grant
from gateway.effects import Delivery, Effect, Form, Klines, Listen, Marks, OnSlow, Send, Shape
from gateway.protocol.forms import Envelope
from gateway.protocol.native import NativeSession
from tests.gateway.protocol.worlds import (
    EVERY,
    SPOT,
    USDM,
    change,
    delivered,
    leaves,
    listens,
    listing,
    sent,
    world,
)


@pytest.fixture
def listings() -> dict[Market, Listing]:
    return world()


@pytest.fixture
def client(listings: dict[Market, Listing]) -> NativeSession:
    return NativeSession("client_1620000000000_abc123", SPOT, EVERY, listings)


def ask(client: NativeSession, kind: str, **fields: object) -> list[Effect]:
    return client.receive(json.dumps({"type": kind, **fields}))


def problem(effects: list[Effect]) -> tuple[str, object]:
    """Code and part of the one error that the effects are."""
    (reply,) = sent(effects)
    assert len(effects) == 1
    assert reply["type"] == "error"
    assert reply["message"]
    return reply["code"], reply.get("part")


class TestTheGuide:
    """Every example message of the client guide, as it stands there."""

    def test_welcome(self, client: NativeSession) -> None:
        assert client.opening() == [
            Send(
                b'{"type":"connection","clientId":"client_1620000000000_abc123",'
                b'"message":"Connected to Future Socket NATS server"}'
            )
        ]

    def test_subscribe(self, client: NativeSession) -> None:
        effects = client.receive("""{
          "type": "subscribe",
          "streamType": "kline",
          "symbols": ["btcusdt", "ethusdt"],
          "options": {
            "interval": "1m"
          }
        }""")
        (reply,) = sent(effects[:1])
        assert (reply["type"], reply["streamType"], reply["symbols"]) == ("subscribed", "kline", ["btcusdt", "ethusdt"])
        assert listens(effects) == ["btcusdt@kline_1m", "ethusdt@kline_1m"]
        assert delivered(effects)[0] == {"type": "kline", "data": {"e": "x"}}

    def test_subscribe_to_all(self, client: NativeSession) -> None:
        effects = client.receive("""{
          "type": "subscribe",
          "streamType": "kline",
          "symbols": ["ALL"],
          "options": {
            "interval": "1m"
          }
        }""")
        assert sent(effects)[0]["symbols"] == ["ALL"]
        assert listens(effects) == ["bnbusdt@kline_1m", "btcusdt@kline_1m", "ethusdt@kline_1m"]

    def test_unsubscribe_without_options(self, client: NativeSession) -> None:
        ask(client, "subscribe", streamType="kline", symbols=["btcusdt", "ethusdt"], options={"interval": "5m"})
        effects = client.receive("""{
          "type": "unsubscribe",
          "streamType": "kline",
          "symbols": ["btcusdt", "ethusdt"]
        }""")
        assert leaves(effects) == ["btcusdt@kline_5m", "ethusdt@kline_5m"]
        assert sent(effects) == [{"type": "unsubscribed", "streamType": "kline", "symbols": ["btcusdt", "ethusdt"]}]

    def test_raw_streams(self, client: NativeSession) -> None:
        effects = client.receive("""{
          "type": "subscribe",
          "rawStreams": [
            "btcusdt@kline_1m",
            "ethusdt@depth20",
            "bnbusdt@ticker"
          ]
        }""")
        names = ["btcusdt@kline_1m", "ethusdt@depth20", "bnbusdt@ticker"]
        assert sent(effects) == [{"type": "subscribed", "rawStreams": names}]
        assert listens(effects) == names
        assert delivered(effects)[0] == {"stream": "btcusdt@kline_1m", "data": {"e": "x"}}

        effects = client.receive("""{
          "type": "unsubscribe",
          "rawStreams": [
            "btcusdt@kline_1m",
            "ethusdt@depth20"
          ]
        }""")
        assert leaves(effects) == ["btcusdt@kline_1m", "ethusdt@depth20"]
        assert sent(effects) == [{"type": "unsubscribed", "rawStreams": ["btcusdt@kline_1m", "ethusdt@depth20"]}]

    def test_historical_klines(self, client: NativeSession) -> None:
        (request,) = client.receive("""{
          "type": "getHistoricalKlines",
          "symbol": "btcusdt",
          "interval": "1m",
          "limit": 500,
          "startTime": 1620000000000,
          "endTime": 1620100000000,
          "isFutures": false
        }""")
        assert isinstance(request, Klines)
        assert request[:6] == (SPOT, "BTCUSDT", "1m", 500, 1620000000000, 1620100000000)
        rows = b'[ [1620000000000,"54321.00000000"] ]'
        assert client.klines_fetched(request, rows) == [
            Send(b'{"type":"historicalKlines","symbol":"btcusdt","interval":"1m","klines":' + rows + b"}")
        ]

    def test_historical_klines_of_the_program_examples(self, client: NativeSession) -> None:
        text = '{"type":"getHistoricalKlines","symbol":"btcusdt","interval":"1m","limit":500}'
        (request,) = client.receive(text)
        assert isinstance(request, Klines)
        assert request[:6] == (SPOT, "BTCUSDT", "1m", 500, None, None)

    def test_ping(self, client: NativeSession) -> None:
        assert client.receive('{"type":"ping"}') == [Send(b'{"type":"pong"}')]

    def test_old_readmes_frame_on_request(self, listings: dict[Market, Listing]) -> None:
        client = NativeSession("c", SPOT, EVERY, listings, Envelope.COMBINED)
        effects = client.receive(
            """{"type": "subscribe", "streamType": "kline", "symbols": ["btcusdt"], "options": {"interval": "1m"}}"""
        )
        assert delivered(effects) == [
            {"type": "kline", "data": {"stream": "btcusdt@kline_1m", "data": {"e": "x"}}},
        ]


def test_welcome_says_when_a_market_is_simulated(listings: dict[Market, Listing]) -> None:
    listings[USDM] = listing(USDM, "BTCUSDT", simulated=True)

    assert sent(NativeSession("c", SPOT, (SPOT, USDM), listings).opening())[0]["simulated"] is True
    assert "simulated" not in sent(NativeSession("c", SPOT, (SPOT,), listings).opening())[0]


def test_welcome_says_when_a_capture_is_replayed(listings: dict[Market, Listing]) -> None:
    listings[USDM] = replace(listing(USDM, "BTCUSDT", simulated=True), replayed=True)

    welcome = sent(NativeSession("c", SPOT, (SPOT, USDM), listings).opening())[0]
    assert (welcome["simulated"], welcome["replayed"]) == (True, True)
    assert "replayed" not in sent(NativeSession("c", SPOT, (SPOT,), listings).opening())[0]


def test_acknowledgement_repeats_the_request_as_it_was_spelled(client: NativeSession) -> None:
    fields = '"streamType":"kline","symbols":["BTCUSDT", "btcusdt"],"options":{"interval" :"1m"},"market":"usdm","id":1'
    effects = client.receive('{"type":"subscribe",' + fields + "}")

    assert effects[0] == Send(b'{"type":"subscribed",' + fields.encode() + b"}")
    assert listens(effects) == ["btcusdt@kline_1m"]


@pytest.mark.parametrize("spelled", ["0", "-7", '"a"', '"\\u00e9"', "null", "9223372036854775807"])
def test_id_is_echoed_in_every_reply(client: NativeSession, spelled: str) -> None:
    for body in (
        '"type":"ping"',
        '"type":"listSubscriptions"',
        '"type":"subscribe","rawStreams":["btcusdt@trade"]',
        '"type":"unsubscribe","streamType":"ticker","symbols":["btcusdt"]',
        '"type":"nonsense"',
        '"x":1',
    ):
        (reply, *_) = client.receive("{" + body + f',"id":{spelled}' + "}")
        assert isinstance(reply, Send)
        assert reply.text.endswith(b',"id":' + spelled.encode() + b"}")


def test_market_that_is_not_the_sessions_own_is_named_in_data(client: NativeSession) -> None:
    typed = ask(client, "subscribe", streamType="markPrice", symbols=["btcusdt"], options={"updateSpeed": "1s"})
    raw = ask(client, "subscribe", rawStreams=["btcusdt@trade"], market="usdm")

    assert delivered(typed) == [{"type": "markPrice", "market": "usdm", "data": {"e": "x"}}]
    assert delivered(raw) == [{"stream": "btcusdt@trade", "market": "usdm", "data": {"e": "x"}}]


def test_default_market_of_a_session_is_not_named(listings: dict[Market, Listing]) -> None:
    client = NativeSession("c", USDM, EVERY, listings)

    effects = ask(client, "subscribe", streamType="liquidation", symbols=["_global_", "btcusdt"])

    assert listens(effects) == ["!forceOrder@arr", "btcusdt@forceOrder"]
    assert delivered(effects)[0] == {"type": "liquidation", "data": {"e": "x"}}


def test_level_makes_partial_depth_that_names_its_stream(client: NativeSession) -> None:
    partial = ask(client, "subscribe", streamType="depth", symbols=["btcusdt"], options={"level": 5})
    diff = ask(client, "subscribe", streamType="depth", symbols=["btcusdt"])

    assert delivered(partial) == [{"type": "depth", "stream": "btcusdt@depth5", "data": {"e": "x"}}]
    assert listens(diff) == ["btcusdt@depth"]


def test_two_intervals_live_side_by_side(client: NativeSession) -> None:
    ask(client, "subscribe", streamType="kline", symbols=["btcusdt"], options={"interval": "1m"})
    effects = ask(client, "subscribe", streamType="kline", symbols=["btcusdt"], options={"interval": "5m"})

    assert listens(effects) == ["btcusdt@kline_5m"]
    assert leaves(effects) == []


def test_unsubscribe_with_options_removes_one_variant(client: NativeSession) -> None:
    for interval in ("1m", "5m"):
        ask(client, "subscribe", streamType="kline", symbols=["btcusdt"], options={"interval": interval})

    effects = ask(client, "unsubscribe", streamType="kline", symbols=["btcusdt"], options={"interval": "5m"})

    assert leaves(effects) == ["btcusdt@kline_5m"]


@pytest.mark.parametrize(
    "fields", [{"streamType": "trade", "symbols": ["btcusdt"]}, {"rawStreams": ["btcusdt@trade"]}], ids=["typed", "raw"]
)
def test_deliveries_are_variants_too(client: NativeSession, fields: dict[str, object]) -> None:
    strict = {**fields, "options": {"onSlow": "disconnect"}}
    for each in (fields, strict):
        effects = ask(client, "subscribe", **each)
        assert listens(effects) == ["btcusdt@trade"]
        assert sent(effects)[0] == {"type": "subscribed", **each}
    told = sent(ask(client, "listSubscriptions"))[0]["streams"]
    assert [each.get("options") for each in told] == [None, {"onSlow": "disconnect"}]

    assert leaves(ask(client, "unsubscribe", **strict)) == ["btcusdt@trade"]
    assert leaves(ask(client, "unsubscribe", **strict)) == []
    ask(client, "subscribe", **strict)
    assert leaves(ask(client, "unsubscribe", **fields)) == ["btcusdt@trade"] * 2


def test_options_that_do_not_fit_are_refused_and_change_nothing(client: NativeSession) -> None:
    for fields, part in (
        ({"streamType": "trade", "symbols": ["btcusdt"], "options": {"maxRate": 2}}, ["btcusdt@trade"]),
        ({"streamType": "ticker", "symbols": ["ALL"], "options": {"closedOnly": True}}, None),
        ({"rawStreams": ["btcusdt@ticker", "btcusdt@depth"], "options": {"maxRate": 2}}, ["btcusdt@depth"]),
    ):
        code, named = problem(ask(client, "subscribe", **fields))
        assert code == "UNSUITABLE_OPTION"
        assert part is None or named == part
    assert client.subscriptions == []


def test_two_rates_of_one_stream_live_side_by_side(client: NativeSession) -> None:
    ticker = {"streamType": "ticker", "symbols": ["btcusdt"]}
    for rate in (1, 2):
        assert listens(ask(client, "subscribe", **ticker, options={"maxRate": rate})) == ["btcusdt@ticker"]
    assert listens(ask(client, "subscribe", **ticker, options={"maxRate": 2.0})) == []

    assert leaves(ask(client, "unsubscribe", **ticker, options={"maxRate": 1})) == ["btcusdt@ticker"]
    told = sent(ask(client, "listSubscriptions"))[0]["streams"]
    assert [each["options"] for each in told] == [{"maxRate": 2}]


def test_delivery_of_a_session_is_that_of_its_requests_unless_they_say_otherwise(
    listings: dict[Market, Listing],
) -> None:
    client = NativeSession("c", SPOT, EVERY, listings, usual=Delivery(OnSlow.DISCONNECT))
    effects = ask(client, "subscribe", rawStreams=["btcusdt@trade"])
    effects += ask(client, "subscribe", streamType="kline", symbols=["ALL"], options={"onSlow": "gap"})

    assert [each.form.delivery.on_slow for each in effects if isinstance(each, Listen)] == ["disconnect", *["gap"] * 3]


def test_unsubscribe_all_removes_patterns_and_symbols_of_every_variant(client: NativeSession) -> None:
    ask(client, "subscribe", streamType="kline", symbols=["ALL"], options={"interval": "1m"})
    ask(client, "subscribe", streamType="kline", symbols=["btcusdt"], options={"interval": "5m"})
    ask(client, "subscribe", streamType="ticker", symbols=["btcusdt"])

    effects = ask(client, "unsubscribe", streamType="kline", symbols=["all"])

    assert sorted(leaves(effects)) == [
        "bnbusdt@kline_1m",
        "btcusdt@kline_1m",
        "btcusdt@kline_5m",
        "ethusdt@kline_1m",
    ]
    assert [each.stream for each in client.subscriptions] == ["btcusdt@ticker"]


def test_unsubscribing_what_is_not_subscribed_is_acknowledged(client: NativeSession) -> None:
    effects = ask(client, "unsubscribe", streamType="kline", symbols=["nosuch", "ALL", "_global_"])
    assert [reply["type"] for reply in sent(effects)] == ["unsubscribed"]
    assert sent(ask(client, "unsubscribe", rawStreams=["nosuch@trade"]))[0]["type"] == "unsubscribed"


def test_all_picks_up_and_drops_symbols_with_the_catalogue(
    client: NativeSession, listings: dict[Market, Listing]
) -> None:
    ask(client, "subscribe", streamType="ticker", symbols=["ALL"])
    listings[SPOT] = listing(SPOT, "BTCUSDT", "NEWUSDT", "ETHUSDT/BREAK")

    effects = client.catalogue_changed(change(SPOT))

    assert leaves(effects) == ["bnbusdt@ticker", "ethusdt@ticker"]
    assert listens(effects) == ["newusdt@ticker"]
    assert client.catalogue_changed(change(USDM)) == []


def test_symbol_subscribed_by_name_stays_when_it_is_halted(
    client: NativeSession, listings: dict[Market, Listing]
) -> None:
    ask(client, "subscribe", streamType="ticker", symbols=["btcusdt"])
    listings[SPOT] = listing(SPOT, "BTCUSDT/BREAK")

    assert client.catalogue_changed(change(SPOT)) == []


def test_who_asked_for_the_list_is_told_how_it_changes(client: NativeSession) -> None:
    (reply,) = sent(ask(client, "subscribe", streamType="symbols", id=7))
    assert reply == {"type": "subscribed", "streamType": "symbols", "id": 7}

    assert sent(client.catalogue_changed(change(SPOT, listed=["NEWUSDT"], halted=["OLDUSDT"]))) == [
        {
            "type": "symbols",
            "market": "spot",
            "listed": ["NEWUSDT"],
            "delisted": [],
            "halted": ["OLDUSDT"],
            "resumed": [],
            "time": 17,
        }
    ]
    assert client.catalogue_changed(change(USDM, listed=["NEWUSDT"])) == []
    assert client.catalogue_changed(change(SPOT)) == []


@pytest.mark.parametrize("fields", [{"symbols": ["ALL"]}, {"symbols": []}, {"symbols": None}, {"options": {}}])
def test_the_list_may_be_asked_for_as_other_streams_are(client: NativeSession, fields: dict[str, object]) -> None:
    (reply,) = sent(ask(client, "subscribe", streamType="symbols", market="usdm", **fields))
    assert reply["type"] == "subscribed"
    assert len(client.catalogue_changed(change(USDM, listed=["NEWUSDT"]))) == 1


def test_the_list_of_one_symbol_is_refused(client: NativeSession) -> None:
    assert problem(ask(client, "subscribe", streamType="symbols", symbols=["btcusdt"])) == (
        "INVALID_FIELD",
        ["btcusdt"],
    )
    assert problem(ask(client, "unsubscribe", streamType="symbols", symbols=["x"])) == ("INVALID_FIELD", ["x"])
    assert client.subscriptions == []


def test_the_list_is_left_and_shown_like_any_subscription(client: NativeSession) -> None:
    ask(client, "subscribe", streamType="symbols", market="usdm")
    shown = sent(ask(client, "listSubscriptions"))[0]
    assert (shown["streams"], shown["total"]) == ([{"market": "usdm", "streamType": "symbols"}], 0)

    assert sent(ask(client, "unsubscribe", streamType="symbols"))[0]["type"] == "unsubscribed"
    assert client.catalogue_changed(change(USDM, listed=["NEWUSDT"])) != []
    assert sent(ask(client, "unsubscribe", streamType="symbols", market="usdm")) == [
        {"type": "unsubscribed", "streamType": "symbols", "market": "usdm"}
    ]
    assert client.catalogue_changed(change(USDM, listed=["NEWUSDT"])) == []


@pytest.mark.parametrize("what", ["delisted", "halted"])
def test_who_named_a_symbol_that_ends_is_told_once_a_stream(
    client: NativeSession, listings: dict[Market, Listing], what: str
) -> None:
    ask(client, "subscribe", streamType="kline", symbols=["btcusdt", "ethusdt", "ALL"])
    ask(client, "subscribe", rawStreams=["btcusdt@kline_1m", "btcusdt@trade"])
    listings[SPOT] = listing(SPOT, "ETHUSDT", "BNBUSDT")

    effects = client.catalogue_changed(change(SPOT, **{what: ["BTCUSDT"]}))

    assert leaves(effects) == []  # its typed subscription stays
    assert sent(effects) == [
        {
            "type": "gap",
            "market": "spot",
            "data": {"e": "gap", "stream": stream, "from": 17, "to": 17, "unit": "ms", "reason": what},
        }
        for stream in ("btcusdt@kline_1m", "btcusdt@trade")
    ]


def test_all_alone_is_not_told_of_each_symbol_that_ends(client: NativeSession, listings: dict[Market, Listing]) -> None:
    ask(client, "subscribe", streamType="ticker", symbols=["ALL"])
    listings[SPOT] = listing(SPOT, "ETHUSDT", "BNBUSDT")

    effects = client.catalogue_changed(change(SPOT, delisted=["BTCUSDT"]))
    assert (leaves(effects), sent(effects)) == (["btcusdt@ticker"], [])


def test_market_that_was_never_listed_changes_nothing() -> None:
    assert NativeSession("c", SPOT, (SPOT,), {}).catalogue_changed(change(SPOT)) == []


def test_list_subscriptions(client: NativeSession) -> None:
    ask(client, "subscribe", streamType="kline", symbols=["ALL", "btcusdt"])
    ask(client, "subscribe", rawStreams=["btcusdt@trade"], market="usdm")

    assert sent(ask(client, "listSubscriptions", id="x")) == [
        {
            "type": "subscriptions",
            "streams": [
                {"market": "spot", "stream": "btcusdt@kline_1m", "streamType": "kline"},
                {"market": "usdm", "stream": "btcusdt@trade"},
            ],
            "patterns": [{"market": "spot", "stream": "*@kline_1m", "streamType": "kline", "streams": 3}],
            "total": 4,
            "id": "x",
        }
    ]


def test_what_is_live_already_is_not_resumed_and_says_so_of_its_market(client: NativeSession) -> None:
    resume = {"btcusdt@trade": {"epoch": 7, "seq": 3}}
    for fields in ({"rawStreams": ["btcusdt@trade"]}, {"streamType": "trade", "symbols": ["btcusdt"]}):
        assert listens(ask(client, "subscribe", **fields, market="usdm"))
        answer, *said = sent(ask(client, "subscribe", **fields, market="usdm", resume=resume))
        assert answer["type"] == "subscribed"
        live = {"type": "resumed", "stream": "btcusdt@trade", "market": "usdm", "recovered": False, "missed": 0}
        assert said == [live]


def test_of_what_is_live_already_no_history_comes_and_nobody_waits_for_its_end(client: NativeSession) -> None:
    for fields in ({"rawStreams": ["btcusdt@trade"]}, {"streamType": "trade", "symbols": ["btcusdt"]}):
        assert listens(ask(client, "subscribe", **fields, history=5))
        answer, *said = sent(ask(client, "subscribe", **fields, history=5))
        assert answer["type"] == "subscribed"
        end = {"type": "historyEnd", "stream": "btcusdt@trade", "count": 0, "error": "it is subscribed already"}
        assert said == [end]


def test_leaving_ends_every_stream(client: NativeSession) -> None:
    ask(client, "subscribe", streamType="kline", symbols=["ALL"])
    ask(client, "subscribe", rawStreams=["btcusdt@kline_1m"])

    assert repr(client) == "<NativeSession client_1620000000000_abc123 on spot: 4 streams>"
    assert len(client.delivered) == 4
    assert len(leaves(client.leave_all())) == 4
    assert client.subscriptions == []


@pytest.mark.parametrize(
    ("fields", "code", "part"),
    [
        ({}, "MISSING_FIELD", "streamType"),
        ({"streamType": 5, "symbols": ["btcusdt"]}, "INVALID_FIELD", 5),
        ({"streamType": "book", "symbols": ["btcusdt"]}, "UNKNOWN_STREAM_TYPE", "book"),
        ({"streamType": "ticker"}, "MISSING_FIELD", "symbols"),
        ({"streamType": "ticker", "symbols": []}, "INVALID_FIELD", []),
        ({"streamType": "ticker", "symbols": "btcusdt"}, "INVALID_FIELD", "btcusdt"),
        ({"streamType": "ticker", "symbols": ["btcusdt", "nosuch", ""]}, "UNKNOWN_SYMBOL", ["nosuch", ""]),
        ({"streamType": "ticker", "symbols": ["lunausdt"]}, "UNKNOWN_SYMBOL", ["lunausdt"]),
        ({"streamType": "ticker", "symbols": ["btcusdt@ticker", "*"]}, "UNKNOWN_SYMBOL", ["btcusdt@ticker", "*"]),
        ({"streamType": "ticker", "symbols": ["ALL", "nosuch"]}, "UNKNOWN_SYMBOL", ["nosuch"]),
        ({"streamType": "kline", "symbols": ["_global_"]}, "UNKNOWN_SYMBOL", ["_global_"]),
        ({"streamType": "kline", "symbols": ["btcusd"], "market": "coinm"}, "UNKNOWN_SYMBOL", ["btcusd"]),
        ({"streamType": "kline", "symbols": ["btcusdt"], "options": {"interval": "7m"}}, "UNKNOWN_INTERVAL", "7m"),
        ({"streamType": "depth", "symbols": ["btcusdt"], "options": {"level": 7}}, "UNKNOWN_LEVEL", 7),
        ({"streamType": "depth", "symbols": ["btcusdt"], "options": {"updateSpeed": 9}}, "UNKNOWN_UPDATE_SPEED", 9),
        ({"streamType": "depth", "symbols": ["btcusdt"], "options": {"levels": 5}}, "UNKNOWN_OPTION", "levels"),
        ({"streamType": "markPrice", "symbols": ["btcusdt"], "market": "spot"}, "UNKNOWN_STREAM_TYPE", "markPrice"),
        ({"streamType": "ticker", "symbols": ["btcusdt"], "market": "moon"}, "UNKNOWN_MARKET", "moon"),
        ({"rawStreams": "btcusdt@trade"}, "INVALID_FIELD", "btcusdt@trade"),
        ({"rawStreams": ["btcusdt@trade", "btcusdt@deep"]}, "UNKNOWN_STREAM", ["btcusdt@deep"]),
        ({"rawStreams": ["btcusdt@trade", "nosuch@trade"]}, "UNKNOWN_SYMBOL", ["nosuch@trade"]),
        ({"rawStreams": ["btcusdt@trade"], "streamType": "trade"}, "INVALID_FIELD", "rawStreams"),
    ],
)  # fmt: skip
def test_wrong_subscription_is_named_and_changes_nothing(
    client: NativeSession, fields: dict[str, object], code: str, part: object
) -> None:
    ask(client, "subscribe", rawStreams=["ethusdt@trade"])
    before = client.subscriptions

    assert problem(ask(client, "subscribe", **fields)) == (code, part)
    assert client.subscriptions == before


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "INVALID_JSON"),
        ("{", "INVALID_JSON"),
        ("[" * 100_000, "INVALID_JSON"),
        ("[]", "INVALID_REQUEST"),
        ("{}", "MISSING_FIELD"),
        ('{"type":null}', "MISSING_FIELD"),
        ('{"type":7}', "INVALID_FIELD"),
        ('{"type":"nonsense"}', "UNKNOWN_TYPE"),
        ('{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}', "MISSING_FIELD"),
        ('{"type":"ping","id":{}}', "INVALID_ID"),
        ('{"type":"unsubscribe","streamType":"kline","symbols":["a"],"options":{"interval":"7m"}}', "UNKNOWN_INTERVAL"),
        ('{"type":"unsubscribe","rawStreams":["rubbish"]}', "UNKNOWN_STREAM"),
        ('{"type":"getHistoricalKlines","interval":"1m"}', "MISSING_FIELD"),
        ('{"type":"getHistoricalKlines","symbol":"nosuch","interval":"1m"}', "UNKNOWN_SYMBOL"),
        ('{"type":"getHistoricalKlines","symbol":"btcusdt","interval":"7m"}', "UNKNOWN_INTERVAL"),
        ('{"type":"getHistoricalKlines","symbol":"btcusdt","interval":"1m","limit":5001}', "INVALID_FIELD"),
    ],
)
def test_wrong_message_gets_a_code(client: NativeSession, text: str, code: str) -> None:
    assert problem(client.receive(text))[0] == code


def test_many_unknown_symbols_make_a_short_sentence_and_a_whole_part(client: NativeSession) -> None:
    names = [f"no{number}" for number in range(50)]

    (reply,) = sent(ask(client, "subscribe", streamType="ticker", symbols=names))

    assert reply["part"] == names
    assert reply["message"].endswith("and 40 more")


def test_binary_is_not_supported(client: NativeSession) -> None:
    assert problem(client.receive_binary(b'{"type":"ping"}')) == ("BINARY_NOT_SUPPORTED", None)


def test_market_whose_symbols_are_not_known_yet() -> None:
    client = NativeSession("c", SPOT, EVERY, {})

    for fields in ({"streamType": "kline", "symbols": ["ALL"]}, {"rawStreams": ["btcusdt@trade"]}):
        assert problem(ask(client, "subscribe", **fields)) == ("NOT_READY", "spot")
    assert problem(ask(client, "getHistoricalKlines", symbol="btcusdt", interval="1m")) == ("NOT_READY", "spot")


def test_session_has_a_limit_of_streams(listings: dict[Market, Listing]) -> None:
    client = NativeSession("c", SPOT, EVERY, listings, streams_max=3)
    assert len(listens(ask(client, "subscribe", streamType="ticker", symbols=["ALL"]))) == 3

    assert problem(ask(client, "subscribe", streamType="kline", symbols=["btcusdt"]))[0] == "TOO_MANY_STREAMS"
    assert problem(ask(client, "subscribe", rawStreams=["btcusdt@ticker"]))[0] == "TOO_MANY_STREAMS"
    assert sent(ask(client, "subscribe", streamType="ticker", symbols=["btcusdt"]))[0]["type"] == "subscribed"


class TestTokens:
    """What a token does not allow."""

    @pytest.fixture
    def client(self, listings: dict[Market, Listing]) -> NativeSession:
        grant = Grant(name="bot", markets=frozenset({SPOT}), types=frozenset({"trade", "depth"}), streams=2)
        return NativeSession("client_1_a", SPOT, EVERY, listings, grant=grant)

    def test_what_is_allowed_is_as_always(self, client: NativeSession) -> None:
        assert listens(ask(client, "subscribe", rawStreams=["btcusdt@depth20"])) == ["btcusdt@depth20"]

    @pytest.mark.parametrize(
        "fields",
        [
            {"type": "subscribe", "streamType": "kline", "symbols": ["btcusdt"]},
            {"type": "subscribe", "streamType": "ticker", "symbols": ["ALL"]},
            {"type": "subscribe", "rawStreams": ["btcusdt@trade", "btcusdt@kline_1m"]},
            {"type": "getHistoricalKlines", "symbol": "btcusdt", "interval": "1m"},
        ],
    )
    def test_another_type_is_forbidden_by_name(self, client: NativeSession, fields: dict[str, object]) -> None:
        (reply,) = sent(effects := client.receive(json.dumps({**fields, "id": 7})))
        assert len(effects) == 1
        assert (reply["code"], reply["id"]) == ("FORBIDDEN", 7)
        assert ("ticker" if fields.get("streamType") == "ticker" else "kline") in reply["message"]
        assert client.subscriptions == []

    def test_what_holds_for_many_streams_is_said_once(self, client: NativeSession) -> None:
        (reply,) = sent(ask(client, "subscribe", rawStreams=["btcusdt@kline_1m", "ethusdt@kline_1m"]))
        assert reply["message"] == "this token may not read kline; allowed: depth, trade"
        assert reply["part"] == ["btcusdt@kline_1m", "ethusdt@kline_1m"]

    def test_another_market_is_forbidden_by_name(self, client: NativeSession) -> None:
        (reply,) = sent(ask(client, "subscribe", streamType="trade", symbols=["btcusdt"], market="usdm"))
        assert (reply["code"], reply["message"]) == ("FORBIDDEN", "this token may not read usdm; allowed: spot")

    def test_more_streams_than_allowed_are_refused(self, client: NativeSession) -> None:
        ask(client, "subscribe", streamType="trade", symbols=["btcusdt", "ethusdt"])
        assert problem(ask(client, "subscribe", streamType="depth", symbols=["btcusdt"]))[0] == "TOO_MANY_STREAMS"


def test_the_goodbye_says_to_come_back_and_when_it_ends(client: NativeSession) -> None:
    assert sent(client.goodbye(5, 2.5)) == [{"type": "goodbye", "reconnect": True, "closesIn": 2.5}]


def test_a_request_that_comes_too_soon_is_refused_with_its_id(client: NativeSession) -> None:
    (reply,) = sent(client.overrun('{"type":"ping","id":"x"}', 20.0, 0.05))
    assert (reply["code"], reply["id"], reply["retryAfter"]) == ("TOO_MANY_REQUESTS", "x", 0.05)
    assert problem(client.overrun("{nonsense", 20.0, 0.05))[0] == "TOO_MANY_REQUESTS"


def wanted(effects: list[Effect]) -> list[Form]:
    return [effect.form for effect in effects if isinstance(effect, Listen)]


class TestNormalised:
    def test_typed_and_raw_subscriptions_are_one_form_with_readable_names(
        self, listings: dict[Market, Listing]
    ) -> None:
        client = NativeSession("c", SPOT, EVERY, listings, Envelope.NORMALISED)
        (form,) = wanted(ask(client, "subscribe", streamType="trade", symbols=["btcusdt"]))
        assert not wanted(ask(client, "subscribe", rawStreams=["btcusdt@trade"]))
        assert form.prefix == b'{"type":"trade","data":'
        assert form.shape is Shape.NORMALISED
        (form,) = wanted(ask(client, "subscribe", rawStreams=["btcusdt@aggTrade"], market="usdm"))
        assert form.prefix == b'{"type":"agg_trade","market":"usdm","data":'

    def test_places_say_whose_they_are(self, listings: dict[Market, Listing]) -> None:
        client = NativeSession("c", SPOT, EVERY, listings, Envelope.EXACT, Delivery(marks=Marks.PLACE))
        (form,) = wanted(ask(client, "subscribe", streamType="kline", symbols=["btcusdt"]))
        assert form.prefix == b'{"type":"kline","stream":"btcusdt@kline_1m","data":'
        assert form.shape is Shape.EXACT

    def test_a_stream_without_a_normalised_form_is_refused_by_name(self, listings: dict[Market, Listing]) -> None:
        client = NativeSession("c", SPOT, EVERY, listings, Envelope.NORMALISED)
        refused = ask(client, "subscribe", rawStreams=["btcusdt@avgPrice", "btcusdt@trade"])
        assert problem(refused) == ("NOT_NORMALISED", ["btcusdt@avgPrice"])
        assert client.subscriptions == []
