import gzip
import json
from pathlib import Path

import msgspec
import pytest

from fsnats.binance.streams import Market, parse
from fsnats.symbols import (
    NOT_CARRIED,
    TRADING,
    Listing,
    Symbol,
    carrying,
    did_you_mean,
    nearest,
    not_traded,
    read_exchange_info,
)


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


def test_what_the_configuration_leaves_out_is_refused_and_neither_traded_nor_unknown() -> None:
    listed = listing(
        Market.USDM,
        Symbol("BTCUSDT", "BTCUSDT", "PERPETUAL", "TRADING"),
        Symbol("BTCUSDT_260925", "BTCUSDT", "CURRENT_QUARTER", "TRADING"),
        Symbol("XRPUSDT", "XRPUSDT", "PERPETUAL", "TRADING"),
        Symbol("OLDUSDT", "OLDUSDT", "PERPETUAL", "SETTLING"),
    )
    some = carrying(listed, ["btcusdt", "NOPE"])

    assert {symbol.name: symbol.status for symbol in some.symbols} == {
        "BTCUSDT": TRADING,
        "BTCUSDT_260925": NOT_CARRIED,
        "XRPUSDT": NOT_CARRIED,
        "OLDUSDT": "SETTLING",
    }
    said = {
        name: some.why_not(parse(Market.USDM, name))
        for name in ("xrpusdt@trade", "xrpusdt_perpetual@continuousKline_1m")
    }
    assert set(said.values()) == {"'XRPUSDT' of usdm is not carried here (FSNATS_SYMBOLS)"}
    for name in ("btcusdt@trade", "btcusdt_perpetual@continuousKline_1m", "!ticker@arr"):
        assert some.why_not(parse(Market.USDM, name)) is None
    assert carrying(listed, []) is listed
    # It may be the stored list of a fleet that carried others.
    assert carrying(some, ["XRPUSDT"]) == carrying(listed, ["XRPUSDT"])
    assert carrying(some, []) == listed


def test_streams_of_all_symbols_are_refused_where_none_is_carried() -> None:
    listed = listing(Market.USDM, Symbol("BTCUSDT", "BTCUSDT", "PERPETUAL", "TRADING"))
    why = carrying(listed, ["ONLYSPOT"]).why_not(parse(Market.USDM, "!ticker@arr"))

    assert why == "nothing of usdm is carried here (FSNATS_SYMBOLS)"
    replayed = msgspec.structs.replace(listed, replayed=True, symbols=[])
    assert carrying(replayed, ["ONLYSPOT"]).why_not(parse(Market.USDM, "!ticker@arr")) is None


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
