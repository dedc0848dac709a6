from pathlib import Path

import pytest

from fsnats.errors import ConfigError
from fsnats.settings import load


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("FSNATS_CONFIG", "FSNATS_GATEWAY_PORT", "WS_PORT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_file_of_the_folder_is_read(empty_folder: Path) -> None:
    (empty_folder / "fsnats.toml").write_text('gateway_port = 7\nmarkets = ["usdm"]\n')

    config = load().config

    assert (config.gateway_port, config.markets) == (7, ("usdm",))


def test_a_named_file_is_read_instead(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_folder / "other.toml").write_text("gateway_port = 8\n")
    monkeypatch.setenv("FSNATS_CONFIG", "other.toml")

    assert load().config.gateway_port == 8


def test_a_named_file_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSNATS_CONFIG", "missing.toml")

    with pytest.raises(ConfigError, match=r"missing\.toml"):
        load()


def test_a_file_that_is_not_toml_is_named(empty_folder: Path) -> None:
    (empty_folder / "fsnats.toml").write_text("port: 7")

    with pytest.raises(ConfigError, match=r"fsnats\.toml"):
        load()


def test_a_supervisors_child_reads_no_file(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_folder / "fsnats.toml").write_text("broken [")
    (empty_folder / ".env").write_text("WS_PORT=nonsense")
    monkeypatch.setenv("FSNATS_SUPERVISOR_PID", "1")

    assert load().config.gateway_port == 8080


def test_the_old_servers_dotenv_is_read(empty_folder: Path) -> None:
    (empty_folder / ".env").write_text("# old server\nexport WS_PORT='9001' \nSYMBOLS_PER_WORKER=20 # few\nnonsense\n")

    config = load().config

    assert (config.gateway_port, config.symbols_per_worker) == (9001, 20)
