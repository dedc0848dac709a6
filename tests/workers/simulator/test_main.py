import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fsnats.websocket.serve import listen
from tests.conftest import eventually, free_port
from workers.simulator.main import main


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A simulator process of its own, ended with SIGTERM and status 0."""
    port = free_port()
    command = [sys.executable, "-P", "-m", "workers", "simulator", "--port", str(port), "--usdm-symbols", "30"]
    environ = {**os.environ, "FSNATS_STATE_DIR": str(tmp_path)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environ) as process:
        yield port
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=10)
    assert process.returncode == 0
    assert json.loads(log.splitlines()[0])["message"] == "simulated exchange ready"


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_the_program_serves_the_exchange_until_it_is_told_to_stop(port: int) -> None:
    await eventually(lambda: listening(port))
    async with httpx.AsyncClient(trust_env=False) as client:
        rows = (await client.get(f"http://127.0.0.1:{port}/usdm/fapi/v1/exchangeInfo")).json()["symbols"]
    assert sum(row["status"] == "TRADING" for row in rows) == 30


def test_help_names_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    for option in ("--rate", "--replay", "--speed", "--stamp", "--spot-symbols", "--seed"):
        assert option in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["--speed", "slow"],
        ["--speed", "-1"],
        ["--speed", "nan"],
        ["--nosuch"],
        ["--port", "65536"],
        ["--log-level", "loud"],
        ["--history-days", "-5"],
        ["--dials", "0"],
    ],
)
def test_wrong_usage_is_told_by_the_exit_status_and_named(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 64
    assert arguments[0] in capsys.readouterr().err


def test_a_port_is_shared_with_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    with listen("0.0.0.0", 0, "PORT") as gateway:  # which would share it
        gateway.listen()
        port = gateway.getsockname()[1]
        assert main(["--port", str(port)]) == 78
    assert f"fsnats: --port: cannot listen on 127.0.0.1:{port}: Address already in use" in capfd.readouterr().err


def test_a_capture_that_is_missing_is_a_configuration_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0", "--replay", str(tmp_path / "none.jsonl")]) == 78
    assert "no such file" in capfd.readouterr().err
