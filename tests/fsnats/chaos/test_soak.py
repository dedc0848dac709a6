from random import Random

import pytest

from fsnats.chaos import soak as module
from fsnats.chaos.memory import Process
from fsnats.chaos.soak import Soak, soak


def test_a_soak_demands_the_same_zeros_and_flat_memory() -> None:
    result = Soak(frames=1, served=1)
    assert result.problems == []
    result.verdict.unnoticed, result.aggregates_missing, result.violations = 2, 3, ["dials"] * 2
    result.memory.processes.append(Process("history", 1, [2**20] * 60 + [2**24] * 60))
    assert result.problems == [
        "2 missing without a gap notice",
        "3 aggregate trades missing that REST has",
        "dials",
        "memory of history grew from 1.0 to 16.0 MB",
    ]


def test_a_judge_who_could_not_keep_up_says_so() -> None:
    (problem,) = Soak(frames=1, served=1, cut_off=2).problems
    assert problem.startswith("2 times the judge was too slow")


def test_a_gateway_that_serves_nothing_is_no_good() -> None:
    assert Soak(frames=1).problems == ["nothing came through the gateway"]


async def test_a_loaded_fleet_without_trouble_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY", 1.0)
    told: list[str] = []
    result = await soak(6, 2000, 60, Random(1), told.append)
    assert result.problems == []
    assert result.troubles == []
    assert result.verdict.once > 10_000
    assert result.served > 100_000
    assert result.cut_off == 0
    programs = {process.program for process in result.memory.processes if process.sizes}
    assert {"simulator", "supervisor", "ingest-spot-0", "gateway", "judge"} <= programs
