import tomllib
from typing import Any

import pytest

from fsnats.errors import ConfigError
from fsnats.exits.tables import exit_of
from fsnats.sources import merge


@pytest.mark.parametrize(
    ("table", "means"),
    [
        ({"url": "direct"}, "direct"),
        ({"url": "http://h:1", "username": "me", "password": "p@ss"}, "http://me:p%40ss@h:1"),
        ({"use_proxy": True, "proxy_addr": "127.0.0.1", "proxy_port": 1080}, "socks5h://127.0.0.1:1080"),
        ({"use_proxy": False, "proxy_addr": "127.0.0.1", "proxy_port": 1080}, "direct"),
        ({"use_proxy": "false"}, "direct"),
        ({"address": "127.0.0.1:4780", "proxy_type": "http", "enabled": True}, "http://127.0.0.1:4780"),
        ({"address": "127.0.0.1:4780", "proxy_type": "SOCKS5"}, "socks5://127.0.0.1:4780"),
        ({"address": "http://127.0.0.1:4780", "enabled": True}, "http://127.0.0.1:4780"),
        ({"address": "127.0.0.1:4780", "proxy_type": "http", "enabled": False}, "direct"),
    ],
)
def test_each_form_means_an_exit(table: dict[str, Any], means: str) -> None:
    assert exit_of(table) == means


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({}, "one of url, use_proxy, address is needed"),
        ({"url": "direct", "enabled": True}, "'enabled' does not belong beside 'url'"),
        ({"url": 5}, "'url' is not a text"),
        ({"use_proxy": True, "proxy_port": 1080}, "'proxy_addr' is missing"),
        ({"use_proxy": "perhaps"}, "'use_proxy' is neither true nor false"),
        ({"address": "h:1", "proxy_type": "carrier pigeon"}, "not one of socks5"),
        ({"enabled": True}, "'address' is missing"),
    ],
)
def test_what_makes_no_sense_is_said(table: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        exit_of(table)


def proxy(text: str) -> str:
    return merge(file=tomllib.loads(text), dotenv={}, environ={}, flags={}).config.proxy


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ('[[exit]]\nurl = "direct"\n[[exit]]\nurl = "socks5h://h:1"', "direct,socks5h://h:1"),
        ('[exit]\naddress = "h:1"\nproxy_type = "https"', "https://h:1"),
        ('[proxy]\naddress = "h:1"\nproxy_type = "http"\nenabled = true', "http://h:1"),
        ('use_proxy = true\nproxy_addr = "h"\nproxy_port = 1', "socks5h://h:1"),
        ('[exchanges.binance.connection.proxy]\naddress = "h:1"\nproxy_type = "http"\nenabled = true', "http://h:1"),
        ("[exchanges.binance.connection.proxy]\nenabled = false", "direct"),
    ],
)
def test_a_settings_file_may_name_exits_in_each_form(text: str, means: str) -> None:
    assert proxy(text) == means


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('proxy = "direct"\n[[exit]]\nurl = "direct"', "exits are named in two ways"),
        ('[[exit]]\nurl = "direct"\n[proxy]\nenabled = false', "exits are named in two ways"),
        ("exit = 5", r"\[\[exit\]\] in fsnats.toml: a table is wanted"),
        ('[[exit]]\nurl = "ftp://me:secret@h"', r"\[\[exit\]\] in fsnats.toml: the URL does not begin"),
        ("[exchanges.binance]\nx = 1", "exchanges in fsnats.toml: no such setting"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as failure:
        proxy(text)

    assert "secret" not in str(failure.value)


def test_the_environment_may_hold_the_triple() -> None:
    triple = {"USE_PROXY": "true", "PROXY_ADDR": "h", "PROXY_PORT": "1"}

    def merged(dotenv: dict[str, str], environ: dict[str, str]) -> str:
        return merge(file={}, dotenv=dotenv, environ=environ, flags={}).config.proxy

    assert merged(triple, {}) == "socks5h://h:1"
    assert merged(triple, {"FSNATS_PROXY": "direct"}) == "direct"
    assert merged({}, triple | {"FSNATS_PROXY": "direct"}) == "direct"
    assert merged({}, {"PROXY_ADDR": "h"}) == "direct"
    with pytest.raises(ConfigError, match="USE_PROXY: 'proxy_addr' is missing"):
        merged({}, {"USE_PROXY": "1"})
