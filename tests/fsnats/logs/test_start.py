import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fsnats.config import Config
from fsnats.logs.start import directory, log_as


@pytest.fixture(autouse=True)
def restored_root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def logged(config: Config, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    log_as("gateway", config)
    logging.getLogger("x").warning("no %s", "hunter22")
    for handler in logging.getLogger().handlers:
        handler.close()
    return stream.getvalue()


def test_a_program_logs_to_files_in_the_state_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(state_dir=str(tmp_path / "state"), proxy="http://user:hunter22@host:1")
    said = logged(config, monkeypatch)
    (file,) = directory(config).glob("*.jsonl")
    assert file.read_text() == said
    assert json.loads(said)["message"] == "no ***"


def test_files_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert logged(Config(state_dir=str(tmp_path / "state"), log_files=False), monkeypatch)
    assert not (tmp_path / "state").exists()


def test_a_state_directory_that_cannot_be_written_costs_the_files_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").touch()
    first, *others = map(json.loads, logged(Config(state_dir=str(tmp_path / "state")), monkeypatch).splitlines())
    assert first["message"].startswith("no ")
    assert [entry["event"] for entry in others] == ["log.files_failed"]


PROGRAM = """
import logging, sys
from fsnats import process
from fsnats.config import Config
from fsnats.errors import ConfigError
from fsnats.logs.start import log_as

async def main(stopping):
    logging.getLogger("x").info("works", extra={"event": "a.b"})
    raise {error}

log_as("gateway", Config(state_dir=sys.argv[1]))
sys.exit(process.run(main))
"""


@pytest.mark.parametrize(
    ("error", "status", "event"),
    [('ConfigError("FSNATS_X", "is wrong")', 78, "process.ends"), ("ZeroDivisionError", 1, "process.failed")],
)
def test_the_last_words_of_a_process_are_in_its_file(tmp_path: Path, error: str, status: int, event: str) -> None:
    argv = [sys.executable, "-P", "-c", PROGRAM.replace("{error}", error), str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, env={**os.environ})
    assert done.returncode == status, done.stderr
    (file,) = (tmp_path / "logs").glob("*.jsonl")
    first, last = map(json.loads, file.read_text().splitlines())
    assert (first["event"], last["event"]) == ("a.b", event)
    if event == "process.failed":
        assert json.loads(done.stderr.splitlines()[-1]) == last
        assert "ZeroDivisionError" in last["exception"]
    else:
        assert done.stderr.splitlines()[-1] == "fsnats: FSNATS_X: is wrong"
