import asyncio
import time
from typing import Any

from fsnats.metrics.vitals import RECENT, TICK, Vitals, process_families


def process(vitals: Vitals) -> dict[str, Any]:
    told = vitals.status()["process"]
    assert isinstance(told, dict)
    return told


def test_how_late_the_loop_is_recent_for_a_while() -> None:
    turns = []
    vitals = Vitals(lambda: turns.append(1))
    vitals.beat(0.2)
    assert process(vitals)["loop_lag_p99_ms"] > 100
    for _ in range(int(2 * RECENT / TICK)):
        vitals.beat(0.0)
    assert process(vitals)["loop_lag_p99_ms"] < 1
    assert len(turns) == 2


async def test_a_loop_that_stands_still_is_late() -> None:
    vitals = Vitals()
    with vitals.beating():
        await asyncio.sleep(0)
        time.sleep(TICK + 0.1)  # noqa: ASYNC251  # that is what is measured
        await asyncio.sleep(0.01)
    assert process(vitals)["loop_lag_p50_ms"] > 50


def test_the_status_says_how_large_the_process_is() -> None:
    assert process(Vitals()).keys() == {"rss", "cpu_seconds", "open_files", "loop_lag_p50_ms", "loop_lag_p99_ms"}


def test_numbers_have_the_names_that_dashboards_know() -> None:
    assert {
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
    } <= {family.name for family in Vitals().families()}
    assert process_families(None) == []
