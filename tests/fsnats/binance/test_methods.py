"""What is asked of the exchange's public REST, looked at before it leaves."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.endpoints import method_at, path
from fsnats.binance.methods import METHODS, known, read
from fsnats.binance.parameters import RestError
from fsnats.binance.streams import Market

SYMBOLS = {"BTCUSDT", "ETHUSDT"}
PAIRS = {"BTCUSDT"}


def refused(market: Market, method: str, *pairs: tuple[str, str]) -> tuple[int, str]:
    with pytest.raises(RestError) as refusal:
        known(market, method, read(market, method, pairs), SYMBOLS, PAIRS)
    body = json.loads(refusal.value.body)
    assert refusal.value.status == 400
    return body["code"], body["msg"]


@pytest.mark.parametrize(("market", "method"), [(market, method) for market in Market for method in METHODS[market]])
def test_every_method_has_a_path_that_leads_back(market: Market, method: str) -> None:
    assert method_at(path(market, method), market) == (market, method)


def test_statistics_of_no_host_in_particular_are_those_of_usdm() -> None:
    assert method_at("/futures/data/basis") == (Market.USDM, "futures/data/basis")
    assert method_at("/futures/data/basis", Market.COINM) == (Market.COINM, "futures/data/basis")


def test_a_second_version_has_its_own_path() -> None:
    assert path(Market.USDM, "v2/ticker/price") == "/fapi/v2/ticker/price"
    assert method_at("/fapi/v3/account") is None


@pytest.mark.parametrize(
    ("market", "method", "pairs", "code", "says"),
    [
        (Market.SPOT, "klines", [("interval", "1m")], -1102, "'symbol'"),
        (Market.SPOT, "klines", [("symbol", ""), ("interval", "1m")], -1105, "Parameter 'symbol' was empty."),
        (Market.SPOT, "klines", [("symbol", "NOPE"), ("interval", "1m")], -1121, "Invalid symbol."),
        (Market.SPOT, "klines", [("symbol", "btcusdt"), ("interval", "1m")], -1100, "'symbol'"),
        (Market.SPOT, "klines", [("symbol", "BTCUSDT"), ("interval", "7m")], -1120, "Invalid interval."),
        (Market.SPOT, "depth", [("symbol", "BTCUSDT"), ("limit", "x")], -1100, "'limit'"),
        (Market.SPOT, "depth", [("symbol", "BTCUSDT"), ("x", "1")], -1104, "read '1' parameter(s) but was sent '2'"),
        (Market.SPOT, "depth", [("symbol", "BTCUSDT"), ("symbol", "ETHUSDT")], -1101, "Duplicate"),
        (Market.SPOT, "ticker/price", [("symbols", '["BTCUSDT","NOPE"]')], -1121, "Invalid symbol."),
        (Market.SPOT, "ticker/price", [("symbols", "BTCUSDT")], -1100, "'symbols'"),
        (Market.SPOT, "ticker/price", [("symbols", '["BTCUSDT"]'), ("symbol", "BTCUSDT")], -1128, "Combination"),
        (Market.SPOT, "exchangeInfo", [("permissions", "SPOT' or 1=1")], -1100, "'permissions'"),
        (Market.USDM, "depth", [("symbol", "BTCUSDT"), ("limit", "7")], -4021, "7 is not valid depth limit."),
        (
            Market.USDM,
            "continuousKlines",
            [("pair", "NOPE"), ("contractType", "PERPETUAL"), ("interval", "1m")],
            -1121,
            "Invalid symbol.",
        ),
    ],
)
def test_what_the_exchange_would_refuse_is_refused_in_its_words(
    market: Market, method: str, pairs: list[tuple[str, str]], code: int, says: str
) -> None:
    found, text = refused(market, method, *pairs)
    assert found == code
    assert says in text


def test_what_is_missing_is_told_before_what_is_wrong() -> None:
    assert refused(Market.SPOT, "klines", ("symbol", "NOPE"))[0] == -1102
    assert refused(Market.SPOT, "klines", ("symbol", "NOPE"), ("interval", "7m"))[0] == -1121


def test_futures_do_not_look_at_what_they_do_not_know_nor_at_capitals() -> None:
    query = read(Market.USDM, "depth", [("symbol", "btcusdt"), ("select", "*")])
    assert query == {"symbol": "BTCUSDT"}


def test_seconds_are_an_interval_of_continuous_candles() -> None:
    pairs = [("pair", "BTCUSDT"), ("contractType", "PERPETUAL"), ("interval", "1s")]
    known(Market.USDM, "continuousKlines", read(Market.USDM, "continuousKlines", pairs), SYMBOLS, PAIRS)
    assert refused(Market.USDM, "klines", ("symbol", "BTCUSDT"), ("interval", "1s"))[0] == -1120


_NAMES = st.sampled_from(
    [
        "symbol",
        "symbols",
        "interval",
        "limit",
        "timeZone",
        "permissions",
        "symbolStatus",
        "contractType",
        "windowSize",
        "period",
        "x",
    ]
)
_VALUES = st.one_of(st.sampled_from(["BTCUSDT", "1m", "5", '["BTCUSDT"]']), st.text(max_size=20))
_HARMLESS = re.compile(r'[A-Za-z0-9_.+:,"\[\]-]+')


@given(
    st.sampled_from([(market, method) for market in Market for method in METHODS[market]]),
    st.lists(st.tuples(_NAMES, _VALUES), max_size=4),
)
def test_nothing_leaves_that_a_firewall_could_take_offence_at(
    which: tuple[Market, str], pairs: list[tuple[str, str]]
) -> None:
    market, method = which
    try:
        query = read(market, method, pairs)
        known(market, method, query, SYMBOLS, PAIRS)
    except RestError:
        return
    assert query.keys() <= {*METHODS[market][method].needs, *METHODS[market][method].takes}
    assert all(_HARMLESS.fullmatch(value) for value in query.values())
