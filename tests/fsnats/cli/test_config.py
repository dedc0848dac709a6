"""`fsnats config`: everything, its source, and no secrets."""

import re
from pathlib import Path

import msgspec
import pytest

from fsnats.cli import main
from fsnats.cli.config import masked
from fsnats.config import Config


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, dict[str, str]]:
    assert main([*arguments, "config", "--json"]) == 0
    return msgspec.json.decode(capsys.readouterr().out, type=dict[str, dict[str, str]])


def test_every_setting_is_shown_with_its_default_and_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    settings = shown(capsys)
    assert list(settings) == list(Config.__struct_fields__)
    assert settings["gateway_port"] | {"meaning": ""} == {
        "value": "8080",
        "source": "default",
        "default": "8080",
        "environment": "FSNATS_GATEWAY_PORT",
        "meaning": "",
    }
    assert all(setting["meaning"] for setting in settings.values())


def test_each_source_is_named_and_the_stronger_one_wins(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "my.toml").write_text("linger = 1\ngateway_port = 1\nlog_level = 'debug'\n")
    (tmp_path / ".env").write_text("WS_PORT=2\nFSNATS_LOG_LEVEL=error\n")
    monkeypatch.setenv("FSNATS_GATEWAY_PORT", "3")
    monkeypatch.setenv("FSNATS_CONFIG", "")  # restored afterwards: --config sets it
    settings = shown(capsys, "--config", "my.toml", "--set", "gateway-processes=4")
    told = {name: (settings[name]["value"], settings[name]["source"]) for name in ("linger", "gateway_port")}
    assert told == {"linger": ("1.0", str(tmp_path / "my.toml")), "gateway_port": ("3", "environment")}
    assert (settings["log_level"]["value"], settings["log_level"]["source"]) == ("error", ".env")
    assert (settings["gateway_processes"]["value"], settings["gateway_processes"]["source"]) == ("4", "flag")


def test_no_password_is_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSNATS_PROXY", "socks5h://me:s3cret@proxy:1080")
    monkeypatch.setenv("FSNATS_NATS_URL", "nats://t0ken@one:4222,nats://me:s3cret@two:4222")
    for arguments in (["config"], ["config", "--json"]):
        assert main(arguments) == 0
        out = capsys.readouterr().out
        assert "s3cret" not in out
        assert "t0ken" not in out
        assert "socks5h://me:***@proxy:1080" in out
        assert "nats://***@one:4222,nats://me:***@two:4222" in out


@pytest.mark.parametrize("url", ["postgresql://me:s3,cr@t@db/x", "postgresql://db/x?user=me&password=s3cr%40t"])
def test_no_password_of_the_store_is_shown(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FSNATS_STORE_URL", url)
    value = shown(capsys)["store_url"]["value"]
    assert not {"s3", "cr"} & set(re.findall(r"s3|cr", value))
    assert "/x" in value


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("direct", "direct"),
        ("usdm:*@kline_1m", "usdm:*@kline_1m"),
        ("http://u:p@ss/w@h:1", "http://u:***@h:1"),
        ("http://h:1/path", "http://h:1/path"),
        ("http://:p@h:1", "http://:***@h:1"),
    ],
)
def test_masking_takes_the_password_and_nothing_else(text: str, safe: str) -> None:
    assert masked(text) == safe


def test_what_is_true_or_false_is_shown_as_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    row = shown(capsys, "--set", "log_files=FALSE")["log_files"]
    assert (row["value"], row["default"]) == ("false", "true")
