from http import HTTPStatus

import pytest

from fsnats.binance.streams import Market
from fsnats.symbols import Listing, Symbol
from gateway.admission.grants import EVERYTHING, Grant
from gateway.protocol.binance import BinanceSession
from gateway.protocol.native import NativeSession
from gateway.protocol.paths import Refusal, read_path
from gateway.reception import Reception

MARKETS = (Market.SPOT, Market.USDM)
LISTINGS = {market: Listing(market, 0, False, [Symbol("BTCUSDT", "BTC", "USDT", "TRADING")]) for market in MARKETS}


def _receive(target: str, grant: Grant = EVERYTHING, listings: dict[Market, Listing] = LISTINGS) -> object:
    path = read_path(target, MARKETS)
    assert not isinstance(path, Refusal)
    return Reception(MARKETS, listings, 100).session(path, grant, "c")


@pytest.mark.parametrize(
    ("target", "session"),
    [
        ("/", NativeSession),
        ("/usdm", NativeSession),
        ("/ws/btcusdt@trade", BinanceSession),
        ("/stream", BinanceSession),
    ],
)
def test_the_path_decides_on_the_dialect(target: str, session: type) -> None:
    assert isinstance(_receive(target), session)


@pytest.mark.parametrize("target", ["/", "/stream?streams=btcusdt@trade"])
def test_nobody_is_received_for_a_market_that_the_token_may_not_read(target: str) -> None:
    refusal = _receive(target, Grant(name="bot", markets=frozenset({Market.USDM})))
    assert isinstance(refusal, Refusal)
    assert refusal.status is HTTPStatus.FORBIDDEN
    assert "may not read spot" in refusal.reason


def test_streams_of_the_path_that_the_token_may_not_read_are_refused() -> None:
    grant = Grant(name="bot", types=frozenset({"aggTrade"}))
    refusal = _receive("/stream?streams=btcusdt@aggTrade/btcusdt@trade", grant)
    assert isinstance(refusal, Refusal)
    assert refusal.status is HTTPStatus.FORBIDDEN
    assert isinstance(_receive("/stream?streams=btcusdt@aggTrade", grant), BinanceSession)


def test_nobody_is_received_before_all_symbols_are_known() -> None:
    listings = {Market.SPOT: LISTINGS[Market.SPOT]}
    assert Reception(MARKETS, listings, 100).unready == "no list of symbols yet for usdm"
    refusal = _receive("/", listings=listings)
    assert refusal == Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "no list of symbols yet for usdm")
    assert Reception(MARKETS, LISTINGS, 100).unready is None
