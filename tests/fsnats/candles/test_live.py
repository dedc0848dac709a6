from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsnats.binance.streams import INTERVALS, SPOT_INTERVALS
from fsnats.candles.calendar import DAY, HOUR, MINUTE, fills, span
from fsnats.candles.candle import Candle
from fsnats.candles.live import Live, merged
from fsnats.errors import Unusable
from tests.fsnats.candles.recorded import archived, candles, table

HIGHER = INTERVALS[1:]


def minute(number: int, trades: int = 1, *, closed: bool = True, price: int = 5) -> Candle:
    """The state of a minute after so many trades; the highest price is its own, the volumes tell the trades."""
    at, volume = Decimal(price + number % 7), Decimal(trades).scaleb(-3)
    start = number * MINUTE
    return Candle(
        start, start + MINUTE - 1, at, at + trades, at - 1, at + 1, volume, volume * 2, trades, volume, volume,
        number * 1000, number * 1000 + trades - 1, closed,
    )  # fmt: skip


def by_hand(pieces: list[Candle], interval: str) -> dict[int, Candle]:
    """What candles should be, thought about minute by minute: the last state of each, whole candles at once."""
    states: dict[int, Candle] = {}
    for piece in sorted(pieces, key=lambda piece: (piece.closed, piece.trades)):
        states[piece.open_ms] = piece
    newest = max(states)
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for at in sorted(states):
        groups[span(interval, at)].append(at)
    made: dict[int, Candle] = {}
    for (start, stop), times in groups.items():
        known = [states[at] for at in times if states[at].closed or at == newest]
        if not known:
            continue
        over = newest >= stop or (known[-1].closed and known[-1].stop_ms == stop)
        until = stop if over else known[-1].stop_ms
        present = {piece.open_ms for piece in known}
        missing: list[tuple[int, int]] = []
        for at in range(start, until, MINUTE):
            if at not in present:
                if missing and missing[-1][1] == at:
                    missing[-1] = (missing[-1][0], at + MINUTE)
                else:
                    missing.append((at, at + MINUTE))
        made[start] = Candle(
            start, stop - 1, known[0].open, max(p.high for p in known), min(p.low for p in known), known[-1].close,
            sum((p.volume for p in known), Decimal(0)), sum((p.quote_volume for p in known), Decimal(0)),
            sum(p.trades for p in known), sum((p.taker_volume for p in known), Decimal(0)),
            sum((p.taker_quote_volume for p in known), Decimal(0)), known[0].first_id, known[-1].last_id,
            over, tuple(missing),
        )  # fmt: skip
    return made


@st.composite
def events(draw: st.DrawFn) -> list[Candle]:
    """States of minutes in order: some minutes missing, some never closed, some told again."""
    told: list[Candle] = []
    number = draw(st.integers(30_000_000, 30_050_000))
    for _ in range(draw(st.integers(1, 25))):
        number += draw(st.sampled_from((1, 1, 1, 1, 2, 3, 8, 70)))
        states = draw(st.integers(1, 3))
        told += [minute(number, trades, closed=False) for trades in range(1, states + 1)]
        if draw(st.sampled_from((True, True, True, False))):
            told += [minute(number, states)] * draw(st.integers(1, 2))
    return told


def fed(live: Live, told: list[Candle]) -> dict[int, Candle]:
    """The last word on every candle."""
    made = {candle.open_ms: candle for piece in told for candle in live.feed(piece)}
    if live.newest is not None:
        made[live.newest.open_ms] = live.newest
    return made


@given(events(), st.sampled_from(HIGHER))
@settings(max_examples=25)
def test_live_and_all_at_once_agree_with_a_count_by_hand(told: list[Candle], interval: str) -> None:
    expected = by_hand(told, interval)
    assert fed(Live("1m", interval), told) == expected
    batch = list(merged(told, "1m", interval))
    assert {candle.open_ms: candle for candle in batch} == expected
    assert len(batch) == len(expected)


@given(events(), st.sampled_from(HIGHER), st.data())
@settings(max_examples=25)
def test_after_each_event_the_newest_candle_is_that_of_all_events_so_far(
    told: list[Candle], interval: str, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(told)))
    live = Live("1m", interval)
    closed = {candle.open_ms: candle for piece in told[:cut] for candle in live.feed(piece)}
    now = live.newest
    so_far = by_hand(told[:cut], interval)
    assert now is not None
    assert now == so_far[max(so_far)]
    closed |= fed(live, told[cut:])
    assert closed == by_hand(told, interval)


@given(st.lists(st.integers(0, 9), min_size=1, unique=True), st.randoms(use_true_random=False))
def test_closed_minutes_of_one_candle_may_come_in_any_order_and_again(numbers: list[int], order: Random) -> None:
    told = [minute(number, number + 1) for number in numbers] * 2
    order.shuffle(told)
    made = fed(Live("1m", "15m"), told)
    expected = by_hand(told, "15m")[0]
    assert made[0] == expected


@given(events(), st.sampled_from(("1h", "12h", "1d", "1w", "1M")), st.sampled_from(("5m", "15m", "1h")))
@settings(max_examples=25)
def test_candles_of_candles_are_those_of_minutes(told: list[Candle], interval: str, between: str) -> None:
    if not fills(between, interval):
        return
    whole = [piece for piece in told if piece.closed]
    steps = merged(whole, "1m", between)
    assert list(merged(steps, between, interval)) == list(merged(whole, "1m", interval))


def test_recorded_minutes_make_the_days_of_binance(recordings: Path) -> None:
    minutes = candles(archived(recordings))
    days = {row.t: row for row in table(recordings, "spot.BTCUSDT.1d")}
    made = list(merged(minutes, "1m", "1d"))
    assert len(made) == 3
    assert all(candle.whole for candle in made)
    assert [candle.row() for candle in made] == [days[candle.open_ms] for candle in made]


@pytest.mark.parametrize("between", [i for i in INTERVALS[1:] if fills(i, "1d")])
def test_recorded_minutes_make_the_days_of_binance_by_any_way(recordings: Path, between: str) -> None:
    days = {row.t: row for row in table(recordings, "spot.BTCUSDT.1d")}
    steps = merged(candles(archived(recordings)), "1m", between)
    assert [candle.row() for candle in merged(steps, between, "1d")] == [days[DAY * day] for day in range(18262, 18265)]


def test_recorded_minutes_fed_in_states_make_the_same(recordings: Path) -> None:
    live = Live("1m", "1d")
    told: list[Candle] = []
    for piece in candles(archived(recordings))[:1500]:
        told += live.feed(msgspec.structs.replace(piece, closed=False, trades=piece.trades - 1))
        told += live.feed(piece)
    assert [candle.row() for candle in told] == [table(recordings, "spot.BTCUSDT.1d")[368]]


@pytest.mark.parametrize(
    ("name", "interval"), [("spot.BTCUSDT.1d", "1d"), ("spot.BTCUSDT.1h", "1h"), ("usdm.KAVAUSDT.5m", "5m")]
)
def test_recorded_candles_begin_and_end_where_the_calendar_says(recordings: Path, name: str, interval: str) -> None:
    for row in table(recordings, name):
        assert span(interval, row.t) == (row.t, row.T + 1)


def test_recorded_months_begin_and_end_where_the_calendar_says(recordings: Path) -> None:
    for name in ("coinm.rest.markPriceKlines.1", "coinm.rest.markPriceKlines.2", "coinm.rest.continuousKlines.1"):
        for row in msgspec.json.decode((recordings / "examples" / f"{name}.json").read_bytes()):
            assert span("1M", row[0]) == (row[0], row[6] + 1)


def test_the_hours_that_binance_was_down_are_missing_from_the_day(recordings: Path) -> None:
    hours = candles(table(recordings, "spot.BTCUSDT.1h"))
    broken = [candle for candle in merged(hours, "1h", "1d") if candle.missing]
    outage = broken[1]
    start = outage.open_ms
    assert outage.closed
    assert not outage.whole
    assert outage.missing == ((start + 2 * HOUR, start + 5 * HOUR),)


def test_a_closing_that_comes_after_the_boundary_mends_the_candle() -> None:
    live = Live("1m", "3m")
    live.feed(minute(0))
    live.feed(minute(1))
    live.feed(minute(2, 1, closed=False))
    (short,) = live.feed(minute(3, 1, closed=False))
    assert short.missing == ((2 * MINUTE, 3 * MINUTE),)
    assert short.trades == 2
    (mended,) = live.feed(minute(2, 4))
    assert mended.whole
    assert mended.trades == 6
    assert live.feed(minute(2, 4)) == []
    assert live.newest is not None
    assert live.newest.open_ms == 3 * MINUTE


def test_a_full_candle_is_told_closed_once() -> None:
    live = Live("1m", "3m")
    assert [len(live.feed(minute(number))) for number in (0, 1, 2, 2, 3, 2)] == [0, 0, 1, 0, 0, 0]


def test_an_older_state_of_a_minute_changes_nothing() -> None:
    live = Live("1m", "3m")
    live.feed(minute(0, 5, closed=False))
    live.feed(minute(0, 3, closed=False))
    assert live.newest is not None
    assert live.newest.trades == 5


def test_what_comes_much_too_late_is_counted() -> None:
    live = Live("1m", "3m")
    for number in (10, 13, 16):
        live.feed(minute(number))
    before = live.newest
    assert live.feed(minute(9)) == []
    assert (live.late, live.newest) == (1, before)


def test_what_is_no_candle_of_the_lower_interval_changes_nothing() -> None:
    live = Live("1m", "1h")
    live.feed(minute(1))
    before = live.newest
    for wrong in (
        msgspec.structs.replace(minute(2), open_ms=2 * MINUTE + 1),
        msgspec.structs.replace(minute(2), close_ms=4 * MINUTE - 1),
    ):
        with pytest.raises(Unusable, match="not a candle of 1m"):
            live.feed(wrong)
    assert live.newest == before


def test_intervals_that_do_not_fill_each_other_are_refused() -> None:
    for lower in SPOT_INTERVALS:
        for higher in SPOT_INTERVALS:
            if not fills(lower, higher):
                with pytest.raises(Unusable, match=f"{higher}: not made of candles of {lower}"):
                    Live(lower, higher)


def test_all_at_once_wants_order() -> None:
    with pytest.raises(Unusable, match="comes after"):
        list(merged([minute(2), minute(1)], "1m", "1h"))


def test_days_of_another_zone_are_made_of_its_minutes() -> None:
    start = span("1d", 20_000 * DAY, 8 * HOUR)[0]
    (day,) = merged([minute(start // MINUTE + n) for n in range(1440)], "1m", "1d", 8 * HOUR)
    assert (day.open_ms, day.whole) == (start, True)
