from pathlib import Path

import pytest

from fsnats.config import Config
from fsnats.errors import ConfigError
from fsnats.rendezvous import STORE_FILE, URL_FILE, nats_urls, store_url


def test_configured_servers_are_used(tmp_path: Path) -> None:
    assert nats_urls(Config(nats_url="nats://a, nats://b", state_dir=str(tmp_path))) == ["nats://a", "nats://b"]


def test_else_the_embedded_one_of_the_state_directory(tmp_path: Path) -> None:
    (tmp_path / URL_FILE).write_text("nats://127.0.0.1:4222\n")

    assert nats_urls(Config(state_dir=str(tmp_path))) == ["nats://127.0.0.1:4222"]


def test_where_there_is_neither_the_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="FSNATS_NATS_URL: not set, and no supervisor"):
        nats_urls(Config(state_dir=str(tmp_path)))


def test_the_store_is_the_configured_one(tmp_path: Path) -> None:
    assert store_url(Config(state_dir=str(tmp_path))) == ""
    assert store_url(Config(store_url="sqlite:///a", state_dir=str(tmp_path))) == "sqlite:///a"


def test_beside_a_fleet_with_simulated_data_it_is_the_one_for_these(tmp_path: Path) -> None:
    (tmp_path / STORE_FILE).write_text("sqlite:///sim\n")
    assert store_url(Config(store_url="sqlite:///a", state_dir=str(tmp_path))) == "sqlite:///sim"
    elsewhere = Config(store_url="sqlite:///a", state_dir=str(tmp_path), nats_url="nats://elsewhere")
    assert store_url(elsewhere) == "sqlite:///a"
