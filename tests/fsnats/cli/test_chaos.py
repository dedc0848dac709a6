import sys

import pytest

from fsnats.chaos.scenarios import SCENARIOS
from fsnats.cli import main
from tests.fsnats.cli.conftest import running


def test_every_scenario_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chaos", "list"]) == 0
    shown = capsys.readouterr().out
    assert all(scenario.name in shown and scenario.does in shown for scenario in SCENARIOS)


def test_a_scenario_that_does_not_exist_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chaos", "run", "nosuch"]) == 64
    assert "chaos list" in capsys.readouterr().err.replace("\n", " ")


INTERRUPTED = """
import asyncio, os, signal, sys
from fsnats.chaos import runner, soak
from fsnats.cli import main
async def forever(*_):
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.Event().wait()
runner.run_all = soak.soak = forever
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("arguments", [("run", "cut"), ("soak",)])
async def test_who_stops_it_is_not_told_that_a_promise_was_broken(arguments: tuple[str, ...]) -> None:
    async with running(sys.executable, "-P", "-c", INTERRUPTED, "chaos", *arguments) as process:
        out, err = await process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")
