"""Every scenario of `fsnats chaos` in its short form, against real processes, judged by the exchange's own ledger.

What is expected always: nothing missing without a notice, nothing twice, no limit broken.
"""

import pytest

from fsnats.chaos.report import Report
from fsnats.chaos.runner import troubled
from fsnats.chaos.scenarios import BY_NAME, SCENARIOS
from tests.e2e.conftest import Measure

_PATIENCE = 3.0  # seconds for the last recovery or notice
_HEALING = 20.0  # seconds in which streams must flow again

# Scenarios that share a fleet, one after the other.
TOGETHER = (
    ("skew", "garbage", "stall", "listing", "wrong-route"),
    ("cut", "shutdown", "overlap", "day"),
    ("cut-all", "refused"),
    ("half-open",),
    ("ghost",),
    ("limits", "legal"),
    ("proxy-death",),
    ("either-dies",),
    ("either-lags",),
    ("storm",),
    ("kill-worker", "kill-nats"),
)


async def _reports(names: tuple[str, ...]) -> list[Report]:
    scenarios = [BY_NAME[name] for name in names]
    async with troubled(scenarios[0].fleet) as fleet:
        return [await fleet.run(each, each.short, _PATIENCE, _HEALING) for each in scenarios]


def test_every_scenario_runs() -> None:
    assert sorted(name for names in TOGETHER for name in names) == sorted(BY_NAME)
    assert all(BY_NAME[name].fleet == BY_NAME[names[0]].fleet for names in TOGETHER for name in names)
    assert len(SCENARIOS) == len(BY_NAME)


@pytest.mark.parametrize("names", TOGETHER, ids="+".join)
async def test_what_is_lost_is_made_good_or_told(names: tuple[str, ...], measure: Measure) -> None:
    reports = await _reports(names)
    for report in reports:
        told = "; ".join(report.problems) or "good"
        back = f", data after {report.back_p95:.2f} s" if report.back and report.back_p95 else ""
        measure(f"chaos {report.scenario}: {report.verdict.produced} events, {report.dials} dials{back}: {told}")
    assert {report.scenario: report.problems for report in reports if report.problems} == {}
