"""Holes being filled, the exchange's REST being played by a function."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator

import msgspec
import pytest

from fsnats.binance.streams import Market, parse
from fsnats.errors import BusUnavailable
from fsnats.fleet.events import Journal, Kind
from fsnats.frames import GAP, LATE, RECOVERED, Frame, decode
from fsnats.history import RowsReply
from tests.clock import HandClock, settle
from workers.ingest import recovery as module
from workers.ingest.hole import Hole
from workers.ingest.line import Line
from workers.ingest.pages import Fill
from workers.ingest.recovery import AT_ONCE, HOLD, PATIENCE, Recovery
from workers.ingest.router import HELD_MESSAGES, Router


class Rig:
    """A router whose holes are filled by whatever `rows` holds, or not."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.frames: list[Frame] = []
        self.rows: list[object] = []
        self.asked: list[Fill] = []
        self.waiting: list[asyncio.Future[None]] = []
        self.refusal: RowsReply | None = None
        self.is_up = True
        self.answers = True
        self.journal = Journal(clock.time_ns)
        self.recovery = Recovery(self._ask, clock, self.journal)
        self.router = Router(Market.SPOT, self._publish, 1, self.recovery)
        self.recovery.router = self.router

    def _publish(self, _subject: str, data: bytes) -> bool:
        self.frames.append(decode(data))
        return True

    async def _ask(self, fill: Fill) -> RowsReply:
        self.asked.append(fill)
        if not self.answers:
            self.waiting.append(asyncio.get_running_loop().create_future())
            await self.waiting[-1]
        if not self.is_up:
            raise BusUnavailable("nobody answers that request")
        if self.refusal is not None:
            return self.refusal
        rows = self.rows
        if fill.method == "aggTrades":
            first, limit = int(fill.parameters["fromId"]), int(fill.parameters["limit"])
            rows = [*filter(lambda row: isinstance(row, dict) and row["a"] >= first, rows)][:limit]
        return RowsReply([msgspec.Raw(json.dumps(row).encode()) for row in rows])

    def has(self, *numbers: int) -> None:
        """REST knows these aggregate trades from now on."""
        self.rows = [*self.rows, *({"a": number, "T": 5} for number in numbers)]

    def knows_bars(self, *opened: int) -> None:
        """REST knows these candles of a minute from now on."""
        self.rows = [[at, "1", "1", "1", "1", "1", at + 59_999, "1", 5, "1", "1", "0"] for at in opened]

    @property
    def bars(self) -> list[tuple[int, int]]:
        """Flags and beginning of each candle that was published."""
        return [(frame.flags, json.loads(frame.payload)["k"]["t"]) for frame in self.frames]

    async def answer(self) -> None:
        """Let REST answer what it was asked."""
        for future in self.waiting:
            future.set_result(None)
        self.waiting.clear()
        await settle()

    def line(self, name: str, market: Market = Market.SPOT) -> Line:
        self.router.carry({name: parse(market, name)})
        return self.router.lines([name])[0]

    async def bring(self, line: Line, *numbers: int) -> None:
        for number in numbers:
            self.router.accept(line, agg(number), 0)
        await settle()

    async def events(self) -> list[tuple[Kind, list[str], int, str]]:
        """What is told to operators."""
        await self.clock.advance(1)
        return [(each.kind, each.streams, each.messages, each.reason) for each in self.journal.since(0, 0)]

    def came(self) -> list[tuple[int, object]]:
        """Flags and `a` (or the range and reason of a gap) of what was published since the last time."""
        told: list[tuple[int, object]] = []
        for frame in self.frames:
            payload = json.loads(frame.payload)
            if frame.flags == GAP:
                told.append((GAP, (payload["from"], payload["to"], payload["reason"])))
            else:
                told.append((frame.flags, payload.get("a")))
        self.frames.clear()
        return told


@pytest.fixture
async def rig(clock: HandClock) -> AsyncIterator[Rig]:
    rig = Rig(clock)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(rig.recovery.run())
        await settle()
        yield rig
        running.cancel()


def agg(number: int) -> bytes:
    return json.dumps({"e": "aggTrade", "a": number}).encode()


def kline(opened: int, at: int) -> bytes:
    return json.dumps({"E": at, "k": {"t": opened, "T": opened + 59_999, "x": False}}).encode()


LOST = "cannot be fetched"


async def test_a_hole_is_filled_in_order_before_what_came_after_it(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.has(*range(1, 9))
    await rig.bring(line, 1, 2, 6, 7)
    assert line.held is None
    await rig.bring(line, 8)
    assert [frame.seq for frame in rig.frames] == list(range(1, 9))

    assert rig.came() == [(0, 1), (0, 2), *((RECOVERED, number) for number in (3, 4, 5)), (0, 6), (0, 7), (0, 8)]
    assert rig.asked == [Fill("aggTrades", {"symbol": "BTCUSDT", "fromId": 3, "limit": 3})]
    assert (rig.recovery.filling, rig.recovery.recovered, rig.recovery.gaps) == (0, 3, 0)
    assert (line.messages, line.recovered, line.gaps) == (5, 3, 0)
    assert await rig.events() == [(Kind.RECOVERED, ["btcusdt@aggTrade"], 3, "")]


async def test_a_hole_of_thousands_is_filled_in_pages_that_are_in_flight_together(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.has(*range(1, 20_001))
    rig.answers = False
    await rig.bring(line, 1, 20_000)
    assert len(rig.asked) == AT_ONCE
    rig.answers = True
    await rig.answer()
    for _ in range(20):
        await settle()

    assert rig.came() == [(0, 1), *((RECOVERED, number) for number in range(2, 20_000)), (0, 20_000)]
    assert len(rig.asked) == 20


def _held() -> list[object]:
    """All answers and holes of this process; others than this test's may be among them."""
    return [each for each in gc.get_objects() if type(each) in (RowsReply, Hole)]  # a dead proxy has no __class__


async def test_what_rest_brought_is_not_kept_by_those_who_wait_for_work(rig: Rig) -> None:
    gc.collect()
    before = len(_held())
    line = rig.line("btcusdt@aggTrade")
    rig.has(*range(1, 9))
    await rig.bring(line, 1, 5)
    assert len(rig.frames) == 5
    await rig.clock.advance(0.1)
    assert len(_held()) == before


async def test_what_rest_does_not_have_is_told_in_its_place(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.has(3, 5, 7)
    await rig.bring(line, 1, 7)

    assert rig.came() == [
        (0, 1),
        (GAP, (2, 2, LOST)),
        (RECOVERED, 3),
        (GAP, (4, 4, LOST)),
        (RECOVERED, 5),
        (GAP, (6, 6, LOST)),
        (0, 7),
    ]


async def test_rest_that_lags_the_stream_is_asked_again(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.has(2)
    await rig.bring(line, 1, 4)
    rig.has(3)
    await rig.clock.advance(0.5)

    assert rig.came() == [(0, 1), (RECOVERED, 2), (RECOVERED, 3), (0, 4)]


async def test_what_takes_too_long_is_told_and_comes_late(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.has(2)
    await rig.bring(line, 1, 5)
    await rig.clock.advance(HOLD - 0.2)
    assert rig.came() == [(0, 1), (RECOVERED, 2)]
    await rig.clock.advance(0.4)
    await rig.bring(line, 6)
    assert rig.came() == [(GAP, (3, 4, "late")), (0, 5), (0, 6)]

    rig.has(3, 4)
    await rig.clock.advance(10)
    await rig.bring(line, 7)
    assert rig.came() == [(RECOVERED | LATE, 3), (RECOVERED | LATE, 4), (0, 7)]
    assert (rig.recovery.filling, rig.recovery.late, rig.recovery.gaps) == (0, 2, 0)


async def test_what_does_not_come_in_the_end_is_told_a_second_time(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    await rig.bring(line, 1, 4)
    await rig.clock.advance(HOLD + 0.2)
    assert rig.came() == [(0, 1), (GAP, (2, 3, "late")), (0, 4)]
    await rig.clock.advance(PATIENCE)

    assert rig.came() == [(GAP, (2, 3, LOST))]
    assert line.gaps == 1
    assert await rig.events() == [(Kind.GAP, [line.stream.name], 0, LOST)]
    assert rig.recovery.filling == 0
    assert len(rig.asked) < 50


async def test_while_nobody_answers_the_stream_goes_on_and_the_hole_is_filled_afterwards(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.is_up = False
    await rig.bring(line, 1, 4, 5)
    await rig.clock.advance(HOLD + 0.2)
    assert rig.came() == [(0, 1), (GAP, (2, 3, "late")), (0, 4), (0, 5)]
    rig.is_up = True
    rig.has(2, 3)
    await rig.clock.advance(2)

    assert rig.came() == [(RECOVERED | LATE, 2), (RECOVERED | LATE, 3)]


async def test_nobody_is_asked_while_the_exchange_wants_a_rest(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.refusal = RowsReply(error="HTTP 429", again=30.0)
    await rig.bring(line, 1, 3000)
    asked = len(rig.asked)
    rig.refusal = None
    await rig.clock.advance(29)
    assert len(rig.asked) == asked <= AT_ONCE
    rig.has(*range(2, 3000))
    await rig.clock.advance(2)

    assert [each for each in rig.came() if each[0] == RECOVERED | LATE] == [
        (RECOVERED | LATE, number) for number in range(2, 3000)
    ]


async def test_what_the_exchange_refuses_for_good_is_lost_at_once(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.refusal = RowsReply(error="-1121: Invalid symbol.")
    await rig.bring(line, 1, 4)

    assert rig.came() == [(0, 1), (GAP, (2, 3, LOST)), (0, 4)]


async def test_rows_of_another_shape_are_asked_for_again(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.refusal = RowsReply(rows=[msgspec.Raw(b'{"new":"shape"}')])
    await rig.bring(line, 1, 3)
    rig.refusal = None
    rig.has(2)
    await rig.clock.advance(1)

    assert rig.came() == [(0, 1), (RECOVERED, 2), (0, 3)]


async def test_a_second_hole_behind_one_that_is_being_filled_is_filled_in_its_place(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.answers = False
    rig.has(*range(1, 9))
    await rig.bring(line, 1, 3, 6, 7)
    await rig.answer()

    assert rig.came() == [(0, 1), (RECOVERED, 2), (0, 3), (RECOVERED, 4), (RECOVERED, 5), (0, 6), (0, 7)]


async def test_a_second_hole_that_is_there_before_the_first_one_waits_for_it(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.answers = False
    rig.has(*range(1, 9))
    await rig.bring(line, 1, 3, 6)
    rig.waiting.pop().set_result(None)
    await settle()
    assert rig.came() == [(0, 1)]
    await rig.answer()

    assert rig.came() == [(RECOVERED, 2), (0, 3), (RECOVERED, 4), (RECOVERED, 5), (0, 6)]


async def test_what_is_behind_a_hole_waits_two_seconds_at_most_however_many_holes_there_are(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.answers = False
    await rig.bring(line, 1, 3)
    await rig.clock.advance(HOLD / 2)
    await rig.bring(line, 5)
    await rig.clock.advance(HOLD / 2 + 0.2)
    assert rig.came() == [(0, 1), (GAP, (2, 2, "late")), (0, 3)]
    await rig.clock.advance(HOLD / 2)

    assert rig.came() == [(GAP, (4, 4, "late")), (0, 5)]


async def test_a_notice_behind_a_hole_keeps_its_place(rig: Rig) -> None:
    line = rig.line("btcusdt@trade")
    rig.rows = [{"id": 2, "price": "1", "qty": "2", "time": 5, "isBuyerMaker": True, "isBestMatch": True}]
    for number in (1, 3, 5003):
        rig.router.accept(line, b'{"t":%d}' % number, 0)
    await settle()

    assert [(frame.flags, json.loads(frame.payload).get("t")) for frame in rig.frames] == [
        (0, 1),
        (RECOVERED, 2),
        (0, 3),
        (GAP, None),
        (0, 5003),
    ]


async def test_a_line_that_holds_too_much_is_let_go_and_stays_in_order(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.answers = False
    rig.has(2)
    await rig.bring(line, 1, *range(3, HELD_MESSAGES + 5))
    for _ in range(20):
        await settle()
    assert rig.came() == [(0, 1), (GAP, (2, 2, "late")), *((0, number) for number in range(3, HELD_MESSAGES + 5))]
    await rig.answer()

    assert rig.came() == [(RECOVERED | LATE, 2)]


async def test_too_many_holes_are_told_at_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HOLES_MOST", 1)
    rig.answers = False
    line = rig.line("btcusdt@aggTrade")
    await rig.bring(line, 1, 3)
    name = "ethusdt@aggTrade"
    rig.router.carry({each: parse(Market.SPOT, each) for each in ("btcusdt@aggTrade", name)})
    (other,) = rig.router.lines([name])
    await rig.bring(other, 1, 3)

    assert rig.came() == [(0, 1), (0, 1), (GAP, (2, 2, LOST)), (0, 3)]


async def test_a_stream_that_nobody_wants_any_more_is_forgotten_with_its_holes(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.answers = False
    rig.has(2)
    await rig.bring(line, 1, 3)
    rig.router.carry({})
    await rig.answer()
    await rig.clock.advance(1)

    assert (rig.came(), rig.recovery.filling) == ([(0, 1)], 0)


async def test_holes_that_keep_a_stream_waiting_are_filled_before_late_ones(rig: Rig) -> None:
    rig.answers = False
    names = ("btcusdt@aggTrade", "ethusdt@aggTrade")
    rig.router.carry({name: parse(Market.SPOT, name) for name in names})
    one, two = rig.router.lines(names)
    await rig.bring(one, 1, 20_000)
    await rig.clock.advance(HOLD + 0.2)
    rig.asked.clear()
    await rig.bring(two, 1, 3)
    await rig.answer()

    assert rig.asked[0].parameters["symbol"] == "ETHUSDT"


async def test_a_book_cannot_be_filled_and_says_so_at_once(rig: Rig) -> None:
    line = rig.line("btcusdt@depth")
    for first, last in ((1, 5), (9, 10)):
        rig.router.accept(line, json.dumps({"U": first, "u": last}).encode(), 0)

    assert json.loads(rig.frames[1].payload)["resync"] is True
    assert rig.came() == [(0, None), (GAP, (6, 8, LOST)), (0, None)]
    assert rig.asked == []


async def test_bars_that_closed_while_the_connection_was_lost_are_fetched(rig: Rig) -> None:
    line = rig.line("btcusdt@kline_1m")
    rig.router.accept(line, kline(0, 1_000), 0)
    line.resuming = True
    rig.knows_bars(0, 60_000)
    rig.router.accept(line, kline(120_000, 121_000), 0)
    await settle()

    assert rig.bars == [(0, 0), (RECOVERED, 0), (RECOVERED, 60_000), (0, 120_000)]


async def test_a_bar_that_is_just_over_is_fetched_when_rest_has_its_last_word(rig: Rig) -> None:
    line = rig.line("btcusdt@kline_1m")
    rig.router.accept(line, kline(0, 1_000), 0)
    line.resuming = True
    rig.knows_bars(0)
    rig.router.accept(line, kline(60_000, 60_250), 0)  # a quarter of a second after its end
    await rig.clock.advance(0.7)
    assert rig.asked == []
    await rig.clock.advance(0.2)

    assert rig.bars == [(0, 0), (RECOVERED, 0), (0, 60_000)]


async def test_bars_that_are_being_fetched_when_the_connection_is_lost_again_come_once(rig: Rig) -> None:
    line = rig.line("btcusdt@kline_1m")
    rig.answers = False
    rig.router.accept(line, kline(0, 1_000), 0)
    for opened in (120_000, 240_000):
        line.resuming = True
        rig.router.accept(line, kline(opened, opened + 1_000), 0)
        await settle()
    rig.knows_bars(0, 60_000, 120_000, 180_000)
    await rig.answer()

    assert rig.bars == [
        *[(0, 0), (RECOVERED, 0), (RECOVERED, 60_000), (0, 120_000)],
        *[(RECOVERED, 120_000), (RECOVERED, 180_000), (0, 240_000)],
    ]


async def test_what_rest_never_has_is_told_after_a_lost_connection(rig: Rig) -> None:
    line = rig.line("btcusdt@bookTicker")
    rig.router.accept(line, b'{"u":10}', 0)
    line.resuming = True
    rig.router.accept(line, b'{"u":20}', 0)
    rig.router.accept(line, b'{"u":30}', 0)

    assert rig.came() == [(0, None), (GAP, (11, 19, "the connection was lost or silent")), (0, None), (0, None)]


async def test_trades_of_futures_are_fetched_after_a_lost_connection(rig: Rig) -> None:
    line = rig.line("btcusdt@trade", Market.USDM)
    rig.rows = [{"id": number, "price": "1", "qty": "2", "time": 5, "isBuyerMaker": True} for number in range(8, 15)]
    rig.router.accept(line, b'{"t":10}', 0)
    line.resuming = True
    rig.router.accept(line, b'{"t":13}', 0)
    await settle()

    assert [(frame.flags, json.loads(frame.payload)["t"]) for frame in rig.frames] == [
        (0, 10),
        (RECOVERED, 11),
        (RECOVERED, 12),
        (0, 13),
    ]


async def test_a_connection_that_was_lost_for_nothing_leaves_no_trace(rig: Rig) -> None:
    for name, one, two in (
        ("btcusdt@kline_1m", b'{"k":{"t":0,"T":59999,"x":false}}', b'{"k":{"t":0,"T":59999,"x":true}}'),
        ("btcusdt@ticker", b'{"E":1}', b'{"E":9}'),
    ):
        line = rig.line(name)
        rig.router.accept(line, one, 0)
        line.resuming = True
        rig.router.accept(line, two, 0)

    assert [frame.flags for frame in rig.frames] == [0, 0, 0, 0]


async def test_when_the_exchange_counts_anew_the_stream_goes_on_and_what_was_taken_for_old_is_told(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    for number in range(1000, 1005):
        rig.router.accept(line, b'{"e":"aggTrade","E":%d,"a":%d}' % (number * 10, number), 0)
    for number in range(1, 100):
        rig.router.accept(line, b'{"e":"aggTrade","E":%d,"a":%d}' % (20_000 + number, number), 0)

    assert rig.came() == [
        *((0, number) for number in range(1000, 1005)),
        (GAP, (10_040, 20_064, "the exchange counts anew")),
        *((0, number) for number in range(64, 100)),
    ]


async def test_copies_are_never_taken_for_a_new_count(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.answers = False
    for number in (1, 2, 4, 5):  # what follows the hole is held, and not the newest yet
        for _ in range(200):
            rig.router.accept(line, b'{"e":"aggTrade","E":%d,"a":%d}' % (number * 10_000, number), 0)
    await rig.clock.advance(HOLD + 0.2)

    assert rig.came() == [(0, 1), (0, 2), (GAP, (3, 3, "late")), (0, 4), (0, 5)]
