"""Streams that requests name: all of them, or all that are wrong."""

import json

import pytest

from fsnats.errors import BadCommand
from gateway.protocol.naming import streams_by_name, streams_of_symbols
from gateway.protocol.requests import request_of
from gateway.protocol.topics import topic_of
from tests.gateway.protocol.worlds import EVERY, SPOT, USDM, world

TICKER = topic_of(SPOT, "ticker", {})


def test_symbols_are_found_by_their_subjects_and_all_is_none_of_them() -> None:
    found = streams_of_symbols(TICKER, ["BtcUsdt", "ALL", "ethusdt"], world()[SPOT])
    assert {subject: stream.name for subject, stream in found.items()} == {
        "BTCUSDT": "btcusdt@ticker",
        "ETHUSDT": "ethusdt@ticker",
    }


def test_all_symbols_that_are_wrong_are_named_with_their_reasons() -> None:
    with pytest.raises(BadCommand) as refused:
        streams_of_symbols(TICKER, ["btcusdt", "nosuch", "lunausdt", "_global_", "*"], world()[SPOT])
    assert (refused.value.code, refused.value.part) == ("UNKNOWN_SYMBOL", ["nosuch", "lunausdt", "_global_", "*"])
    for reason in ("unknown symbol 'NOSUCH' on spot", "status BREAK", "ticker has no all-market stream on spot", "'*'"):
        assert reason in str(refused.value)


def test_names_are_of_one_market_listed_or_not() -> None:
    request = request_of(json.dumps({"rawStreams": ["BTCUSDT@trade", "nosuch@trade"], "market": "usdm"}))
    market, streams = streams_by_name(request, SPOT, EVERY)
    assert (market, [stream.name for stream in streams.values()]) == (USDM, ["btcusdt@trade", "nosuch@trade"])


@pytest.mark.parametrize(
    ("fields", "code", "part"),
    [
        ({"rawStreams": ["btcusdt@trade", "btcusdt@deep", "x"]}, "UNKNOWN_STREAM", ["btcusdt@deep", "x"]),
        ({"rawStreams": ["btcusdt@trade"], "symbols": ["btcusdt"]}, "INVALID_FIELD", "rawStreams"),
        ({"rawStreams": ["btcusdt@trade"], "market": "moon"}, "UNKNOWN_MARKET", "moon"),
    ],
)
def test_names_that_are_wrong_are_all_named(fields: dict[str, object], code: str, part: object) -> None:
    with pytest.raises(BadCommand) as refused:
        streams_by_name(request_of(json.dumps(fields)), SPOT, EVERY)
    assert (refused.value.code, refused.value.part) == (code, part)
