"""What clients ask over REST, and what they are told without anybody being asked."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.endpoints import path
from fsnats.binance.methods import METHODS
from fsnats.binance.parameters import RestError
from fsnats.binance.streams import Market
from fsnats.symbols import Listing, Symbol
from gateway.admission.grants import TYPES
from gateway.rest.questions import PUBLIC_ONLY, STREAM_TYPES, Question, checked, question

LISTINGS = {
    Market.SPOT: Listing(
        Market.SPOT, 0, True, [Symbol("BTCUSDT", "BTCUSDT", "", "TRADING"), Symbol("FTTUSDT", "FTTUSDT", "", "BREAK")]
    ),
    Market.USDM: Listing(Market.USDM, 0, True, [Symbol("BTCUSDT_261225", "BTCUSDT", "CURRENT_QUARTER", "TRADING")]),
}
CARRIED = (Market.SPOT, Market.USDM)


def refused(verb: str, where: str, query: str = "") -> tuple[int, int, str]:
    with pytest.raises(RestError) as refusal:
        checked(question(verb, where, query), CARRIED, LISTINGS)
    body = json.loads(refusal.value.body)
    return refusal.value.status, body["code"], body["msg"]


@pytest.mark.parametrize(("market", "method"), [(market, method) for market in Market for method in METHODS[market]])
def test_every_method_is_at_the_root_and_behind_its_market(market: Market, method: str) -> None:
    statistics_of_coinm = market is Market.COINM and method.startswith("futures/data/")  # at the root they are USD-M's
    for base in (f"/{market}",) if statistics_of_coinm else ("", f"/{market}"):
        assert question("GET", base + path(market, method), "x=1&x=%20") == Question(
            market, method, [("x", "1"), ("x", " ")]
        )


@pytest.mark.parametrize(
    ("verb", "where", "query"),
    [
        ("POST", "/api/v3/order", "symbol=BTCUSDT"),
        ("POST", "/spot/api/v3/userDataStream", ""),
        ("GET", "/api/v3/account", ""),
        ("GET", "/fapi/v3/positionRisk", ""),
        ("GET", "/usdm/fapi/v2/balance", ""),
        ("DELETE", "/fapi/v1/allOpenOrders", ""),
        ("GET", "/sapi/v1/capital/config/getall", ""),
        ("GET", "/api/v3/klines", "symbol=BTCUSDT&timestamp=1&signature=abc"),
        ("POST", "/api/v3/klines", "timestamp=1"),
        ("POST", "/api/v3/nosuch", ""),
    ],
)
def test_what_belongs_to_an_account_is_told_what_this_is(verb: str, where: str, query: str) -> None:
    assert refused(verb, where, query) == (403, -1002, PUBLIC_ONLY)


@pytest.mark.parametrize("verb", ["POST", "DELETE", "TRACE"])
def test_what_is_served_is_only_to_be_read(verb: str) -> None:
    text = f"Path /spot/api/v3/klines, Method {verb} is invalid; there are GET, HEAD, OPTIONS."
    assert refused(verb, "/spot/api/v3/klines", "symbol=BTCUSDT") == (405, -5000, text)


@pytest.mark.parametrize(
    "where",
    [
        "/api/v3/nosuch",
        "/futures/data/nosuch",
        "/futures/data/basis/x",
        "/spot/futures/data/basis",
        "/spot/fapi/v1/time",
        "/usdm/api/v3/time",
        "/api/v1/klines",
        "/spot",
        "/spot//api/v3/time",
        "/",
    ],
)
def test_what_is_not_served_is_not_found(where: str) -> None:
    status, code, says = refused("GET", where)
    assert (status, code) == (404, -5000)
    assert where in says


def test_a_market_that_is_not_carried_is_named() -> None:
    assert refused("GET", "/dapi/v1/time") == (404, -5000, "coinm is not carried here; allowed: spot, usdm.")


def test_symbols_and_pairs_are_those_that_are_listed_whether_or_not_they_trade() -> None:
    assert refused("GET", "/api/v3/depth", "symbol=NOPE") == (400, -1121, "Invalid symbol.")
    assert refused("GET", "/fapi/v1/depth", "symbol=BTCUSDT") == (400, -1121, "Invalid symbol.")
    assert checked(question("GET", "/api/v3/depth", "symbol=FTTUSDT"), CARRIED, LISTINGS) == {"symbol": "FTTUSDT"}
    pair = "pair=BTCUSDT&contractType=PERPETUAL&interval=1m"
    assert checked(question("GET", "/fapi/v1/continuousKlines", pair), CARRIED, LISTINGS)["pair"] == "BTCUSDT"


def test_our_token_goes_no_further() -> None:
    assert question("GET", "/api/v3/depth", "token=secret&symbol=BTCUSDT").pairs == [("symbol", "BTCUSDT")]


@pytest.mark.parametrize("query", ["a=1&" * 33, "symbol=" + "x" * 20_000])
def test_too_much_is_too_much(query: str) -> None:
    assert refused("GET", "/api/v3/depth", query)[:2] == (400, -1101)


def test_microseconds_are_not_answered_with_milliseconds() -> None:
    with pytest.raises(RestError):
        question("GET", "/api/v3/trades", "symbol=BTCUSDT", "MICROSECOND")
    assert question("GET", "/fapi/v1/time", "", "MICROSECOND").method == "time"  # only spot has the header


def test_every_method_that_shows_a_symbol_has_a_type_that_tokens_know() -> None:
    assert set(STREAM_TYPES.values()) <= TYPES
    every = {method for methods in METHODS.values() for method in methods}
    assert every - STREAM_TYPES.keys() == {"ping", "time", "exchangeInfo"}


@given(st.sampled_from(["GET", "PUT"]), st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_asked_is_a_question_or_refused(verb: str, where: str, query: str) -> None:
    for base in ("/", "/api/v3/", "/spot/", "/spot/api/v3/klines?"):
        try:
            assert isinstance(checked(question(verb, base + where, query), CARRIED, LISTINGS), dict)
        except RestError as error:
            refusal = json.loads(error.body)
            if refusal.keys() != {"code", "msg"}:
                raise
