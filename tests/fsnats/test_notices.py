import json

import pytest

from fsnats.binance.streams import Market, parse
from fsnats.notices import gap


def test_a_notice_says_what_is_missing() -> None:
    assert json.loads(gap(parse(Market.SPOT, "btcusdt@aggTrade"), 3, 5, "a", "cannot be fetched")) == {
        "e": "gap",
        "stream": "btcusdt@aggTrade",
        "from": 3,
        "to": 5,
        "unit": "a",
        "reason": "cannot be fetched",
    }


@pytest.mark.parametrize(
    ("name", "is_void"),
    [
        ("btcusdt@depth", True),
        ("btcusdt@depth@100ms", True),
        ("btcusdt@rpiDepth@500ms", True),
        ("btcusdt@depth20", False),  # each message is a whole snapshot
        ("btcusdt@bookTicker", False),
        ("btcusdt@trade", False),
    ],
)
def test_whoever_keeps_a_book_is_told_to_begin_again(name: str, is_void: bool) -> None:
    assert json.loads(gap(parse(Market.USDM, name), 3, 5, "u", "cannot be fetched")).get("resync", False) is is_void
