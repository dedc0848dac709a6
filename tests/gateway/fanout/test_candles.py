import pytest

from gateway.fanout.candles import is_closed


@pytest.mark.parametrize(
    ("payload", "closed"),
    [
        (b'{"e":"kline","s":"BTCUSDT","k":{"t":1,"c":"1.0","x":false,"q":"1"}}', False),
        (b'{"e":"kline","s":"BTCUSDT","k":{"t":1,"c":"1.0","x":true,"q":"1"}}', True),
        (b'{"e":"kline", "k": {"x" : true}}', True),  # as nobody writes it today
        (b'{"e":"kline", "k": {"x" : false}}', False),
        (b'{"e":"kline"}', True),
        (b"no JSON", True),
    ],
)
def test_an_open_candle_is_one_that_says_so(payload: bytes, closed: bool) -> None:
    assert is_closed(payload) is closed
