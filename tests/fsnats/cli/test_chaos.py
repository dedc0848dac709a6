import pytest

from fsnats.chaos.scenarios import SCENARIOS
from fsnats.cli import main


def test_every_scenario_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chaos", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(scenario.name in shown and scenario.does in shown for scenario in SCENARIOS)


def test_a_scenario_that_does_not_exist_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chaos", "run", "nosuch"]) == 64
    assert "chaos list" in capsys.readouterr().err.replace("\n", " ")
