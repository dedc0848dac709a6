"""The envelopes of each dialect, as the client reads them."""

import json

import pytest

from fsnats.binance.streams import Market, parse
from fsnats.errors import Unusable
from gateway.effects import Form
from gateway.protocol import forms
from gateway.protocol.forms import Envelope
from tests.gateway.protocol.worlds import COINM, SPOT, USDM

PAYLOAD = b'{"p":"0.10"}'
KLINE = parse(SPOT, "btcusdt@kline_1m")


def framed(form: Form) -> str:
    return (form.prefix + PAYLOAD + form.suffix).decode()


def test_bare() -> None:
    assert framed(forms.BARE) == '{"p":"0.10"}'


def test_combined_names_the_stream() -> None:
    assert framed(forms.combined(KLINE)) == '{"stream":"btcusdt@kline_1m","data":{"p":"0.10"}}'


def test_numbers_of_the_normalised_form_are_numbers_or_strings() -> None:
    assert forms.normalised_with("number") is Envelope.NORMALISED
    assert forms.normalised_with("string") is Envelope.EXACT
    with pytest.raises(Unusable, match="unknown decimal 'float'; allowed: number, string"):
        forms.normalised_with("float")


def test_raw_wraps_as_binance_does_and_can_tell_a_gap() -> None:
    form = forms.raw(KLINE, name_market=False)

    assert form[:2] == forms.combined(KLINE)[:2]
    assert form.gap == b'{"type":"gap","market":"spot","data":'


def test_raw_of_another_market_names_it() -> None:
    form = forms.raw(parse(USDM, "btcusdt@trade"), name_market=True)
    assert framed(form) == '{"stream":"btcusdt@trade","market":"usdm","data":{"p":"0.10"}}'


def test_typed() -> None:
    form = forms.typed("kline", KLINE, Envelope.TYPED, name_market=False)
    assert framed(form) == '{"type":"kline","data":{"p":"0.10"}}'


def test_typed_of_another_market_names_it() -> None:
    form = forms.typed("kline", KLINE, Envelope.TYPED, name_market=True)
    assert framed(form) == '{"type":"kline","market":"spot","data":{"p":"0.10"}}'


@pytest.mark.parametrize(("market", "symbol"), [(SPOT, "btcusdt"), (USDM, "btcusdt"), (COINM, "btcusd_perp")])
def test_typed_partial_depth_names_its_stream(market: Market, symbol: str) -> None:
    """Spot's names no symbol; futures' cannot be told from a diff."""
    form = forms.typed("depth", parse(market, f"{symbol}@depth5"), Envelope.TYPED, name_market=False)
    assert framed(form) == f'{{"type":"depth","stream":"{symbol}@depth5","data":{{"p":"0.10"}}}}'


def test_typed_diff_depth_does_not() -> None:
    form = forms.typed("depth", parse(SPOT, "btcusdt@depth"), Envelope.TYPED, name_market=False)
    assert framed(form) == '{"type":"depth","data":{"p":"0.10"}}'


def test_combined_envelope_nests_as_the_old_readme_shows() -> None:
    form = forms.typed("kline", KLINE, Envelope.COMBINED, name_market=False)
    assert framed(form) == '{"type":"kline","data":{"stream":"btcusdt@kline_1m","data":{"p":"0.10"}}}'


def test_names_outside_ascii_travel_as_utf8() -> None:
    assert "我usdt@trade" in framed(forms.combined(parse(USDM, "我usdt@trade")))


@pytest.mark.parametrize(
    "form",
    [
        forms.raw(KLINE, name_market=True),
        *(forms.typed("kline", KLINE, envelope, name_market=True) for envelope in Envelope),
    ],
)
def test_what_comes_late_is_marked_beside_what_it_is(form: Form) -> None:
    prefixes = (form.prefix, form.marked(b',"recovered":true'))
    ordinary, late = (json.loads(prefix + PAYLOAD + form.suffix) for prefix in prefixes)

    assert late == {**ordinary, "recovered": True}


def test_binances_dialect_has_no_word_for_a_gap() -> None:
    assert forms.combined(KLINE).gap == forms.BARE.gap == b""
