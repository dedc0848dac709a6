import asyncio

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.metrics.family import Family
from fsnats.offset import Offset
from tests.clock import HandClock, settle
from tests.workers.history.shelves import Table, shelf_of
from workers.history import numbers
from workers.history.answers import AT_ONCE, Answers
from workers.history.relay import Relay


def told(families: list[Family]) -> dict[str, float]:
    return {
        "/".join([family.name, sample.suffix, *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


async def test_requests_are_counted_by_kind_and_those_turned_away_too() -> None:
    bus, gate = MemoryBus(), asyncio.Event()

    async def answer(payload: bytes) -> bytes:
        await gate.wait()
        return payload

    async with asyncio.TaskGroup() as tasks:
        answers = Answers(bus, "rpc", answer, b"busy", tasks)
        answers.start()
        for _ in range(AT_ONCE + 2):
            tasks.create_task(bus.request("rpc", b"", 20))
        await settle()
        now = told(numbers.of_answers({"klines": answers}))
        assert now["fsnats_history_requests_total//klines"] == AT_ONCE + 2
        assert now["fsnats_history_busy_total//klines"] == 2
        assert now["fsnats_history_in_work//klines"] == AT_ONCE
        gate.set()
    now = told(numbers.of_answers({"klines": answers}))
    assert now["fsnats_history_in_work//klines"] == 0
    assert now["fsnats_history_seconds/_count/klines"] == AT_ONCE


async def test_a_store_that_is_left_out_shows() -> None:
    table, clock = Table(), HandClock()
    shelf = shelf_of(table, clock)
    shelf.rows_read = 7
    async with asyncio.TaskGroup() as tasks:
        relay = Relay(MemoryBus(), {}, tasks, clock)
        relay.asked = 3
        assert told(numbers.of_sources(relay, shelf)) == {
            "fsnats_history_rest_asked_total/": 3,
            "fsnats_history_rest_joined_total/": 0,
            "fsnats_history_store_ok/": 1,
            "fsnats_history_store_read_rows_total/": 7,
            "fsnats_history_store_kept_rows_total/": 0,
        }
        shelf.error = "the disk is gone"
        assert told(numbers.of_sources(relay, shelf))["fsnats_history_store_ok/"] == 0


def test_clocks_are_told_in_seconds() -> None:
    assert told(numbers.of_clocks({Market.SPOT: Offset(Market.SPOT, -250.0, 30.0, 0)})) == {
        "fsnats_clock_offset_seconds//spot": -0.25,
        "fsnats_clock_round_trip_seconds//spot": 0.03,
    }
