from pathlib import Path

import pytest

from fsnats.config import Config
from fsnats.errors import ConfigError
from fsnats.rendezvous import URL_FILE, nats_urls


def test_configured_servers_are_used(tmp_path: Path) -> None:
    assert nats_urls(Config(nats_url="nats://a, nats://b", state_dir=str(tmp_path))) == ["nats://a", "nats://b"]


def test_else_the_embedded_one_of_the_state_directory(tmp_path: Path) -> None:
    (tmp_path / URL_FILE).write_text("nats://127.0.0.1:4222\n")

    assert nats_urls(Config(state_dir=str(tmp_path))) == ["nats://127.0.0.1:4222"]


def test_where_there_is_neither_the_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="FSNATS_NATS_URL: not set, and no supervisor"):
        nats_urls(Config(state_dir=str(tmp_path)))
