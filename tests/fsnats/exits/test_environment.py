import pytest

from fsnats.exits.address import DIRECT, read_exit
from fsnats.exits.environment import from_environment, is_excepted

WSS = "wss://stream.binance.com:443"


@pytest.mark.parametrize(
    ("url", "environ", "found"),
    [
        (WSS, {}, "direct"),
        (WSS, {"HTTPS_PROXY": "http://h:1"}, "http://h:1"),
        ("https://api.binance.com", {"https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:1"}, "http://low:1"),
        ("ws://h", {"HTTPS_PROXY": "http://h:1"}, "direct"),
        ("http://h", {"HTTP_PROXY": "http://h:1"}, "http://h:1"),
        (WSS, {"ALL_PROXY": "socks5h://h:1"}, "socks5h://h:1"),
        (WSS, {"ALL_PROXY": "socks5h://h:1", "HTTPS_PROXY": "http://h:2"}, "http://h:2"),
        (WSS, {"HTTPS_PROXY": "127.0.0.1:4780"}, "http://127.0.0.1:4780"),
        (WSS, {"all_proxy": "socks://h:1"}, "socks5h://h:1"),
        (WSS, {"HTTPS_PROXY": "", "ALL_PROXY": "http://h:1"}, "http://h:1"),
        (WSS, {"HTTPS_PROXY": "http://h:1", "NO_PROXY": "binance.com"}, "direct"),
        (WSS, {"HTTPS_PROXY": "http://h:1", "no_proxy": "localhost", "NO_PROXY": "*"}, "http://h:1"),
    ],
)
def test_the_variables_mean_what_they_mean_to_others(url: str, environ: dict[str, str], found: str) -> None:
    assert from_environment(url, environ) == (DIRECT if found == "direct" else read_exit(found))


def test_a_proxy_that_cannot_be_used_is_named_by_its_variable() -> None:
    with pytest.raises(ValueError, match=r"^HTTPS_PROXY: the URL does not begin") as failure:
        from_environment(WSS, {"HTTPS_PROXY": "ftp://me:secret@h"})

    assert "secret" not in str(failure.value)


@pytest.mark.parametrize(
    ("host", "port", "no_proxy", "excepted"),
    [
        ("api.binance.com", 443, "binance.com", True),
        ("api.binance.com", 443, ".binance.com", True),
        ("api.binance.com", 443, "*.binance.com", True),
        ("API.Binance.com", 443, "api.BINANCE.com", True),
        ("binance.com", 443, ".binance.com", True),
        ("notbinance.com", 443, "binance.com", False),
        ("binance.com.evil", 443, "binance.com", False),
        ("api.binance.com", 443, "x,  localhost api.binance.com", True),
        ("api.binance.com", 443, "binance.com:443", True),
        ("api.binance.com", 443, "binance.com:8443", False),
        ("api.binance.com", 443, "*", True),
        ("api.binance.com", 443, "", False),
        ("api.binance.com", 443, ".", False),
        ("127.0.0.1", 80, "127.0.0.0/8", True),
        ("127.0.0.1", 80, "127.0.0.1", True),
        ("10.0.0.1", 80, "127.0.0.0/8", False),
        ("10.0.0.1", 80, "0.1", False),
        ("::1", 80, "::1", True),
        ("::1", 80, "[::1]:80", True),
        ("::1", 80, "[::1]:81", False),
    ],
)
def test_no_proxy_names_hosts_suffixes_addresses_and_networks(
    host: str, port: int, no_proxy: str, excepted: bool
) -> None:
    assert is_excepted(host, port, no_proxy) is excepted
