from fsnats.config import Config
from fsnats.exits import proxy_of


def test_direct_is_no_proxy() -> None:
    assert proxy_of(Config()) is None
    assert proxy_of(Config(proxy="")) is None
    assert proxy_of(Config(proxy="socks5h://127.0.0.1:1080")) == "socks5h://127.0.0.1:1080"
