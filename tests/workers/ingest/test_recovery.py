"""Holes being filled, the exchange's REST being played by a function."""

import asyncio
import json
from collections.abc import AsyncIterator

import msgspec
import pytest

from fsnats.binance.streams import Market, parse
from fsnats.errors import BusUnavailable
from fsnats.frames import GAP, RECOVERED, Frame, decode
from fsnats.history import Method
from tests.clock import settle
from tests.conftest import eventually
from workers.ingest import recovery as module
from workers.ingest.recovery import Recovery
from workers.ingest.router import Line, Router


class Rig:
    """A router whose holes are filled by whatever `rows` holds, or not."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.rows: list[dict[str, object]] | None = []
        self.asked: list[tuple[Method, dict[str, str | int]]] = []
        self.recovery = Recovery(self._ask, lambda: 9)
        self.router = Router(Market.SPOT, self._publish, 1, self.recovery.missing, self.recovery.resumed)
        self.recovery.router = self.router

    def _publish(self, _subject: str, data: bytes) -> bool:
        self.frames.append(decode(data))
        return True

    async def _ask(self, method: Method, parameters: dict[str, str | int]) -> list[msgspec.Raw]:
        self.asked.append((method, parameters))
        if self.rows is None:
            raise BusUnavailable("nobody answers that request")
        return [msgspec.Raw(json.dumps(row).encode()) for row in self.rows]

    def line(self, name: str) -> Line:
        self.router.carry({name: parse(Market.SPOT, name)})
        return self.router.lines([name])[0]

    def came(self) -> list[tuple[int, object]]:
        """Flags and `a` (or the range of a gap) of what was published."""
        told = []
        for frame in self.frames:
            payload = json.loads(frame.payload)
            told.append((frame.flags, (payload["from"], payload["to"]) if frame.flags == GAP else payload.get("a")))
        return told


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(rig.recovery.run())
        await settle()
        yield rig
        running.cancel()


def agg(number: int) -> bytes:
    return json.dumps({"e": "aggTrade", "a": number}).encode()


async def test_a_hole_is_filled_in_order_before_what_came_after_it(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.rows = [{"a": number, "T": 5} for number in range(1, 9)]
    for number in (1, 2, 6, 7):
        rig.router.accept(line, agg(number), 0)
    await eventually(lambda: line.held is None)
    rig.router.accept(line, agg(8), 0)

    assert rig.came() == [(0, 1), (0, 2), *((RECOVERED, number) for number in (3, 4, 5)), (0, 6), (0, 7), (0, 8)]
    assert [frame.seq for frame in rig.frames] == list(range(1, 9))
    assert rig.asked == [("aggTrades", {"symbol": "BTCUSDT", "fromId": 3, "limit": 3})]


async def test_what_rest_does_not_have_is_told_in_its_place(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HOLD", 0.1)
    monkeypatch.setattr(module, "_RETRY", 0.02)
    line = rig.line("btcusdt@aggTrade")
    rig.rows = [{"a": 3, "T": 5}, {"a": 5, "T": 5}]
    for number in (1, 7):
        rig.router.accept(line, agg(number), 0)
    await eventually(lambda: line.held is None)

    assert rig.came() == [(0, 1), (GAP, (2, 2)), (RECOVERED, 3), (GAP, (4, 4)), (RECOVERED, 5), (GAP, (6, 6)), (0, 7)]


async def test_when_nobody_answers_the_gap_is_told_and_the_stream_goes_on(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.rows = None
    for number in (1, 4, 5):
        rig.router.accept(line, agg(number), 0)
    await eventually(lambda: line.held is None)

    assert rig.came() == [(0, 1), (GAP, (2, 3)), (0, 4), (0, 5)]


async def test_a_second_hole_behind_one_that_is_being_filled_is_told(rig: Rig) -> None:
    line = rig.line("btcusdt@aggTrade")
    rig.rows = [{"a": 2, "T": 5}]
    for number in (1, 3, 6):
        rig.router.accept(line, agg(number), 0)
    await eventually(lambda: line.held is None)

    assert rig.came() == [(0, 1), (RECOVERED, 2), (0, 3), (GAP, (4, 5)), (0, 6)]


async def test_a_book_cannot_be_filled_and_says_so_at_once(rig: Rig) -> None:
    line = rig.line("btcusdt@depth")
    for first, last in ((1, 5), (9, 10)):
        rig.router.accept(line, json.dumps({"U": first, "u": last}).encode(), 0)

    assert rig.came() == [(0, None), (GAP, (6, 8)), (0, None)]
    assert rig.asked == []


async def test_bars_that_closed_while_the_connection_was_lost_are_fetched(rig: Rig) -> None:
    line = rig.line("btcusdt@kline_1m")

    def kline(opened: int, at: int) -> bytes:
        return json.dumps({"E": at, "k": {"t": opened, "T": opened + 59_999, "x": False}}).encode()

    rig.router.accept(line, kline(0, 1_000), 0)
    line.resuming = True
    rows = [[opened, "1", "1", "1", "1", "1", opened + 59_999, "1", 5, "1", "1", "0"] for opened in (0, 60_000)]
    rig.rows = rows  # type: ignore[assignment]
    rig.router.accept(line, kline(120_000, 121_000), 0)
    await eventually(lambda: line.held is None)
    bars = [(frame.flags, json.loads(frame.payload)["k"]["t"]) for frame in rig.frames]

    assert bars == [(0, 0), (RECOVERED, 0), (RECOVERED, 60_000), (0, 120_000)]


async def test_what_rest_never_has_is_told_after_a_lost_connection(rig: Rig) -> None:
    line = rig.line("btcusdt@bookTicker")
    rig.router.accept(line, b'{"u":10}', 0)
    line.resuming = True
    rig.router.accept(line, b'{"u":20}', 0)
    rig.router.accept(line, b'{"u":30}', 0)

    assert rig.came() == [(0, None), (GAP, (11, 19)), (0, None), (0, None)]


async def test_trades_of_futures_are_fetched_after_a_lost_connection(rig: Rig) -> None:
    name = "btcusdt@trade"
    rig.router.carry({name: parse(Market.USDM, name)})
    (line,) = rig.router.lines([name])
    rig.rows = [{"id": number, "price": "1", "qty": "2", "time": 5, "isBuyerMaker": True} for number in range(8, 15)]
    rig.router.accept(line, b'{"t":10}', 0)
    line.resuming = True
    rig.router.accept(line, b'{"t":13}', 0)
    await eventually(lambda: line.held is None)

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
