"""What dashboards and `fsnats status` show of a fleet, while something happens to it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.client import until
from tests.e2e.fleet import Fleet, get, wait_for
from tests.fsnats.cli.conftest import command
from tests.fsnats.cli.terminal import terminal

STREAMS = ("btcusdt@trade", "ethusdt@miniTicker")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("seen")
    always = ",".join(f"spot:{name}" for name in STREAMS)
    with Fleet(directory, markets="spot", symbols="BTCUSDT,ETHUSDT", linger=0, always=always) as running:
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


async def test_a_killed_worker_turns_red_and_is_well_again(fleet: Fleet) -> None:
    worker = "ingest-spot-0"
    assert troubles_of(fleet, worker) == {}
    watch = command("status", "--watch", "--interval", "0.2")
    async with terminal(*watch, env=fleet.environ()) as shown:
        await until(lambda: worker in shown.screen, "it is on the screen")
        assert f"! {worker}" not in shown.written
        pid = fleet.kill(worker)
        await until(lambda: "signal 9" in str(troubles_of(fleet, worker)), "it is red over HTTP")
        await until(
            lambda: f"! {worker} " in shown.written and "signal 9 ended it" in shown.written, "and on the screen"
        )
        await until(lambda: "error" not in troubles_of(fleet, worker).values(), "it is well again")
        await until(lambda: f"{worker} started again" in shown.screen, "the screen says so")

    def answering() -> set[int]:
        return {program["pid"] for program in told(fleet)["programs"] if program["program"] == worker}

    await until(lambda: answering() == {fleet.pids()[worker]}, "its successor answers")
    assert answering() != {pid}


def test_streams_and_what_happens_to_them_are_shown(fleet: Fleet) -> None:
    def rows() -> dict[str, Any]:
        return {row["stream"]: row for row in told(fleet, "/streams?market=spot&sort=name")["streams"]}

    after = told(fleet, "/events")["after"]
    wait_for(lambda: len(rows()) == 2 and all(row["rate"] for row in rows().values()), "both have a rate")
    ticker, trade = rows()[STREAMS[1]], rows()[STREAMS[0]]
    assert (trade["worker"], trade["connections"]) == ("ingest-spot-0", ["ingest-spot-0-0"])
    assert (trade["state"], ticker["expected_by"]) == ("flows", "unknown")
    assert trade["messages"] > 0
    fleet.tell_simulator("faults/cut")
    events: list[dict[str, Any]] = []

    def happened() -> bool:
        nonlocal after
        news = told(fleet, f"/events?after={after}")
        after = news["after"]
        events.extend(news["events"])
        return {"lost", "connected"} <= {event["kind"] for event in events}

    wait_for(happened, "a connection was lost, and is there again")
    assert len({event["id"] for event in events}) == len(events)
