from decimal import Decimal, Inexact
from pathlib import Path

import msgspec
import pytest

from fsnats.binance import rows
from fsnats.candles.candle import EXACT, UNKNOWN, of_payload, of_row
from fsnats.errors import Unusable
from tests.fsnats.candles.recorded import table

ROW = b'[60000,"0.10","0.20","0.05","0.15","3.000",119999,"0.45000000",7,"0.000","0E-8","0"]'


def test_rows_come_out_as_they_went_in(recordings: Path) -> None:
    for name in ("spot.BTCUSDT.1d", "spot.BTCUSDT.1h", "spot.ETHBTC.1d", "usdm.KAVAUSDT.5m"):
        for row in table(recordings, name):
            assert of_row(row, closed=True).row() == row


@pytest.mark.parametrize("name", ["spot.kline.1", "spot.kline.2", "spot.kline.3", "usdm.kline.1", "coinm.kline.2"])
def test_payloads_come_out_as_they_went_in(recordings: Path, name: str) -> None:
    payload = (recordings / "examples" / f"{name}.json").read_bytes()
    event = msgspec.json.decode(payload)
    event = event.get("data", event)
    candle = of_payload(msgspec.json.encode(event))
    made = candle.fields(event["k"]["i"], event["k"]["s"])
    assert list(made.items()) == list(event["k"].items())


def test_continuous_candles_have_no_symbol() -> None:
    assert "s" not in of_row(rows.candle(ROW), closed=False).fields("1m", None)


def test_nothing_is_printed_with_its_decimals() -> None:
    assert of_row(rows.candle(ROW), closed=True).row().Q == "0.00000000"


def test_a_row_does_not_tell_ids() -> None:
    candle = of_row(rows.candle(ROW), closed=False)
    assert (candle.first_id, candle.last_id) == (UNKNOWN, UNKNOWN)
    assert (candle.stop_ms, candle.closed, candle.whole) == (120_000, False, False)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "", "1,5", "sNaN"])
def test_what_is_no_number_is_named(text: str) -> None:
    row = rows.candle(ROW)
    row.v = text
    with pytest.raises(Unusable, match="not a number"):
        of_row(row, closed=True)


def test_what_would_have_to_be_rounded_raises() -> None:
    assert EXACT.add(Decimal("1e30"), Decimal("0.00000001")) == Decimal("1000000000000000000000000000000.00000001")
    with pytest.raises(Inexact):
        EXACT.add(Decimal("1e200"), Decimal("0.00000001"))
