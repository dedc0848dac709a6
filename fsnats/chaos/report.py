"""What a scenario comes to: numbers, and the sentences that say which promise they break.  Pure."""

import math

import msgspec

from fsnats.chaos.judge import Verdict
from fsnats.chaos.scenarios import Scenario

PROMPT = 2.0  # seconds to data after the exchange accepts again
AGGREGATES = "aggregate trades missing that REST has"


class Report(msgspec.Struct):
    """One scenario's result.  `back` holds seconds from the mark to live data, by stream; None where none came."""

    scenario: str
    verdict: Verdict
    by_kind: dict[str, Verdict]
    back: dict[str, float | None] = msgspec.field(default_factory=dict)
    dials: int = 0  # handshakes that were asked for, refused ones included
    violations: list[str] = msgspec.field(default_factory=list)
    unreadable: int = 0
    notices: int = 0  # of what is lost, or on its way
    said: list[str] = msgspec.field(default_factory=list)  # what the scenario itself found wrong
    problems: list[str] = msgspec.field(default_factory=list)

    @property
    def back_p95(self) -> float | None:
        """The 95th percentile of the seconds to live data; None where a stream has none."""
        times = sorted(math.inf if each is None else each for each in self.back.values())
        slowest = times[math.ceil(0.95 * len(times)) - 1] if times else 0.0
        return None if math.isinf(slowest) else slowest


def problems(report: Report, scenario: Scenario) -> list[str]:
    """Which promises the numbers break; empty is good."""
    verdict, found = report.verdict, [*report.said, *report.verdict.problems]
    if report.unreadable:
        found.append(f"{report.unreadable} unreadable frames")
    aggregates = report.by_kind.get("aggTrade", Verdict()).missing
    if scenario.served and aggregates:
        found.append(f"{aggregates} {AGGREGATES}")
    if scenario.seamless:
        seams = {
            "missing": verdict.missing,
            "fetched afterwards": verdict.recovered,
            "late": verdict.late,
            "gap notices": report.notices,
        }
        found += [f"{count} {what}, where either connection suffices" for what, count in seams.items() if count]
    silent = [name for name, seconds in report.back.items() if seconds is None]
    if silent:
        found.append(f"{len(silent)} of {len(report.back)} streams did not come back, such as {silent[0]}")
    elif scenario.prompt and report.back and (report.back_p95 or 0) > PROMPT:
        found.append(f"data after {report.back_p95:.1f} s")
    if not verdict.produced:
        found.append("nothing was produced")
    found += [f"limit broken: {each}" for each in dict.fromkeys(report.violations)]
    return found
