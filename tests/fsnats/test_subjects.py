import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.errors import StreamNameError
from fsnats.subjects import stream_of, subject_of


@pytest.mark.parametrize(
    ("market", "name", "subject"),
    [
        (Market.USDM, "btcusdt@depth20@100ms", "fsnats.usdm.btcusdt.depth20.100ms"),
        (Market.SPOT, "btcusdt@kline_1M", "fsnats.spot.btcusdt.kline_1M"),
        (Market.USDM, "!markPrice@arr@1s", "fsnats.usdm.!markPrice.arr.1s"),
        (Market.SPOT, "btcusdt@kline_1m@+08:00", "fsnats.spot.btcusdt.kline_1m.+08:00"),
        (Market.COINM, "btcusd_perp@markPrice", "fsnats.coinm.btcusd_perp.markPrice"),
        (Market.SPOT, "币安usdt@trade", "fsnats.spot.%E5%B8%81%E5%AE%89usdt.trade"),
        (Market.SPOT, "a.b*>c d@trade", "fsnats.spot.a%2Eb%2A%3Ec%20d.trade"),
    ],
)
def test_subjects_are_spelled_so(market: Market, name: str, subject: str) -> None:
    assert subject_of(market, name) == subject
    assert stream_of(subject) == (market, name)


@given(st.sampled_from(Market), st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1).map("@".join))
def test_names_and_subjects_are_a_bijection(market: Market, name: str) -> None:
    if not all(name.split("@")):
        with pytest.raises(StreamNameError):
            subject_of(market, name)
        return
    subject = subject_of(market, name)

    assert stream_of(subject) == (market, name)
    assert re.fullmatch(r"fsnats\.[a-z]+(\.[A-Za-z0-9_!+:%~-]+)+", subject)


@pytest.mark.parametrize("subject", ["fsnats.demand.spot", "fsnats.spot", "other.spot.a.b", "fsnats.spot.a..b"])
def test_other_subjects_are_not_streams(subject: str) -> None:
    with pytest.raises(StreamNameError):
        stream_of(subject)
