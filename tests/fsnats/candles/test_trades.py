import gzip
import re
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.streams import Market
from fsnats.candles import candle
from fsnats.candles.calendar import span
from fsnats.candles.candle import UNKNOWN, Candle
from fsnats.candles.trades import Trade, TradeCandles, of_payload, traded
from fsnats.errors import Unusable

USDM = Market.USDM


def trade(first: int, time_ms: int, count: int = 1, price: str = "2.50", quantity: str = "0.100") -> Trade:
    return Trade(Decimal(price), Decimal(quantity), first, first + count - 1, time_ms, first % 2 == 0)


def by_hand(trades: list[Trade], interval: str) -> dict[int, Candle]:
    """What candles should be: those of trades that follow each other without a hole, quiet ones between them."""
    groups: dict[tuple[int, int], list[Trade]] = defaultdict(list)
    for each in trades:
        groups[span(interval, each.time_ms)].append(each)
    holes = [(0, trades[0].time_ms + 1)] if trades[0].first_id else []
    holes += [(a.time_ms, b.time_ms + 1) for a, b in pairwise(trades) if b.first_id != a.last_id + 1]
    bounds = sorted(groups)
    made: dict[int, Candle] = {}
    start, end = bounds[0][0], bounds[-1][1]
    price = Decimal(0)
    while start < end:
        stop = span(interval, start)[1]
        some = groups.get((start, stop), [])
        missing = [(max(a, start), min(b, stop)) for a, b in holes if max(a, start) < min(b, stop)]
        joined: list[tuple[int, int]] = []
        for a, b in missing:
            if joined and a <= joined[-1][1]:
                joined[-1] = (joined[-1][0], b)
            else:
                joined.append((a, b))
        if some:
            price = some[-1].price
            values = [each.price * each.quantity for each in some]
            taker = [(each.quantity, value) for each, value in zip(some, values, strict=True) if not each.buyer_maker]
            made[start] = Candle(
                start, stop - 1, some[0].price, max(t.price for t in some), min(t.price for t in some), price,
                sum((t.quantity for t in some), Decimal(0)), sum(values, Decimal(0)),
                sum(t.last_id - t.first_id + 1 for t in some), sum((q for q, _ in taker), Decimal(0)),
                sum((v for _, v in taker), Decimal(0)), some[0].first_id, some[-1].last_id,
                stop < end, tuple(joined),
            )  # fmt: skip
        elif not missing:
            nothing = Decimal(0)
            made[start] = Candle(
                start, stop - 1, *(price,) * 4, nothing, nothing, 0, nothing, nothing, UNKNOWN, UNKNOWN
            )  # fmt: skip
        start = stop
    return made


@st.composite
def tapes(draw: st.DrawFn) -> list[Trade]:
    """Trades in order; some are missing, and sometimes nothing happens for a while."""
    made: list[Trade] = []
    number, time = draw(st.sampled_from((0, 7))), 1_786_171_884_000
    for _ in range(draw(st.integers(1, 25))):
        count = draw(st.integers(1, 3))
        price = f"{draw(st.integers(1, 400)) / 100:.2f}"
        made.append(trade(number, time, count, price, f"{draw(st.integers(1, 999)) / 1000:.3f}"))
        number += count + draw(st.sampled_from((0, 0, 0, 0, 1, 2)))
        time += draw(st.sampled_from((0, 1, 100, 400, 999, 1000, 5000, 61_000)))
    return made


def fed(candles: TradeCandles, tape: list[Trade]) -> dict[int, Candle]:
    made = {each.open_ms: each for one in tape for each in candles.feed(one)}
    if candles.newest is not None:
        made[candles.newest.open_ms] = candles.newest
    return made


INTERVALS = st.sampled_from(("1s", "1m", "5m", "1h"))


@given(tapes(), INTERVALS)
@settings(max_examples=25)
def test_live_and_all_at_once_agree_with_a_count_by_hand(tape: list[Trade], interval: str) -> None:
    expected = by_hand(tape, interval)
    assert fed(TradeCandles(USDM, interval), tape) == expected
    batch = list(traded(tape, USDM, interval))
    assert [each.open_ms for each in batch] == sorted(expected)
    assert {each.open_ms: each for each in batch} == expected


@given(tapes(), INTERVALS, st.data())
@settings(max_examples=25)
def test_in_any_split_and_with_repeats_the_candles_are_the_same(
    tape: list[Trade], interval: str, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(tape)))
    back = data.draw(st.integers(0, 3))
    candles = TradeCandles(USDM, interval)
    made = fed(candles, tape[:cut])
    assert made == by_hand(tape[:cut], interval)
    made |= fed(candles, tape[max(0, cut - back) :])
    assert made == by_hand(tape, interval)


@given(tapes(), st.data())
@settings(max_examples=25)
def test_trades_that_come_late_mend_their_candle(tape: list[Trade], data: st.DataObject) -> None:
    late = sorted(data.draw(st.sets(st.integers(1, len(tape) - 1), max_size=5)) if len(tape) > 1 else [])
    tape = [msgspec.structs.replace(one, time_ms=1_786_171_884_000 + at) for at, one in enumerate(tape)]
    candles = TradeCandles(USDM, "1m")
    made = fed(candles, [one for at, one in enumerate(tape) if at not in late])
    made |= fed(candles, [tape[at] for at in data.draw(st.permutations(late))])
    start = min(made)
    expected = by_hand(tape, "1m")[start]
    assert made[start] == expected


@pytest.mark.parametrize(
    ("capture", "least"),
    [("cf.spot.20210417T1636Z", 6), ("cf.spot.20210814T1446Z", 2), ("cf.usdm.20210722T2225Z", 15)],
)
def test_recorded_trades_make_the_candles_that_were_recorded_beside_them(
    recordings: Path, capture: str, least: int
) -> None:
    market = Market(capture.split(".")[1])
    trades: dict[str, list[Trade]] = defaultdict(list)
    told: dict[str, list[bytes]] = defaultdict(list)
    with gzip.open(recordings / "captures" / f"{capture}.jsonl.gz", "rb") as lines:
        for line in lines:
            event = msgspec.json.decode(line)
            data = event["raw"] if event["kind"] == "ws" else ""
            name = re.match(r'\{"stream":"(\w+)@(aggTrade|kline_1m)","data":(.*)\}$', data)
            if name and name[2] == "aggTrade":
                trades[name[1]].append(of_payload(name[3].encode()))
            elif name:
                told[name[1]].append(name[3].encode())
    equal = 0
    for symbol, payloads in told.items():
        for payload in payloads:
            expected = candle.of_payload(payload)
            part = [one for one in trades[symbol] if expected.first_id <= one.first_id <= expected.last_id]
            if not part or part[0].first_id != expected.first_id or part[-1].last_id != expected.last_id:
                continue  # the recording began in the middle of this minute
            *_, made = traded(part, market, "1m")
            k = msgspec.json.decode(payload)["k"]
            assert made.fields("1m", k["s"]) | {"x": k["x"]} == k
            equal += 1
    assert equal >= least


def test_the_value_of_spot_trades_has_eight_decimals() -> None:
    (made,) = traded([trade(1, 5, 1, "58001.03000000", "0.08620500")], Market.SPOT, "1s")
    assert made.row().q == "4999.97879115"


def test_a_value_with_more_decimals_than_binance_prints_is_not_rounded() -> None:
    (made,) = traded([trade(1, 5, 1, "0.00000001", "0.50000000")], Market.SPOT, "1s")
    assert made.row().q == "0.0000000050000000"


def test_a_first_trade_may_have_others_before_it() -> None:
    (made,) = traded([trade(7, 1500)], USDM, "1s")
    assert made.missing == ((1000, 1501),)
    (first,) = traded([trade(0, 1500)], USDM, "1s")
    assert first.missing == ()


def test_places_of_trades_that_were_taken_back_are_no_trades() -> None:
    void = Trade(Decimal(0), Decimal(0), -1, -1, 1600, False)
    candles = TradeCandles(Market.SPOT, "1s")
    assert [candles.feed(one) for one in (void, trade(0, 1500), void)] == [[], [], []]
    assert candles.newest is not None
    assert candles.newest.trades == 1


def test_ids_that_begin_anew_are_counted_and_the_break_is_told() -> None:
    candles = TradeCandles(USDM, "1m")
    for one in (trade(100, 60_000, price="1.00"), trade(3, 60_500, price="2.00"), trade(4, 60_600, price="3.00")):
        candles.feed(one)
    assert candles.newest is not None
    assert (candles.newest.trades, candles.newest.open, candles.newest.close) == (3, Decimal("1.00"), Decimal("3.00"))
    assert candles.newest.missing == ((60_000, 60_501),)


def test_a_late_trade_of_the_candle_before_hands_it_out_mended() -> None:
    candles = TradeCandles(USDM, "1s")
    candles.feed(trade(0, 100))
    (short,) = candles.feed(trade(2, 1100))
    assert short.missing == ((100, 1000),)
    (mended,) = candles.feed(trade(1, 900))
    assert (mended.trades, mended.closed, mended.missing) == (2, True, ())
    assert candles.feed(trade(1, 900)) == []


def test_a_hole_inside_the_candle_before_can_still_be_mended() -> None:
    candles = TradeCandles(USDM, "1s")
    for one in (trade(0, 100), trade(2, 300), trade(3, 1100)):
        candles.feed(one)
    (mended,) = candles.feed(trade(1, 200))
    assert (mended.trades, mended.missing) == (3, ())


def test_a_silence_without_end_is_not_written_out_but_told() -> None:
    candles = TradeCandles(USDM, "1s")
    candles.feed(trade(0, 100))
    (last,) = candles.feed(trade(1, 4_102_444_800_000))
    assert last.missing == ((999, 1000),)
    assert candles.newest is not None
    assert candles.newest.missing == ((4_102_444_800_000, 4_102_444_800_001),)
    assert len(candles.feed(trade(2, 4_102_444_860_000))) == 60


def test_what_comes_much_too_late_is_counted() -> None:
    candles = TradeCandles(USDM, "1s")
    for one in (trade(5, 5000), trade(6, 6000), trade(7, 7000)):
        candles.feed(one)
    assert candles.feed(trade(1, 900)) == []
    assert candles.late == 1


def test_a_new_trade_that_is_older_is_refused_and_then_missing() -> None:
    candles = TradeCandles(USDM, "1m")
    candles.feed(trade(0, 60_500))
    with pytest.raises(Unusable, match="trade 1: older"):
        candles.feed(trade(1, 60_400))
    candles.feed(trade(2, 60_600))
    assert candles.newest is not None
    assert candles.newest.missing == ((60_500, 60_601),)


def test_all_at_once_wants_order() -> None:
    with pytest.raises(Unusable, match="older"):
        list(traded([trade(2, 2000), trade(1, 1000)], USDM, "1s"))


def test_coinm_is_refused_with_a_reason() -> None:
    with pytest.raises(Unusable, match="base volume"):
        TradeCandles(Market.COINM, "1m")


def test_an_unknown_interval_is_refused() -> None:
    with pytest.raises(Unusable, match="7m"):
        TradeCandles(USDM, "7m")
