import json

import msgspec
import pytest

from fsnats.binance.streams import Market
from workers.ingest.arrays import own_rows

MIXED = b'[{"s":"BTCUSDT","c":"1.50","st":1}, {"s":"BTCUSD_PERP","c":"2","st":2},{"s":"ETHUSDT","c":"3.0","st":1}]'


def test_each_market_gets_its_own_rows_as_they_were_written() -> None:
    assert own_rows(Market.USDM, MIXED) == b'[{"s":"BTCUSDT","c":"1.50","st":1},{"s":"ETHUSDT","c":"3.0","st":1}]'
    assert own_rows(Market.COINM, MIXED) == b'[{"s":"BTCUSD_PERP","c":"2","st":2}]'


def test_a_payload_that_loses_nothing_is_the_same_bytes() -> None:
    own = b'[ {"s":"BTCUSDT", "st":1} ]'
    without = b'[{"s":"BTCUSDT"}]'

    assert own_rows(Market.USDM, own) is own
    assert own_rows(Market.USDM, without) is without


def test_single_objects_are_kept_or_dropped_whole() -> None:
    order = json.dumps({"e": "forceOrder", "o": {"s": "BTCUSDT"}, "st": 1}).encode()

    assert own_rows(Market.USDM, order) is order
    assert own_rows(Market.COINM, order) is None


def test_a_payload_of_the_other_market_alone_is_dropped() -> None:
    assert own_rows(Market.COINM, b'[{"s":"BTCUSDT","st":1}]') is None


def test_spot_is_never_touched() -> None:
    assert own_rows(Market.SPOT, MIXED) is MIXED


@pytest.mark.parametrize("payload", [b"", b"[", b"[1]", b"null", b'"text"'])
def test_anything_else_is_a_decode_error(payload: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        own_rows(Market.USDM, payload)
