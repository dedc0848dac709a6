import gzip
import json
from pathlib import Path

import msgspec
import pytest

from fsnats.binance.streams import Market, parse
from fsnats.symbols import TRADING, Listing, Symbol, did_you_mean, nearest, not_traded, read_exchange_info


def listing(market: Market, *symbols: Symbol) -> Listing:
    return Listing(market, 0, False, list(symbols))


def test_coinm_says_contract_status_where_others_say_status() -> None:
    body = json.dumps({"symbols": [{"symbol": "BTCUSD_PERP", "pair": "BTCUSD", "contractStatus": "TRADING"}]}).encode()

    assert read_exchange_info(Market.COINM, body) == [Symbol("BTCUSD_PERP", "BTCUSD", "", "TRADING")]


def test_a_margin_only_spot_symbol_does_not_trade() -> None:
    body = json.dumps({"symbols": [{"symbol": "A", "status": "TRADING", "isSpotTradingAllowed": False}]}).encode()

    assert read_exchange_info(Market.SPOT, body)[0].status != "TRADING"


def test_anything_else_is_a_decode_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        read_exchange_info(Market.SPOT, b"<html>")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("btcusdt@trade", None),
        ("!miniTicker@arr", None),
        ("btcusdt_perpetual@continuousKline_1m", None),
        ("nope@trade", "unknown symbol 'NOPE' on usdm"),
        ("oldusdt@trade", "'OLDUSDT' is not trading on usdm (status SETTLING)"),
        ("nope_perpetual@continuousKline_1m", "unknown pair 'NOPE' on usdm"),
    ],
)
def test_why_a_stream_delivers_nothing_is_said(name: str, reason: str | None) -> None:
    listed = listing(
        Market.USDM,
        Symbol("BTCUSDT", "BTCUSDT", "PERPETUAL", "TRADING"),
        Symbol("OLDUSDT", "OLDUSDT", "PERPETUAL", "SETTLING"),
    )

    assert listed.why_not(parse(Market.USDM, name)) == reason


@pytest.mark.recorded
@pytest.mark.parametrize("market", Market)
def test_recorded_exchange_infos_are_read(recordings: Path, market: Market) -> None:
    files = sorted((recordings / "exchangeInfo").glob(f"{market}.*.json.gz"))
    assert files
    for file in files:
        symbols = read_exchange_info(market, gzip.decompress(file.read_bytes()))
        assert any(symbol.status == "TRADING" for symbol in symbols), file


def test_a_configured_symbol_that_nobody_trades_is_named_with_the_reason() -> None:
    old, btc = Symbol("OLDUSDT", "OLDUSDT", "", "BREAK"), Symbol("BTCUSDT", "BTCUSDT", "", TRADING)
    spot = listing(Market.SPOT, old, btc)
    usdm = listing(Market.USDM, Symbol("ETHUSDT", "ETHUSDT", "", TRADING))

    found = not_traded(("BTCUSDT", "ethusdt", "OLDUSDT", "TYPO"), [spot, usdm])
    assert found == {
        "OLDUSDT": "status BREAK on spot",
        "TYPO": "not listed on spot, usdm",
    }


@pytest.mark.parametrize("name", ["BTC_USDT", "btc/usdt", "BTC-USDT", "BTCUSTD", "BTCUSD"])
def test_the_nearest_symbol_is_the_one_that_was_meant(name: str) -> None:
    assert nearest(name, {"BTCUSDT", "ETHUSDT", "BNBBTC"}) == "BTCUSDT"
    assert did_you_mean(name, {"BTCUSDT", "ETHUSDT", "BNBBTC"}) == "; did you mean BTCUSDT?"


def test_nothing_is_near_what_is_far_away() -> None:
    assert nearest("XYZ", {"BTCUSDT"}) is None
    assert did_you_mean("XYZ", {"BTCUSDT"}) == ""
    assert nearest("", {"BTCUSDT"}) is None
