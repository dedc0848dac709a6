from decimal import Decimal

import msgspec
import pytest

from fsnats.backfill.comparison import FIELDS, Difference, differences
from fsnats.binance.streams import Market
from fsnats.store import Series
from fsnats.store.made import candle_of
from tests.fsnats.backfill.exchange import candle

HOURS = Series(Market.SPOT, "kline", "BTCUSDT", "1h")
OURS = candle_of(candle(HOURS, 0))


def test_equal_candles_do_not_differ_however_their_numbers_are_written() -> None:
    theirs = msgspec.structs.replace(OURS, volume=Decimal("10.000"), first_id=5, last_id=9)
    assert list(differences(0, OURS, theirs)) == []
    assert list(differences(0, None, None)) == []


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_is_compared(field: str) -> None:
    value = getattr(OURS, field)
    theirs = msgspec.structs.replace(OURS, **{field: value + 1})
    told = Difference(0, FIELDS[field], str(value), str(value + 1))
    assert list(differences(0, OURS, theirs)) == [told]


def test_a_candle_that_only_one_side_has_is_a_difference() -> None:
    assert list(differences(7, None, OURS)) == [Difference(7, "candle", "none", "there")]
    assert list(differences(7, OURS, None)) == [Difference(7, "candle", "there", "none")]
