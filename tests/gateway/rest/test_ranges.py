import json

import pytest

from fsnats.binance.streams import Market
from fsnats.history import KlinesRequest, Missing, TradesRequest
from fsnats.symbols import Listing, Symbol
from gateway.rest.problem import Problem
from gateway.rest.ranges import KLINES, TRADES, Asked, asked, refused, require_listed, told

MARKETS = (Market.SPOT, Market.USDM)
NOW = 1_795_174_351_645
BTC = "symbol=btcusdt&interval=1m"


def ask(query: str, accept: str = "", path: str = KLINES) -> Asked:
    return asked(path, query, accept, MARKETS, NOW)


def klines(query: str) -> KlinesRequest:
    request = ask(query).request
    assert isinstance(request, KlinesRequest)
    return request


def test_a_range_is_read_with_times_of_either_kind() -> None:
    request = klines(f"market=usdm&{BTC}&start=2026-11-01&end=1795000000000")
    assert (request.market, request.symbol, request.interval) == (Market.USDM, "BTCUSDT", "1m")
    assert (request.start_ms, request.end_ms) == (1_793_491_200_000, 1_795_000_000_000)
    assert (request.newest, request.closed, request.bulk, request.source) == (False, True, True, "")
    assert klines(f"{BTC}&start=2026-11-01T02:00:00+02:00").start_ms == 1_793_491_200_000


def test_without_a_start_the_newest_are_meant() -> None:
    answer = ask(BTC)
    assert isinstance(answer.request, KlinesRequest)
    assert (answer.request.newest, answer.limit, answer.request.market) == (True, 500, Market.SPOT)
    assert ask(f"{BTC}&start=2026-11-01").limit is None
    assert ask(f"{BTC}&start=2026-11-01&limit=1000000").limit == 1_000_000


def test_continuous_candles_are_of_a_type_of_contract() -> None:
    for word in ("1", "true", "perpetual", "PERPETUAL"):
        answer = ask(f"market=usdm&{BTC}&continuous={word}")
        assert isinstance(answer.request, KlinesRequest)
        assert (answer.request.contract, answer.title.continuous) == ("perpetual", "perpetual")
        assert answer.stream_type == "continuousKline"
    assert klines(f"{BTC}&continuous=0").contract == ""


def test_trades_have_no_interval() -> None:
    answer = ask("symbol=btcusdt&start=2026-11-01&source=store", path=TRADES)
    assert isinstance(answer.request, TradesRequest)
    assert (answer.request.source, answer.stream_type, answer.title.interval) == ("store", "aggTrade", "")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/json", "json"),
        ("text/csv", "csv"),
        ("text/html, application/vnd.apache.parquet;q=0.5, text/csv;q=0.1", "parquet"),
        ("application/vnd.apache.arrow.stream", "arrow"),
        ("text/html,*/*;q=0.8", "json"),
    ],
)
def test_the_accepted_type_decides_on_the_form(accept: str, form: str) -> None:
    assert ask(BTC, accept).format == form
    assert ask(f"{BTC}&format=csv", accept).format == "csv"


@pytest.mark.parametrize(
    ("query", "status", "code", "says"),
    [
        ("interval=1m", 400, "MISSING_FIELD", "symbol: missing"),
        ("symbol=btcusdt", 400, "MISSING_FIELD", "interval: missing"),
        ("symbol=btcusdt&interval=7m", 400, "UNKNOWN_INTERVAL", "allowed: 1s, 1m"),
        ("market=usdm&symbol=btcusdt&interval=1s", 400, "UNKNOWN_INTERVAL", "unknown interval '1s'"),
        (f"market=coinm&{BTC}", 404, "UNKNOWN_MARKET", "allowed: spot, usdm"),
        (f"market=forex&{BTC}", 404, "UNKNOWN_MARKET", "'forex'"),
        (f"{BTC}&continuous=1", 400, "UNKNOWN_STREAM_TYPE", "spot has no continuous"),
        (f"market=usdm&{BTC}&continuous=weekly", 400, "UNKNOWN_CONTRACT_TYPE", "'weekly'"),
        (f"{BTC}&start=yesterday", 400, "INVALID_FIELD", "start: 'yesterday'"),
        (f"{BTC}&start=2026-11-02&end=2026-11-01", 400, "INVALID_FIELD", "is after end"),
        (f"{BTC}&limit=0", 400, "INVALID_FIELD", "limit: '0'"),
        (f"{BTC}&limit=-5", 400, "INVALID_FIELD", "limit: '-5'"),
        (f"{BTC}&limit=5001", 400, "INVALID_FIELD", "at most 5000 without a start"),
        ("symbol=btcusdt&interval=1m&path=trades", 400, "INVALID_FIELD", "path: no such parameter"),
        (f"{BTC}&source=moon", 400, "INVALID_FIELD", "none of rest, store"),
        (f"{BTC}&format=xml", 400, "INVALID_FIELD", "none of json, csv"),
        (f"{BTC}&startTime=1", 400, "INVALID_FIELD", "startTime: no such parameter"),
        (f"{BTC}&symbol=x", 400, "INVALID_FIELD", "symbol: given twice"),
        (f"{BTC}&x={'1' * 3000}", 400, "INVALID_REQUEST", "too long"),
    ],
)
def test_what_is_wrong_is_named(query: str, status: int, code: str, says: str) -> None:
    with pytest.raises(Problem) as problem:
        ask(query)
    body = json.loads(problem.value.body)
    assert (body["type"], body["status"], body["code"]) == ("about:blank", status, code)
    assert says in body["detail"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("interval=1m", "interval: trades have none"),
        ("continuous=1", "continuous: trades have none"),
        ("end=2026-11-01", "start: missing"),
    ],
)
def test_what_trades_do_not_have_is_named(query: str, says: str) -> None:
    with pytest.raises(Problem, match=says):
        ask(f"symbol=btcusdt&{query}", path=TRADES)
    assert ask("symbol=btcusdt&end=2026-11-01&source=store", path=TRADES).limit == 500


def test_a_type_that_nobody_serves_is_not_acceptable() -> None:
    with pytest.raises(Problem) as problem:
        ask(BTC, "text/html, text/csv;q=0")
    assert problem.value.status == 406


def test_an_unlisted_symbol_is_named_and_one_that_rests_has_a_past() -> None:
    listing = Listing(Market.SPOT, 0, False, [Symbol("BTCUSDT", "BTCUSDT", "", "BREAK")])
    require_listed(ask(BTC), listing)
    with pytest.raises(Problem, match="unknown symbol 'NOPE' on spot"):
        require_listed(ask("symbol=nope&interval=1m"), listing)


def test_trouble_of_the_history_workers_is_trouble_of_the_service() -> None:
    assert (refused("HISTORY_UNAVAILABLE", "no", 3.0).status, refused("UNKNOWN_SYMBOL", "no", None).status) == (
        503,
        400,
    )


def test_the_header_names_what_is_missing_and_stays_short() -> None:
    assert told([]) == {"x-fsnats-complete": "true"}
    fields = told([Missing(1, 2), Missing(5, 6, "a")])
    assert fields == {"x-fsnats-complete": "false", "x-fsnats-missing": "ms=1-2, a=5-6"}
    many = told([Missing(10 * n, 10 * n + 1) for n in range(1000)])["x-fsnats-missing"].split(", ")
    assert (len(many), many[-1]) == (50, "ms=490-9991")
