import json

import msgspec
import pytest

from fsnats.binance.streams import Market, Stream, parse
from fsnats.frames import GAP, VERSION, Frame
from gateway.past import Past, past_of, rows_to_ask

KLINE = parse(Market.SPOT, "btcusdt@kline_1m")
AGG_TRADE = parse(Market.SPOT, "btcusdt@aggTrade")
FUTURES_TRADE = parse(Market.USDM, "btcusdt@trade")
MINUTE = 60_000


def _bars(*starts: int) -> list[msgspec.Raw]:
    return [
        msgspec.Raw(json.dumps([t, "1", "2", "0", "1", "5", t + MINUTE - 1, "5", 9, "2", "2", "0"]).encode())
        for t in starts
    ]


def _trades(*numbers: int) -> list[msgspec.Raw]:
    return [
        msgspec.Raw(json.dumps({"a": number, "p": "1.50", "q": "2", "f": 1, "l": 1, "T": number, "m": True}).encode())
        for number in numbers
    ]


def _live(payload: object, flags: int = 0) -> Frame:
    return Frame(VERSION, "", 1, 1, 1, flags, json.dumps(payload).encode())


def _opens(payloads: list[bytes]) -> list[tuple[int, bool]]:
    return [(payload["k"]["t"], payload["k"]["x"]) for payload in map(json.loads, payloads)]


def test_the_bar_that_is_live_is_not_told_twice() -> None:
    past = past_of(KLINE, _bars(0, MINUTE, 2 * MINUTE), asked_ms=2 * MINUTE + 20_000)
    live = [_live({"k": {"t": 2 * MINUTE}})]
    assert _opens(past.before(KLINE, live)) == [(0, True), (MINUTE, True)]
    assert past.meets(KLINE, live)


def test_without_anything_live_the_open_bar_is_told_as_open() -> None:
    past = past_of(KLINE, _bars(0, MINUTE), asked_ms=MINUTE + 20_000)
    assert _opens(past.before(KLINE, [])) == [(0, True), (MINUTE, False)]
    assert past.meets(KLINE, [])


def test_a_bar_that_rest_has_only_just_closed_may_still_change() -> None:
    past = past_of(KLINE, _bars(0, MINUTE), asked_ms=2 * MINUTE + 500)
    assert not past.meets(KLINE, [_live({"k": {"t": 2 * MINUTE}})])


def test_nor_is_the_bar_before_the_live_one_its_last_word_at_once() -> None:
    past = past_of(KLINE, _bars(0, MINUTE, 2 * MINUTE), asked_ms=2 * MINUTE + 500)
    assert not past.meets(KLINE, [_live({"k": {"t": 2 * MINUTE}})])


def test_a_bar_between_rest_and_what_is_live_is_missing() -> None:
    past = past_of(KLINE, _bars(0), asked_ms=2 * MINUTE + 20_000)
    assert not past.meets(KLINE, [_live({"k": {"t": 2 * MINUTE}})])


def test_trades_meet_where_ids_follow_each_other() -> None:
    past = past_of(AGG_TRADE, _trades(5, 6, 7), asked_ms=0)
    assert past.meets(AGG_TRADE, [_live({"a": 8})])
    assert not past.meets(AGG_TRADE, [_live({"a": 9})])
    assert [json.loads(payload)["a"] for payload in past.before(AGG_TRADE, [_live({"a": 7})])] == [5, 6]


def test_ids_of_futures_trades_only_grow() -> None:
    row = {"id": 5, "price": "1", "qty": "1", "time": 3, "isBuyerMaker": False}
    past = past_of(FUTURES_TRADE, [msgspec.Raw(json.dumps(row).encode())], asked_ms=0)
    assert past.meets(FUTURES_TRADE, [_live({"t": 9})])


def test_notices_and_what_cannot_be_read_say_nothing_of_where_live_begins() -> None:
    past = past_of(AGG_TRADE, _trades(5), asked_ms=0)
    assert past.meets(AGG_TRADE, [_live({"e": "gap"}, GAP)])
    assert past.meets(AGG_TRADE, [Frame(VERSION, "", 1, 1, 1, 0, b"rubbish")])
    assert Past([]).meets(AGG_TRADE, [_live({"a": 9})])


def test_rows_of_another_shape_are_a_decode_error() -> None:
    with pytest.raises(msgspec.DecodeError):
        past_of(KLINE, [msgspec.Raw(b"{}")], asked_ms=0)


@pytest.mark.parametrize(
    ("stream", "length", "rows"),
    [
        (KLINE, 3, 5),
        (KLINE, 1000, 1000),
        (parse(Market.USDM, "btcusdt@kline_1m"), 1000, 1002),
        (parse(Market.SPOT, "btcusdt@kline_1s"), 3, 15),
        (AGG_TRADE, 3, 103),
        (FUTURES_TRADE, 1000, 1000),
    ],
)
def test_what_comes_live_before_rest_has_answered_is_asked_for_beside_what_is_wanted(
    stream: Stream, length: int, rows: int
) -> None:
    assert rows_to_ask(stream, length) == rows
