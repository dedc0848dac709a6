import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsnats.binance.streams import Market, parse
from workers.ingest.track import ALWAYS, BACK, Missing, Seen, Tracker, tracker_of


def tracker(name: str, market: Market = Market.SPOT) -> Tracker:
    return tracker_of(parse(market, name))


def dump(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_aggregate_trades_are_consecutive() -> None:
    trades = tracker("btcusdt@aggTrade")

    assert [trades.see(dump(e="aggTrade", a=a)) for a in (7, 8, 8, 7, 11, 12)] == [
        Seen.NEXT,
        Seen.NEXT,
        Seen.OLD,
        Seen.OLD,
        Missing(9, 10, "a"),
        Seen.NEXT,
    ]


def test_trades_are_consecutive_on_spot_and_only_grow_on_futures() -> None:
    spot, futures = tracker("btcusdt@trade"), tracker("btcusdt@trade", Market.USDM)
    for each in (spot, futures):
        each.see(dump(t=1))

    assert spot.see(dump(t=3)) == Missing(2, 2, "t")
    assert futures.see(dump(t=3)) is Seen.NEXT
    assert futures.see(dump(t=2)) is Seen.OLD


def test_a_spot_books_changes_join_by_their_ids() -> None:
    book = tracker("btcusdt@depth@100ms")
    changes = [(100, 105), (106, 110), (108, 110), (120, 121), (122, 122)]

    assert [book.see(dump(e="depthUpdate", U=first, u=last)) for first, last in changes] == [
        Seen.NEXT,
        Seen.NEXT,
        Seen.OLD,
        Missing(111, 119, "u"),
        Seen.NEXT,
    ]


@pytest.mark.parametrize("name", ["btcusdt@depth", "btcusdt@rpiDepth@500ms"])
def test_a_futures_books_changes_name_the_one_before(name: str) -> None:
    book = tracker(name, Market.USDM)
    changes = [(100, 105, 90), (108, 110, 105), (120, 121, 118), (130, 131, 121), (140, 141, 100)]

    assert [book.see(dump(U=first, u=last, pu=before)) for first, last, before in changes] == [
        Seen.NEXT,
        Seen.NEXT,
        Missing(111, 118, "u"),
        Seen.NEXT,
        Missing(132, 132, "u"),
    ]


def test_the_last_word_on_a_candle_may_come_after_the_first_one_on_the_next() -> None:
    candles = tracker("btcusdt@kline_1m")
    events = [(60, 61), (60, 63), (60, 62), (60, 63), (120, 121), (60, 121), (120, 121), (60, 122)]

    assert [candles.see(dump(E=at, k={"t": bar})) for bar, at in events] == [
        Seen.NEXT,
        Seen.NEXT,
        Seen.OLD,
        Seen.OLD,
        Seen.NEXT,
        Seen.NEXT,
        Seen.OLD,
        Seen.NEXT,
    ]


@pytest.mark.parametrize(
    ("name", "payloads"),
    [
        ("btcusdt@bookTicker", [dump(u=1), dump(u=2)]),
        ("btcusdt@depth5", [dump(lastUpdateId=1), dump(lastUpdateId=2)]),
        ("btcusdt@ticker", [dump(E=1), dump(E=2)]),
        ("btcusdt@referencePrice", [dump(t=1), dump(t=2)]),
        ("!miniTicker@arr", [b'[{"E":1}]', b'[{"E":2}]']),
    ],
)
def test_other_streams_are_ordered_by_what_they_have(name: str, payloads: list[bytes]) -> None:
    states = tracker(name)

    assert [states.see(payload) for payload in (*payloads, *payloads)] == [Seen.NEXT, Seen.NEXT, Seen.OLD, Seen.OLD]


def test_messages_of_one_instant_are_told_apart_by_their_bytes() -> None:
    liquidations = tracker("!forceOrder@arr", Market.USDM)
    one, two = dump(E=5, o={"s": "A"}), dump(E=5, o={"s": "B"})

    assert [liquidations.see(each) for each in (one, two, one, two)] == [Seen.NEXT, Seen.NEXT, Seen.OLD, Seen.OLD]


@pytest.mark.parametrize("name", ["btcusdt@aggTrade", "btcusdt@depth", "btcusdt@kline_1m", "btcusdt@ticker"])
def test_a_payload_of_another_shape_is_a_decode_error(name: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        tracker(name).see(b"{]")


@given(st.lists(st.integers(1, 30), min_size=1, max_size=60))
def test_every_id_is_new_old_or_missing_exactly_once(ids: list[int]) -> None:
    trades = tracker("btcusdt@aggTrade")
    new: list[int] = []
    missing: list[int] = []
    for number in ids:
        match trades.see(dump(a=number)):
            case Missing(first, last, _):
                missing += range(first, last + 1)
                new.append(number)
            case Seen.NEXT:
                new.append(number)

    assert new == sorted(set(new))
    assert sorted(new + missing) == list(range(ids[0], max(new) + 1))


def rows(capture: Path) -> Iterator[tuple[Market, str, bytes]]:
    with gzip.open(capture, "rt") as lines:
        for line in lines:
            row = json.loads(line)
            if row["kind"] == "ws":
                stream, _, data = row["raw"].partition(',"data":')
                yield (
                    Market(row["market"].removeprefix("us-")),
                    stream.removeprefix('{"stream":"')[:-1],
                    data[:-1].encode(),
                )


@pytest.mark.recorded
def test_recorded_streams_have_neither_holes_nor_repetitions(recordings: Path) -> None:
    seen = 0
    for capture in sorted((recordings / "captures").glob("*.jsonl.gz")):
        trackers: dict[tuple[Market, str], Tracker] = {}
        for market, name, payload in rows(capture):
            stream = parse(market, name)
            if stream.kind in ALWAYS:
                verdict = trackers.setdefault((market, name), tracker_of(stream)).see(payload)
                assert verdict is Seen.NEXT, f"{capture.name} {name}: {verdict} at {payload[:120]!r}"
                seen += 1
    assert seen > 80_000


@pytest.mark.parametrize("payload", [b"[]", b"[{}]", b"{}"])
def test_what_says_no_time_is_not_taken_for_an_old_one(payload: bytes) -> None:
    times = tracker("btcusdt@miniTicker")
    times.see(dump(E=5))

    with pytest.raises(msgspec.DecodeError):
        times.see(payload)


def test_after_a_clock_was_put_back_what_comes_is_new_and_late_copies_of_before_are_old() -> None:
    times = tracker("btcusdt@miniTicker")
    before = [dump(E=100_000 + number) for number in range(10)]
    after = [dump(E=40_000 + number) for number in range(10)]
    assert {times.see(payload) for payload in before} == {Seen.NEXT}
    assert times.see(after[0]) is Seen.NEXT
    assert {times.see(payload) for payload in before} == {Seen.OLD}
    assert [times.see(payload) for payload in after] == [Seen.OLD] + [Seen.NEXT] * 9
    # And again when it is put right.
    assert times.see(dump(E=100_100)) is Seen.NEXT


def test_what_is_late_by_seconds_is_old_even_if_it_never_came() -> None:
    times = tracker("btcusdt@miniTicker")
    times.see(dump(E=100_000))
    assert times.see(dump(E=100_000 - BACK)) is Seen.OLD


def test_copies_that_come_long_after_a_message_that_jumped_ahead_are_old() -> None:
    times = tracker("btcusdt@kline_1m")
    slow = [dump(E=100_000 + 250 * number) for number in range(200)]
    assert {times.see(payload) for payload in slow[:100]} == {Seen.NEXT}
    assert times.see(dump(E=400_000)) is Seen.NEXT  # a new connection, which is not behind
    assert {times.see(payload) for payload in slow[100:]} == {Seen.OLD}
    assert times.see(dump(E=30_000)) is Seen.NEXT  # that is no copy: the clock was put back
    assert times.see(dump(E=30_250)) is Seen.NEXT


def test_ids_are_never_put_back() -> None:
    ids = tracker("btcusdt@bookTicker")
    ids.see(dump(u=1_000_000))
    assert ids.see(dump(u=5)) is Seen.OLD
