import re

import pytest

from fsnats.config import Config
from fsnats.errors import ConfigError
from fsnats.sources import merge


def merged(environ: dict[str, str]) -> Config:
    return merge(file={}, dotenv={}, environ=environ, flags={}, home="/home/x").config


def test_a_key_without_a_certificate_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^FSNATS_GATEWAY_TLS_KEY: a key without a certificate"):
        merged({"FSNATS_GATEWAY_TLS_KEY": "/k"})


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("usdm:*@depth", "'usdm:*@depth': only aggTrade, continuousKline, kline become rows"),
        ("coinm:*@aggTrade", "'coinm:*@aggTrade': coinm is not carried"),
    ],
)
def test_what_cannot_be_recorded_is_refused(value: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"^FSNATS_RECORD: {re.escape(says)}"):
        merged({"FSNATS_RECORD": value})
    with pytest.raises(ConfigError, match=r"^FSNATS_RECORD: recording reads the replay window"):
        merged({"FSNATS_RECORD": "spot:*@aggTrade", "FSNATS_REPLAY_SECONDS": "0"})
    with pytest.raises(ConfigError, match=r"^FSNATS_RECORD_MADE: '7m': unknown interval"):
        merged({"FSNATS_RECORD_MADE": "1h,7m"})


@pytest.mark.parametrize(
    ("record", "made", "refused"),
    [
        ("spot:*@kline_1m", "1m,5m,1d,1w,1M", ""),
        ("usdm:*@continuousKline_1h,spot:btcusdt@aggTrade", "1d,trades:1s", ""),
        ("", "1s,trades:1s", ""),  # what `fsnats record` is given counts
        ("spot:*@kline_1m", "1h,1s", "'1s' is made of candles that are shorter, and none are recorded"),
        ("spot:*@kline_1h", "30m", "'30m' is made of candles"),
        ("spot:*@aggTrade,raw:spot:*@kline_1m", "5m", "'5m' is made of candles"),
        ("spot:*@kline_1m", "trades:1s", "'trades:1s' is made of aggregated trades"),
        ("coinm:*@aggTrade", "trades:1s", "'trades:1s' is made of aggregated trades (of spot or usdm)"),
    ],
)
def test_candles_that_nothing_is_recorded_for_are_refused(record: str, made: str, refused: str) -> None:
    environ = {"FSNATS_RECORD": record, "FSNATS_RECORD_MADE": made, "FSNATS_MARKETS": "spot,usdm,coinm"}
    if not refused:
        assert merged(environ).record_made == tuple(made.split(","))
        return
    with pytest.raises(ConfigError, match=f"^FSNATS_RECORD_MADE: {re.escape(refused)}"):
        merged(environ)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("TRUSTED_PROXIES", "10.0.0.0/8,loopback", "'loopback' is neither an address nor a network"),
        ("ORIGINS", "https://a.example,b.example", "'b.example' is not an origin such as https://example.com"),
        ("ORIGINS", "https://a.example/page", "is not an origin"),
        ("PONG_WITHIN", "20", "must be longer than gateway_ping_every"),
    ],
)
def test_limits_of_a_gateway_that_make_no_sense_are_refused(name: str, value: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"^FSNATS_GATEWAY_{name}: .*{re.escape(says)}"):
        merged({f"FSNATS_GATEWAY_{name}": value})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("FSNATS_MARKETS", "spot,spot", "twice"),
        ("FSNATS_USDM_WS_URL", "wss://fstream.binance.com/market", "without '/market'"),
        ("FSNATS_USDM_WS_URL", "wss://fstream.binance.com/public/", "without '/public'"),
        ("FSNATS_SPOT_WS_URL", "wss://stream.binance.com:9443/ws", "without '/ws'"),
        ("FSNATS_USDM_WS_URL", "wss://fstream.binance.com/stream", "without '/stream'"),
        ("FSNATS_SPOT_WS_URL", "wss://stream.binance.com/?timeUnit=MICROSECOND", "not a base URL"),
        ("FSNATS_SPOT_WS_URL", "https://stream.binance.com", "ws:// or wss://"),
        ("FSNATS_SPOT_REST_URL", "api.binance.com", "http:// or https://"),
        ("FSNATS_SPOT_REST_URL", "https://api.binance.com:99999", "not a URL"),
        ("FSNATS_NATS_URL", "http://n", "nats:// or tls://"),
        ("FSNATS_PROXY", "ftp://p:1", "socks5://"),
        ("FSNATS_ROTATE_AT", "04:17,4:18", "'4:18' is not a time of day"),
        ("FSNATS_ROTATE_AT", "24:00", "'24:00' is not a time of day"),
        ("FSNATS_ALWAYS", "btcusdt@trade", "not <market>:<stream"),
        ("FSNATS_ALWAYS", "usdm:*@kline_7m", "unknown interval '7m'"),
    ],
)
def test_what_is_no_url_time_or_stream_is_refused_by_the_name_that_the_user_wrote(
    name: str, value: str, says: str
) -> None:
    with pytest.raises(ConfigError) as failure:
        merged({name: value})

    assert failure.value.setting == name
    assert says in failure.value.reason
    assert "\n" not in str(failure.value)
