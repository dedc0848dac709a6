"""What dashboards and `fsnats status` show of a fleet, while something happens to it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.fleet import Fleet, get, wait_for


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("seen")
    with Fleet(directory, markets="spot", symbols="BTCUSDT,ETHUSDT,BNBUSDT", linger=0) as running:
        yield running


def told(fleet: Fleet, path: str = "") -> Any:
    status, text = get(f"{fleet.http}/api/fleet{path}")
    assert status == 200, text
    return json.loads(text)


def troubles_of(fleet: Fleet, program: str) -> dict[str, str]:
    """What is wrong with a program, and how bad it is."""
    troubles = told(fleet)["troubles"]
    return {each["what"]: each["severity"] for each in troubles if each["where"].get("program") == program}


def test_a_fleet_is_shown_with_everybody_in_it(fleet: Fleet) -> None:
    seen = told(fleet)
    assert seen["simulated"] is True
    assert seen["gateway"].startswith("gateway-")
    kinds = {program["kind"] for program in seen["programs"]}
    assert {"supervisor", "ingest", "history", "gateway"} <= kinds
    assert seen["gateway"] in {program["program"] for program in seen["programs"]}
    assert [trouble for trouble in seen["troubles"] if trouble["severity"] == "error"] == []


def test_a_killed_worker_turns_red_and_is_well_again(fleet: Fleet) -> None:
    worker = "ingest-spot-0"
    assert troubles_of(fleet, worker) == {}
    pid = fleet.kill(worker)
    wait_for(lambda: "signal 9" in str(troubles_of(fleet, worker)), "it is red")
    wait_for(lambda: "error" not in troubles_of(fleet, worker).values(), "it is well again")
    (again,) = (program for program in told(fleet)["programs"] if program["program"] == worker)
    assert again["pid"] not in (0, pid)
