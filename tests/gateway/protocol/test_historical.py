"""Candles: asked for through an effect, answered later."""

import json
from typing import Any

import pytest

from fsnats.errors import BadCommand
from gateway.effects import Klines
from gateway.protocol import historical
from gateway.protocol.requests import request_id_of, request_of
from tests.gateway.protocol.worlds import COINM, EVERY, SPOT, USDM, world


def asked(**fields: object) -> Klines:
    wanted = {"type": "getHistoricalKlines", "symbol": "BtcUsdt", "interval": "1m", **fields}
    request = request_of(json.dumps(wanted))
    return historical.asked(request, request_id_of(request), SPOT, EVERY)


def test_futures() -> None:
    assert asked(isFutures=True)[:2] == (USDM, "BTCUSDT")
    assert asked(market="coinm", symbol="btcusd_perp")[:2] == (COINM, "BTCUSD_PERP")


def test_continuous_candles_are_those_of_a_pair_and_of_futures() -> None:
    request = asked(continuous=True, interval="1s")
    assert (request.market, request.symbol, request.contract) == (USDM, "BTCUSDT", "perpetual")
    assert (historical.kind_of(request), historical.kind_of(asked())) == ("continuousKline", "kline")
    expected = {"symbol": "BtcUsdt", "interval": "1s", "continuous": "perpetual", "klines": []}
    assert json.loads(historical.fetched(request, b"[]")) == {"type": "historicalKlines", **expected}


def test_a_symbol_is_no_pair() -> None:
    request = asked(symbol="btcusd_perp", market="coinm", continuous="perpetual")
    with pytest.raises(BadCommand, match="unknown pair 'btcusd_perp' on coinm") as refused:
        historical.require_listed(request, world()[COINM])
    assert (refused.value.code, refused.value.part) == ("UNKNOWN_SYMBOL", "btcusd_perp")


def test_symbol_that_no_longer_trades_still_has_a_past() -> None:
    historical.require_listed(asked(symbol="lunausdt"), world()[SPOT])
    with pytest.raises(BadCommand, match="unknown symbol 'nosuch' on spot"):
        historical.require_listed(asked(symbol="nosuch"), world()[SPOT])


def test_reply_names_market_and_id_where_the_request_did() -> None:
    request = asked(market="usdm", id=7)
    assert historical.fetched(request, b"[]") == (
        b'{"type":"historicalKlines","symbol":"BtcUsdt","interval":"1m","klines":[],"market":"usdm","id":7}'
    )


def test_failure_says_what_was_asked() -> None:
    expected: dict[str, Any] = {
        "type": "error",
        "code": "HISTORY_UNAVAILABLE",
        "message": "nobody answers",
        "symbol": "BtcUsdt",
        "interval": "1m",
        "retryAfter": 2.5,
        "id": None,
    }
    assert json.loads(historical.failed(asked(id=None), "HISTORY_UNAVAILABLE", "nobody answers", 2.5)) == expected
