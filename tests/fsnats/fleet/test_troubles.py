from typing import Any

import msgspec
import pytest

from fsnats.fleet.statuses import read
from fsnats.fleet.troubles import Place, Severity, Trouble, troubles


def found(*answers: dict[str, Any], supervised: bool = True) -> list[Trouble]:
    healthy = [{"program": "supervisor"}] if supervised and not any("programs" in each for each in answers) else []
    return troubles(read(msgspec.json.encode(each) for each in [*healthy, *answers]))


def supervisor(**more: Any) -> dict[str, Any]:
    return {"program": "supervisor", "programs": [], **more}


def worker(**more: Any) -> dict[str, Any]:
    return {"program": "ingest-spot-0", "kind": "ingest", "pid": 7, "market": "spot", **more}


def program(state: str, **more: Any) -> dict[str, Any]:
    return {"name": "ingest-spot-0", "state": state, "pid": 7, **more}


CUT = {"id": "ingest-spot-0-0", "status": "reconnecting", "last_error": "the connection was cut"}


def test_nothing_is_wrong_with_a_fleet_that_is_well() -> None:
    assert (
        found(supervisor(programs=[program("ready")]), worker(connections=[{"id": "a", "status": "connected"}])) == []
    )


def test_each_says_how_bad_it_is_where_it_is_and_what_to_do() -> None:
    (trouble,) = found(worker(connections=[CUT]))
    assert trouble.severity is Severity.ERROR
    assert trouble.what == "ingest-spot-0-0 is reconnecting: the connection was cut"
    assert trouble.where == Place("ingest-spot-0", "spot", "ingest-spot-0-0")
    assert "by itself" in trouble.do


@pytest.mark.parametrize("state", ["waiting", "starting"])
def test_a_killed_program_is_down_until_it_is_ready_again(state: str) -> None:
    (trouble,) = found(supervisor(programs=[program(state, pid=None, restarts=2, last_exit=-9)]))
    assert trouble.severity is Severity.ERROR
    assert trouble.what == "ingest-spot-0 is down, after signal 9 ended it"
    assert "2 times so far" in trouble.do
    assert trouble.where == Place("ingest-spot-0")


def test_one_that_has_come_back_is_shown_for_a_while() -> None:
    (trouble,) = found(supervisor(programs=[program("ready", uptime=3.2, last_exit=1)]), worker())
    assert trouble.severity is Severity.WARNING
    assert trouble.what == "ingest-spot-0 started again 3 s ago, after it ended with status 1"
    assert found(supervisor(programs=[program("ready", uptime=31.0, last_exit=1)]), worker()) == []


def test_a_program_that_starts_for_the_first_time_is_no_trouble() -> None:
    assert found(supervisor(programs=[program("starting")])) == []


def test_a_program_that_runs_and_does_not_answer_is_named() -> None:
    (trouble,) = found(supervisor(programs=[program("ready", pid=8)]), worker())
    assert trouble.what == "ingest-spot-0 runs and does not answer"
    assert found(supervisor(programs=[{"name": "nats-server", "state": "ready", "pid": 3}])) == []


def test_a_list_that_nats_does_not_store_is_told_apart_from_an_exchange_that_does_not_answer() -> None:
    market = {"symbols": 59, "trouble": "no answer on $KV.fsnats_catalogue.spot within 5 s"}
    (trouble,) = found(supervisor(markets={"spot": {**market, "kept": False}}))
    assert trouble.severity is Severity.ERROR
    assert trouble.what == f"NATS does not store what spot lists: {market['trouble']}"
    assert "room on its disk" in trouble.do
    (trouble,) = found(supervisor(markets={"spot": market}))
    assert trouble.severity is Severity.WARNING
    assert "cannot be asked" in trouble.what


def test_without_a_supervisor_that_is_said() -> None:
    (trouble,) = found(worker(), supervised=False)
    assert trouble.what == "no supervisor answers"


def test_a_market_without_symbols_is_worse_than_one_whose_list_is_old() -> None:
    new, old = ({"trouble": "tcp: no route", "symbols": symbols} for symbols in (0, 59))
    told = found(supervisor(markets={"usdm": old, "spot": new}))
    assert [(each.severity, each.where.market) for each in told] == [("error", "spot"), ("warning", "usdm")]


def test_an_exit_that_is_not_used_is_an_error_where_there_is_no_other() -> None:
    banned = {"name": "direct", "troubles": [{"area": "REST", "verdict": "banned", "reason": "HTTP 418", "wait": 61.0}]}
    lately = {"name": "h:1", "troubles": [{"area": "REST"}]}
    (alone,) = found(supervisor(exits=[banned]))
    (one_of_two,) = found(supervisor(exits=[banned, lately]))
    assert (alone.severity, one_of_two.severity) == (Severity.ERROR, Severity.WARNING)
    assert one_of_two.where == Place(exit="direct")
    assert "in 61 s" in one_of_two.do


def test_silent_streams_are_named() -> None:
    (trouble,) = found(worker(silent={"count": 2, "streams": [{"stream": "btcusdt@trade"}, {"stream": "x@trade"}]}))
    assert trouble.where.stream == "btcusdt@trade"
    assert "2 of them: btcusdt@trade, x@trade" in trouble.what


def test_clients_that_do_not_read_are_told() -> None:
    (trouble,) = found({"program": "g", "kind": "gateway", "ready": "yes", "slow_clients": 3})
    assert trouble.severity is Severity.WARNING
    assert "3 clients" in trouble.what


def test_the_worst_comes_first() -> None:
    told = found(worker(odd={"html": 1}, connections=[CUT]))
    assert [each.severity for each in told] == ["error", "warning"]


def test_what_does_not_apply_is_left_out_of_the_json() -> None:
    (trouble,) = found(worker(odd={"html": 1}))
    assert msgspec.to_builtins(trouble)["where"] == {"program": "ingest-spot-0", "market": "spot"}
