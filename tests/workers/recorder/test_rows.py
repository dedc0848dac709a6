import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance import rows as rows_of
from fsnats.binance.streams import Market, parse
from fsnats.errors import UNREADABLE
from fsnats.frames import LATE, RECOVERED
from fsnats.store import Batch, KlineData, Origin, RawAggTrade, Rows, Series
from fsnats.store.batches import prepared
from workers.recorder.rows import origin_of, row_of, series_of

TRADE = (
    b'{"e":"aggTrade","E":1700000000100,"s":"BTCUSDT","a":12,"p":"37000.10","q":"0.020","f":100,"l":102,'
    b'"T":1700000000090,"m":true}'
)
BAR = {
    "t": 1700000040000, "T": 1700000099999, "s": "BTCUSDT", "i": "1m", "f": 100, "L": 120, "o": "1.10", "c": "1.30",
    "h": "1.40", "l": "1.00", "v": "10.0", "n": 21, "x": False, "q": "12.00", "V": "5.0", "Q": "6.00", "B": "0",
}  # fmt: skip


def bar(**changes: object) -> bytes:
    return msgspec.json.encode({"e": "kline", "E": 1, "s": "BTCUSDT", "k": {**BAR, **changes}})


KLINES = Series(Market.SPOT, "kline", "BTCUSDT", "1m")
TRADES = Series(Market.SPOT, "aggTrade", "BTCUSDT")


def test_series_are_called_as_the_exchange_calls_what_they_belong_to() -> None:
    assert series_of(parse(Market.SPOT, "btcusdt@aggTrade")) == TRADES
    assert series_of(parse(Market.SPOT, "btcusdt@kline_1m")) == KLINES
    assert series_of(parse(Market.USDM, "btcusdt_perpetual@continuousKline_1h")) == Series(
        Market.USDM, "continuousKline", "BTCUSDT_PERPETUAL", "1h"
    )


def test_a_trade_keeps_its_digits() -> None:
    assert row_of(TRADES, TRADE) == RawAggTrade("BTCUSDT", "37000.10", "0.020", 1700000000090, 12, 100, 102, True)


def test_a_candle_is_its_bar() -> None:
    wanted = KlineData(
        1700000040000, 1700000099999, "1m", 100, 120, "1.10", "1.30", "1.40", "1.00", "10.0", 21, False, "12.00",
        "5.0", "6.00", "0",
    )  # fmt: skip
    assert row_of(KLINES, bar()) == wanted


def test_a_candle_that_rest_told_has_no_ids_of_trades() -> None:
    row = rows_of.Candle(60_000, "1.1", "1.4", "1.0", "1.3", "10.0", 119_999, "12.0", 21, "5.0", "6.0", "0")
    payload = rows_of.candle_payload(parse(Market.USDM, "btcusdt_perpetual@continuousKline_1m"), row)
    found = row_of(Series(Market.USDM, "continuousKline", "BTCUSDT_PERPETUAL", "1m"), payload)
    assert isinstance(found, KlineData)
    assert (found.start_time, found.first_trade_id, found.last_trade_id, found.is_closed) == (60_000, -1, -1, True)


@pytest.mark.parametrize(
    "payload",
    [
        b"{}",
        b"<html>",
        b"\xff",
        bar(o="nan"),
        bar(v="1e5"),
        bar(v="01.5"),
        bar(v="-0.0"),
        bar(v="1.5\n"),
        bar(v="٣"),
        bar(B="\0"),
        bar(i="5m"),
        bar(t=2**63),
        bar(n=-5),
        TRADE,
    ],
)
def test_what_is_no_candle_of_the_series_is_refused(payload: bytes) -> None:
    with pytest.raises(UNREADABLE):
        row_of(KLINES, payload)


@given(st.text("0123456789.-+e \n٣", max_size=8) | st.from_regex(r"-?[0-9]{1,3}(\.[0-9]{1,3})?", fullmatch=True))
def test_what_is_taken_for_a_row_the_store_takes_too(text: str) -> None:
    for series, payload in (
        (KLINES, bar(v=text, B=text)),
        (TRADES, TRADE.replace(b'"0.020"', msgspec.json.encode(text))),
    ):
        try:
            row = row_of(series, payload)
        except UNREADABLE:
            continue
        if isinstance(row, KlineData):
            prepared(Batch([Rows(series, klines=[row])]))
        else:
            prepared(Batch([Rows(series, trades=[row])]))


def test_what_was_fetched_after_a_loss_says_so() -> None:
    assert origin_of(0) is Origin.LIVE
    assert origin_of(RECOVERED) is Origin.RECOVERED
    assert origin_of(RECOVERED | LATE) is Origin.RECOVERED
