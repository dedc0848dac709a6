from random import Random

from fsnats.chaos.soak import Soak, soak


def test_a_soak_demands_the_same_zeros() -> None:
    result = Soak(frames=1)
    assert result.problems == []
    result.verdict.unnoticed, result.aggregates_missing, result.violations = 2, 3, ["dials"] * 2
    assert result.problems == ["2 missing without a gap notice", "3 aggregate trades missing that REST has", "dials"]


async def test_a_loaded_fleet_without_trouble_loses_nothing() -> None:
    told: list[str] = []
    result = await soak(6, 2000, 60, Random(1), told.append)
    assert result.problems == []
    assert result.troubles == []
    assert result.verdict.once > 10_000
    assert len(result.memory) == 3
    assert {"simulator", "supervisor", "ingest-spot-0", "judge"} <= result.memory[-1].keys()
