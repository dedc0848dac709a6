"""Stream names, parsed once."""

import pytest

from fsnats.binance.streams import parse
from fsnats.errors import StreamNameError
from gateway.protocol.names import known
from tests.gateway.protocol.worlds import SPOT, USDM


def test_known_says_what_parse_says() -> None:
    assert known(USDM, "BTCUSDT@markPrice@1s") == parse(USDM, "BTCUSDT@markPrice@1s")


def test_sessions_share_one_stream() -> None:
    assert known(SPOT, "btcusdt@trade") is known(SPOT, "btcusdt@trade")


def test_rubbish_is_not_remembered() -> None:
    before = known.cache_info().currsize
    with pytest.raises(StreamNameError):
        known(SPOT, "rubbish")
    assert known.cache_info().currsize == before
