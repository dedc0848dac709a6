"""What streams answer is what REST says at that moment: both are asked of the simulated exchange."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.methods import METHODS
from fsnats.binance.streams import Market, parse
from gateway.rest.live import RULES, live, read, terms_of
from tests.workers.simulator.worlds import NOW, make_world
from workers.simulator.rest import Rest
from workers.simulator.streams import build

WORLD = make_world()
REST = Rest(WORLD)
SYMBOLS = {
    Market.SPOT: ("BTCUSDT", "ETHBTC", "币安人生USDT"),
    Market.USDM: ("BTCUSDT", "BTCUSDT_261225", "XAUUSDT"),
    Market.COINM: ("BTCUSD_PERP", "BTCUSD_261225", "ADAUSD_PERP"),
}


def parameters_of(market: Market, method: str, symbol: str, limit: int = 5) -> dict[str, str]:
    takes = RULES[market, method].takes
    values = {"limit": "1" if method == "klines" else str(limit), "interval": "1m"}
    return {"symbol": symbol} | {name: values[name] for name in takes}


def said(market: Market, name: str, start: int) -> tuple[bytes, int]:
    """The next thing that a stream says, and when."""
    feed = build(WORLD, parse(market, name), start)
    assert feed is not None
    for _ in range(100):
        now = feed.due
        if payloads := feed.produce(now):
            return payloads[-1], now
    raise AssertionError(f"{name} says nothing")


@pytest.mark.parametrize(("market", "method"), RULES)
async def test_the_newest_message_says_what_rest_says(market: Market, method: str) -> None:
    for symbol in SYMBOLS[market]:
        for start in (NOW, NOW + 123_456):
            parameters = parameters_of(market, method, symbol)
            answerable = live(market, method, parameters)
            assert answerable is not None
            payload, now = said(market, answerable.stream.name, start)
            theirs = await REST.answer(market, method, parameters, now)
            earlier = await REST.answer(market, method, parameters, now - 30_000)
            ours = answerable.body(read(payload), terms_of(earlier))
            assert ours is not None
            assert json.loads(ours) == json.loads(theirs), answerable.stream.name
            assert list(_first(ours)) == list(_first(theirs))  # in this order, too


def _first(body: bytes) -> Any:
    decoded = json.loads(body)
    return decoded[0] if isinstance(decoded, list) else decoded


@given(limit=st.integers(1, 20))
@settings(max_examples=20, deadline=None)
def test_spot_has_books_of_any_depth_up_to_twenty(limit: int) -> None:
    answerable = live(Market.SPOT, "depth", {"symbol": "BTCUSDT", "limit": str(limit)})
    assert answerable is not None
    payload, _ = said(Market.SPOT, answerable.stream.name, NOW)
    book = json.loads(answerable.body(read(payload), {}) or b"")
    assert len(book["bids"]) == len(book["asks"]) == limit


@pytest.mark.parametrize(
    ("market", "method", "parameters"),
    [
        (Market.SPOT, "depth", {"symbol": "BTCUSDT"}),
        (Market.SPOT, "depth", {"symbol": "BTCUSDT", "limit": "21"}),
        (Market.SPOT, "depth", {"symbol": "BTCUSDT", "limit": "0"}),
        (Market.USDM, "depth", {"symbol": "BTCUSDT", "limit": "50"}),
        (Market.USDM, "klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "2"}),
        (Market.USDM, "klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "1", "endTime": "5"}),
        (Market.SPOT, "klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "1"}),
        (Market.SPOT, "ticker/24hr", {"symbol": "BTCUSDT", "type": "MINI"}),
        (Market.SPOT, "ticker/24hr", {}),
        (Market.SPOT, "ticker/price", {"symbols": '["BTCUSDT"]'}),
        (Market.SPOT, "ticker/price", {"symbol": "BTCUSDT", "symbolStatus": "TRADING"}),
        (Market.USDM, "ticker/price", {"symbol": "BTCUSDT"}),
        (Market.USDM, "ticker/24hr", {"symbol": "BTCUSDT"}),
        (Market.COINM, "ticker/bookTicker", {"symbol": "BTCUSD"}),  # no such symbol, but a pair
    ],
)
def test_what_no_message_holds_is_asked(market: Market, method: str, parameters: dict[str, str]) -> None:
    assert live(market, method, parameters) is None


def test_rules_are_for_methods_that_there_are() -> None:
    for (market, method), rule in RULES.items():
        needs, takes = METHODS[market][method]
        assert {"symbol", *rule.takes} <= {*needs, *takes}


def test_a_closed_candle_and_a_message_of_another_shape_answer_nothing() -> None:
    candle = live(Market.USDM, "klines", {"symbol": "BTCUSDT", "interval": "1m", "limit": "1"})
    assert candle is not None
    closed = {key: 1 for key in ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")} | {"x": True}
    assert candle.body(read(msgspec.json.encode({"k": closed})), {}) is None
    assert candle.body(read(msgspec.json.encode({"k": closed | {"x": False}})), {}) is not None
    assert candle.body(read(b'{"k":{"x":false}}'), {}) is None
    assert candle.body(read(b'{"k":[]}'), {}) is None


def test_terms_are_those_of_one_answer() -> None:
    assert terms_of(b'[{"interestRate":"0.1"}]') == {"interestRate": msgspec.Raw(b'"0.1"')}
    assert terms_of(b"[1]") == terms_of(b"[{},{}]") == terms_of(b"") == {}
