"""Fleets for tests, and the numbers that tests measured, shown at the end of the run."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e import page
from tests.e2e.fleet import Fleet
from tests.e2e.libraries import node_program

_MEASURED = "measured"

StartFleet = Callable[..., Fleet]
Measure = Callable[[str], None]


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One fleet for all tests that leave it as it was."""
    # Its exchange is old enough for the candles of 2021 that seed 000 asks for.
    with Fleet(tmp_path_factory.mktemp("fleet"), simulator=("--history-days", "3650")) as fleet:
        yield fleet


@pytest.fixture(scope="session")
def fleet_of_three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The same with all three markets."""
    with Fleet(tmp_path_factory.mktemp("three"), markets="spot,usdm,coinm") as fleet:
        yield fleet


@pytest.fixture
def start_fleet(tmp_path: Path) -> Iterator[StartFleet]:
    """Start fleets of the test's own, with options of `Fleet`."""
    with ExitStack() as stack:

        def start(name: str = "fleet", **options: Any) -> Fleet:
            return stack.enter_context(Fleet(tmp_path / name, **options))

        yield start


@pytest.fixture(scope="session")
def node() -> str:
    """The node program, with the clients in JavaScript installed for it."""
    return node_program()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the pages of `tests.e2e.page`."""
    with sync_playwright() as playwright:
        browser = page.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def measure(record_property: Callable[[str, object], None]) -> Measure:
    """Note a number for the end of the run."""
    return lambda line: record_property(_MEASURED, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    # A report comes with what its test noted, from whichever process that ran in.
    reports = [report for some in terminalreporter.stats.values() for report in some]
    noted = [each for report in reports if getattr(report, "when", "") == "call" for each in report.user_properties]
    measured = [line for name, line in noted if name == _MEASURED]
    if measured:
        terminalreporter.section("measured")
        for line in measured:
            terminalreporter.write_line(line)
