import subprocess
import sys
from pathlib import Path

import pytest

from fsnats.config import Config
from fsnats.errors import ConfigError
from fsnats.rendezvous import nats_urls
from fsnats.supervisor.statedir import LOCK, published_url, run_directory, sole_supervisor, state_directory


def test_the_state_directory_is_made_for_its_owner(tmp_path: Path) -> None:
    path = state_directory(Config(state_dir=str(tmp_path / "a" / "b")))

    assert path.is_dir()
    assert path.stat().st_mode & 0o777 == 0o700


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError) as error:
        state_directory(Config(state_dir=str(tmp_path / "file" / "b")))
    assert error.value.setting == "FSNATS_STATE_DIR"


def test_a_second_supervisor_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    with sole_supervisor(tmp_path):
        pid = (tmp_path / LOCK).read_text().strip()
        with pytest.raises(ConfigError, match=rf"another supervisor \(pid {pid}\)"), sole_supervisor(tmp_path):
            pass
    with sole_supervisor(tmp_path):
        pass


def test_a_killed_supervisor_leaves_no_lock(tmp_path: Path) -> None:
    holding = (
        "import pathlib, sys; from fsnats.supervisor.statedir import sole_supervisor\n"
        "with sole_supervisor(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-P", "-c", holding, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(ConfigError), sole_supervisor(tmp_path):
            pass
        process.kill()

    with sole_supervisor(tmp_path):
        pass


def test_the_bus_is_found_while_the_supervisor_runs(tmp_path: Path) -> None:
    config = Config(state_dir=str(tmp_path))

    with sole_supervisor(tmp_path), published_url(tmp_path, "nats://127.0.0.1:4333"):
        assert nats_urls(config) == ["nats://127.0.0.1:4333"]
    with pytest.raises(ConfigError):
        nats_urls(config)


def test_the_url_of_a_killed_supervisor_is_forgotten_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "nats.url").write_text("nats://127.0.0.1:1\n")

    with sole_supervisor(tmp_path), pytest.raises(ConfigError):
        nats_urls(Config(state_dir=str(tmp_path)))


def test_sockets_that_killed_children_left_are_taken_away(tmp_path: Path) -> None:
    run = run_directory(tmp_path)
    assert run.stat().st_mode & 0o777 == 0o700
    (run / "ingest-spot-9.sock").touch()
    assert list(run_directory(tmp_path).iterdir()) == []
