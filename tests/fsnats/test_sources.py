import pytest

from fsnats.binance.streams import Market
from fsnats.errors import ConfigError
from fsnats.sources import Loaded, merge


def merged(
    file: dict[str, object] | None = None,
    dotenv: dict[str, str] | None = None,
    environ: dict[str, str] | None = None,
    flags: dict[str, str] | None = None,
) -> Loaded:
    return merge(file=file or {}, dotenv=dotenv or {}, environ=environ or {}, flags=flags or {}, home="/home/x")


def test_stronger_sources_win() -> None:
    sources = {
        "file": {"gateway_port": 1, "log_level": "error", "symbols_per_worker": 7, "linger": 5},
        "dotenv": {"WS_PORT": "2", "FSNATS_LOG_LEVEL": "warning", "SYMBOLS_PER_WORKER": "8"},
        "environ": {"FSNATS_GATEWAY_PORT": "3", "FSNATS_LOG_LEVEL": "info"},
        "flags": {"gateway_port": "4"},
    }
    loaded = merged(**sources)  # type: ignore[arg-type]

    config = loaded.config
    assert (config.gateway_port, config.log_level, config.symbols_per_worker, config.linger) == (4, "info", 8, 5.0)
    assert {field: value.source for field, value in loaded.origins.items()} == {
        "gateway_port": "flag",
        "log_level": "environment",
        "symbols_per_worker": ".env",
        "linger": "fsnats.toml",
    }


def test_the_old_servers_environment_keeps_working() -> None:
    config = merged(
        dotenv={
            "NATS_URL": "nats://n:4222",
            "WS_PORT": "9999",
            "SYMBOLS_PER_WORKER": "50",
            "LOG_LEVEL": "verbose",
            "USE_FUTURES": "true",
            "NODE_ENV": "production",
        }
    ).config

    assert config.nats_url == "nats://n:4222"
    assert (config.gateway_port, config.symbols_per_worker, config.log_level) == (9999, 50, "debug")
    assert config.markets == (Market.USDM,)


def test_our_own_name_wins_over_the_old_one() -> None:
    assert merged(environ={"WS_PORT": "1", "FSNATS_GATEWAY_PORT": "2"}).config.gateway_port == 2


def test_lists_sizes_and_names_are_read() -> None:
    config = merged(
        environ={
            "FSNATS_MARKETS": "usdm, coinm",
            "FSNATS_SYMBOLS": "BTCUSDT,ETHUSDT",
            "FSNATS_WORKER_MEMORY_MAX": "512M",
            "FSNATS_ALWAYS": "usdm:*@kline_1m,spot:btcusdt@trade",
            "FSNATS_RECORD": "usdm:*@aggTrade,raw:coinm:*@depth",
            "FSNATS_USDM_WS_URL": "ws://127.0.0.1:9443/usdm",
        }
    ).config

    assert config.markets == (Market.USDM, Market.COINM)
    assert config.symbols == ("BTCUSDT", "ETHUSDT")
    assert config.worker_memory_max == 512 * 1024 * 1024
    assert config.always == ("usdm:*@kline_1m", "spot:btcusdt@trade")
    assert config.record == ("usdm:*@aggTrade", "raw:coinm:*@depth")
    assert config.ws_url(Market.USDM) == "ws://127.0.0.1:9443/usdm"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FSNATS_FOO", "1", "no such setting"),
        ("FSNATS_gateway_port", "1", "no such setting"),
        ("FSNATS_GATEWAY_PORT", "abc", "'abc'"),
        ("FSNATS_GATEWAY_PORT", "70000", "'70000'"),
        ("FSNATS_MARKETS", "spot,forex", "'spot,forex'"),
        ("FSNATS_MARKETS", ",", "','"),
        ("FSNATS_LOG_LEVEL", "loud", "'loud'"),
        ("LOG_LEVEL", "loud", "'loud'"),
        ("FSNATS_SYMBOLS_PER_WORKER", "0", "'0'"),
        ("FSNATS_WORKER_MEMORY_MAX", "much", "not a size"),
        ("FSNATS_REDUNDANCY", "0", "'0'"),
        ("FSNATS_GATEWAY_HANDSHAKE_TIMEOUT", "0", "> 0"),
        ("FSNATS_GATEWAY_CONNECTIONS", "-1", ">= 0"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_as_the_user_wrote_it(name: str, value: str, says: str) -> None:
    with pytest.raises(ConfigError) as failure:
        merged(environ={name: value})

    assert failure.value.setting == name
    assert says in failure.value.reason
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("FSNATS_MARKETS", "forex", "'forex' is not one or several of spot, usdm, coinm"),
        ("FSNATS_LOG_LEVEL", "loud", "'loud' is not one of debug, info, warning, error"),
        ("FSNATS_GATEWAY_DEFLATE", "maybe", "'maybe' is not true or false"),
        ("FSNATS_REDUNDANCY", "5", "'5' is not a whole number >= 1, <= 4"),
        ("FSNATS_LINGER", "long", "'long' is not a number >= 0"),
        ("FSNATS_CAPTURE_FLUSH", "0", "'0' is not a number > 0"),
    ],
)
def test_what_a_setting_may_be_is_told_in_words(name: str, value: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as failure:
        merged(environ={name: value})
    assert failure.value.reason == allowed


def test_an_option_of_a_verb_is_named_as_it_is_written() -> None:
    with pytest.raises(ConfigError, match=r"^--rotate-size: 'much' is not a size"):
        merge(file={}, dotenv={}, environ={}, flags={}, options={"capture_rotate_size": "much"})


def test_a_file_is_named_with_its_key() -> None:
    with pytest.raises(ConfigError, match=r"gatway_port in fsnats\.toml: no such setting"):
        merged(file={"gatway_port": 1})


@pytest.mark.parametrize("name", ["FSNATS_PROXY", "FSNATS_NATS_URL"])
def test_a_password_is_never_repeated(name: str) -> None:
    with pytest.raises(ConfigError) as failure:
        merged(environ={name: "ftp://user:secret@host"})

    assert "secret" not in str(failure.value)


def test_variables_of_ours_that_are_not_settings_are_let_be() -> None:
    merged(environ={"FSNATS_PROGRAM": "x", "FSNATS_SUPERVISOR_PID": "1", "FSNATS_CONFIG": "f", "PATH": "/bin"})


def test_an_empty_variable_means_not_set() -> None:
    config = merged(environ={"FSNATS_GATEWAY_PORT": "", "FSNATS_NATS_URL": "", "FSNATS_LOG_LEVEL": "", "WS_PORT": ""})

    assert config.config == merged().config


def test_state_lies_below_the_home_directory() -> None:
    assert merged().config.state_dir == "/home/x/.local/state/fsnats"
