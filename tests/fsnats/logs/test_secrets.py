import pytest

from fsnats.config import Config
from fsnats.logs.redaction import Redactor
from fsnats.logs.secrets import secrets_of

SECRET = "hunt,er/2@x"
QUOTED = "hunt%2Cer%2F2%40x"


@pytest.mark.parametrize(
    "config",
    [
        Config(proxy=f"direct,socks5://user:{QUOTED}@host:1080"),
        Config(nats_url=f"nats://one:4222,nats://user:{QUOTED}@two:4222"),
        Config(nats_url=f"nats://{QUOTED}@two:4222"),
        Config(store_url=f"postgresql://user:{QUOTED}@host/database"),
        Config(store_url=f"postgresql://user:{SECRET}@host/database"),
        Config(store_url=f"postgresql://host/database?user=x&sslpassword={QUOTED}"),
        Config(spot_rest_url=f"https://user:{QUOTED}@host"),
    ],
)
def test_every_secret_of_the_settings_is_known_as_written_and_as_meant(config: Config) -> None:
    text = Redactor(secrets_of(config, {})).text(f"a {SECRET} b {QUOTED} c")
    assert text == "a *** b *** c"


def test_what_a_proxy_is_sent_is_known_as_well() -> None:
    redactor = Redactor(secrets_of(Config(proxy="http://user:secret@host:3128"), {}))
    assert redactor.text("x dXNlcjpzZWNyZXQ= y") == "x *** y"


def test_proxies_of_the_environment_count() -> None:
    assert "secret" in secrets_of(Config(), {"https_proxy": "http://user:secret@host:3128", "HOME": "://no:no@no"})


def test_settings_without_secrets_hold_none() -> None:
    assert secrets_of(Config(), {}) == set()
