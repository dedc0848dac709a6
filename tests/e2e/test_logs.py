"""What a whole fleet logs at its most talkative: in files, over HTTP, without a secret; and a disk that is none."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from fsnats.logs.names import FileName
from tests.e2e.fleet import Fleet, free_port, get, wait_for

PASSWORD = "hunt,er/2-nobody@sees"
QUOTED = quote(PASSWORD, safe="")
TOKEN = "0perators-t0ken-of-32-characters"
SHOWN = ("hunt,er", "hunt%2Cer", "nobody", "0perators")  # parts of both, in every way of writing them


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Every setting that may hold a secret holds one, and everything that could be said of it is said."""
    nowhere = free_port()
    with Fleet(
        tmp_path_factory.mktemp("logs"),
        markets="spot",
        symbols="BTCUSDT,ETHUSDT",
        log_level="debug",
        proxy=f"direct,socks5://somebody:{QUOTED}@127.0.0.1:{nowhere}",
        store_url=f"postgresql://somebody:{QUOTED}@127.0.0.1:{nowhere}/candles",
    ) as running:
        yield running


def today(fleet: Fleet, query: str = "") -> dict[str, Any]:
    status, text = get(f"{fleet.http}/api/logs/today?{query}")
    assert status == 200, text
    told: dict[str, Any] = json.loads(text)
    return told


def files(fleet: Fleet) -> list[Path]:
    return [path for path in (fleet.directory / "state" / "logs").iterdir() if FileName.read(path.name)]


def test_every_programs_lines_are_in_files_of_its_own_and_each_is_a_named_event(fleet: Fleet) -> None:
    get(f"{fleet.http}/api/v1/klines?symbol=BTCUSDT&interval=1m&limit=5")  # history, which has no store
    wait_for(lambda: "history" in today(fleet)["programs"], "history says that there is no store")
    programs = {name.program for path in files(fleet) if (name := FileName.read(path.name))}
    assert programs >= {"supervisor", "simulator", "ingest-spot-0", "history", "gateway"}
    for path in files(fleet):
        name = FileName.read(path.name)
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            assert entry["event"], line
            # What nats-server says is in the supervisor's.
            assert entry["program"] == (name and name.program) or path.name.startswith("supervisor."), line
    assert "output.line" in {entry["event"] for entry in today(fleet, "program=nats&limit=1000")["entries"]}


def test_what_happens_is_read_from_where_one_was(fleet: Fleet) -> None:
    before = today(fleet, "limit=1")["next"]
    fleet.kill("ingest-spot-0")
    events: list[str] = []

    def is_back() -> bool:
        nonlocal events
        events = [entry["event"] for entry in today(fleet, f"program=supervisor&limit=1000&after={before}")["entries"]]
        return "program.ready" in events

    wait_for(is_back, "the worker is started again, and that is told")
    assert [event for event in events if event.startswith("program.")] == [
        "program.ended",
        "program.restarts",
        "program.starts",
        "program.ready",
    ]


def test_a_second_gateway_has_files_of_its_own_and_shows_those_of_all_to_who_has_a_token(
    fleet: Fleet, tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(f"[[token]]\nname = 'operator'\ntoken = '{TOKEN}'\nlogs = true\n")
    port = free_port()
    # It knows of two NATS servers, one of which wants a password and is not there.
    nats_url = f"nats://somebody:{QUOTED}@127.0.0.1:{free_port()},{fleet.nats_url}"
    gateway = fleet.serve_gateway(port, nats_url=nats_url, gateway_tokens_file=tokens)
    assert get(f"http://127.0.0.1:{port}/api/logs/today")[0] == 401

    def are_ready() -> int:
        text = get(f"http://127.0.0.1:{port}/api/logs/today?program=gateway&limit=1000&token={TOKEN}")[1]
        return [entry["event"] for entry in json.loads(text)["entries"]].count("gateway.ready")

    # It serves a moment before it says so.
    wait_for(lambda: are_ready() == 2, "what both gateways say is shown")
    assert any(path.name.startswith("gateway~2.") for path in files(fleet))
    gateway.kill()


def test_the_command_shows_what_the_files_hold(fleet: Fleet) -> None:
    command = (sys.executable, "-P", "-m", "fsnats", "logs", "--since", "1d", "--json", "-p", "gateway")
    done = subprocess.run(command, env=fleet.environ(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "gateway.listening" in {json.loads(line)["event"] for line in done.stdout.splitlines()}


def test_a_state_directory_that_cannot_be_written_costs_a_gateway_nothing_but_its_files(fleet: Fleet) -> None:
    port = free_port()
    gateway = fleet.serve_gateway(port, nats_url=fleet.nats_url, state_dir="/proc/fsnats", store_url="")
    wait_for(lambda: "log.files_failed" in gateway.said(), "it says so")
    told = json.loads(get(f"http://127.0.0.1:{port}/api/logs/today")[1])
    assert (told["programs"], told["entries"]) == ([], [])
    assert gateway.said().count("log.files_failed") == 1
    gateway.kill()


def test_no_secret_is_in_anything_that_was_written_or_told(fleet: Fleet) -> None:
    get(f"{fleet.http}/api/v1/klines?symbol=NOSUCH&interval=1m&token={PASSWORD}")
    get(f"{fleet.http}/api/v1/klines?symbol=BTCUSDT&interval=1m&limit=5")  # history, which has no store

    def written() -> dict[str, str]:
        return {str(path): path.read_text(errors="replace") for path in fleet.directory.rglob("*") if path.is_file()}

    wait_for(
        lambda: any("store.left_out" in text for name, text in written().items() if "history" in name),
        "history says that there is no store",
    )
    shown = written()
    shown["over HTTP"] = json.dumps(today(fleet, "limit=1000"))
    assert any("store.left_out" in text for name, text in shown.items() if "history" in name)
    assert [name for name, text in shown.items() if any(part in text for part in SHOWN)] == []
