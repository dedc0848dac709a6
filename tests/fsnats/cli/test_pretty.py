"""Payloads in a line."""

import pytest

from fsnats.cli.pretty import summary
from fsnats.cli.tables import size, span


@pytest.mark.parametrize(
    ("payload", "line"),
    [
        (b'{"e":"aggTrade","s":"A","p":"1","q":"2","m":true}', "A sold 2 at 1"),
        (b'{"u":1,"s":"A","b":"1","B":"2","a":"3","A":"4"}', "A bid 1 x 2  ask 3 x 4"),
        (b'{"lastUpdateId":1,"bids":[["1","2"]],"asks":[["3","4"]]}', "1 levels, best bid 1 x 2, best ask 3 x 4"),
        (b'{"e":"depthUpdate","s":"A","U":1,"u":2,"b":[],"a":[[]]}', "A 0 bids, 1 asks changed, updates 1 to 2"),
        (b'{"e":"markPriceUpdate","s":"A","p":"1"}', "A mark 1  index ?  funding ?"),
        (b'{"e":"forceOrder","o":{"s":"A","S":"SELL","q":"1","p":"2"}}', "A liquidation: SELL 1 at 2"),
        (b'[{"e":"24hrMiniTicker","s":"A","c":"1","o":"2","h":"3","l":"4","v":"5"}]', "1 entries, first: A 1  O 2"),
    ],
)
def test_what_the_exchange_sends_fits_on_a_line(payload: bytes, line: str) -> None:
    assert summary(payload).startswith(line)


@pytest.mark.parametrize(
    "payload", [b'{"e":"kline"}', b'{"e":"kline","k":7}', b'{"e":"new"}', b"7", b"[]", b"\xff", b""]
)
def test_whatever_else_it_sends_is_shown_too(payload: bytes) -> None:
    assert "\n" not in summary(payload)


def test_long_things_are_cut() -> None:
    assert len(summary(b'{"x":"' + b"y" * 10_000 + b'"}')) < 200


def test_spans_and_sizes() -> None:
    assert [span(s) for s in (None, 0.25, 59, 60, 3725, 90000)] == ["", "0.2s", "59s", "1m00s", "1h02m", "1d01h"]
    assert [size(b) for b in (None, 0, 1023, 40 * 1024**2, 3 * 1024**3)] == ["", "0B", "1023B", "40M", "3G"]
