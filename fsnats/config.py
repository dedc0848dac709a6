"""Every setting: its name, type, default, bounds and meaning in one place.

Where their values come from is `fsnats.sources`; what no type can say of them is `fsnats.validation`.
"""

from typing import Annotated, Literal, get_type_hints

import msgspec
from msgspec import Meta

from fsnats.binance.streams import Market

PREFIX = "FSNATS_"  # of a setting's name in the environment

Port = Annotated[int, Meta(ge=0, le=65535)]
Bytes = Annotated[int, Meta(ge=1, extra={"unit": "bytes"})]
Count = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(gt=0)]
Level = Literal["debug", "info", "warning", "error"]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of all processes, checked."""

    nats_url: Annotated[
        str,
        Meta(description="NATS servers, comma-separated nats:// or tls:// URLs; empty: an embedded server is started"),
    ] = ""
    nats_port: Annotated[
        Port, Meta(description="port of the embedded NATS server on 127.0.0.1; 0 takes a free one")
    ] = 4222
    nats_server: Annotated[
        str,
        Meta(description="nats-server program of the embedded server; empty: the one on PATH, else the bundled one"),
    ] = ""
    markets: Annotated[
        tuple[Market, ...], Meta(min_length=1, description="markets to carry; the first is the default one")
    ] = (Market.SPOT, Market.USDM)
    spot_ws_url: Annotated[str, Meta(description="spot streams: base URL, without /ws or /stream")] = (
        "wss://stream.binance.com:443"
    )
    usdm_ws_url: Annotated[str, Meta(description="USD-M streams: base URL, without a route")] = (
        "wss://fstream.binance.com"
    )
    coinm_ws_url: Annotated[str, Meta(description="COIN-M streams: base URL")] = "wss://dstream.binance.com"
    spot_rest_url: Annotated[str, Meta(description="spot REST: base URL, without /api")] = "https://api.binance.com"
    usdm_rest_url: Annotated[str, Meta(description="USD-M REST: base URL, without /fapi")] = "https://fapi.binance.com"
    coinm_rest_url: Annotated[str, Meta(description="COIN-M REST: base URL, without /dapi")] = (
        "https://dapi.binance.com"
    )
    symbols: Annotated[tuple[str, ...], Meta(description="limit to these symbols; empty: every tradable one")] = ()
    symbols_per_worker: Annotated[
        Annotated[int, Meta(ge=1, le=1000)], Meta(description="symbols that one worker process owns")
    ] = 100
    always: Annotated[
        tuple[str, ...], Meta(description="streams kept whether or not a client listens, e.g. usdm:*@kline_1m")
    ] = ()
    linger: Annotated[
        Annotated[float, Meta(ge=0)], Meta(description="seconds that a stream nobody wants any more is kept upstream")
    ] = 30.0
    rotate_after: Annotated[
        Annotated[float, Meta(gt=0)],
        Meta(
            description="seconds after which a connection to the exchange is replaced, less up to a tenth; "
            "it lives 24 h"
        ),
    ] = 23 * 3600.0
    rotate_at: Annotated[
        tuple[str, ...],
        Meta(
            description="times of day (UTC, e.g. 04:17) at which connections are replaced as well, within two minutes"
        ),
    ] = ()
    redundancy: Annotated[
        Annotated[int, Meta(ge=1, le=4)],
        Meta(
            description="connections that carry each stream, by different exits where there are several; "
            "the first one to bring a message wins"
        ),
    ] = 1
    proxy: Annotated[
        str,
        Meta(
            description="exits to Binance, comma-separated: direct, socks5://, socks5h://, http:// or https:// "
            "[user:password@]host:port, or env (HTTPS_PROXY, ALL_PROXY, NO_PROXY)"
        ),
    ] = "direct"
    ca_file: Annotated[
        str, Meta(description="PEM file with certificates of a private authority, trusted beside the system's")
    ] = ""
    catalogue_refresh: Annotated[
        Annotated[float, Meta(ge=1)], Meta(description="seconds between two looks at the exchange's list of symbols")
    ] = 300.0
    replay_seconds: Annotated[
        Annotated[float, Meta(ge=0, le=3600)],
        Meta(description="seconds of every stream that NATS keeps, for filling what was lost on the way; 0: none"),
    ] = 120.0
    replay_mb: Annotated[
        Annotated[int, Meta(ge=1)],
        Meta(description="megabytes of NATS' memory that all markets' kept streams may take together"),
    ] = 256
    record: Annotated[
        tuple[str, ...],
        Meta(
            description="what a recorder keeps in the store, e.g. usdm:*@continuousKline_1m,usdm:*@aggTrade; "
            "raw:usdm:*@depth keeps frames as they came; empty: no recorder"
        ),
    ] = ()
    record_made: Annotated[
        tuple[str, ...],
        Meta(
            description="candles that a recorder makes of those that it records, e.g. 5m,1h,1d,1M; "
            "trades:1s is made of recorded aggTrades"
        ),
    ] = ()
    worker_memory_max: Annotated[
        Bytes, Meta(description="a worker above this resident size is replaced; suffixes K, M, G")
    ] = 1024**3
    gateway_host: Annotated[str, Meta(description="address that the gateway listens on")] = "0.0.0.0"
    gateway_port: Annotated[Port, Meta(description="port that the gateway listens on; 0 takes a free one")] = 8080
    gateway_processes: Annotated[
        Annotated[int, Meta(ge=1, le=64)], Meta(description="gateway processes that share the port")
    ] = 1
    gateway_graceful: Annotated[
        Annotated[float, Meta(ge=0, le=600)],
        Meta(description="seconds over which a gateway that is stopped spreads the departure of its clients"),
    ] = 0.0
    gateway_deflate: Annotated[
        bool, Meta(description="compress data for clients that ask for permessage-deflate: true or false")
    ] = True
    gateway_tls_cert: Annotated[
        str,
        Meta(description="PEM file of the gateway's certificate chain, for wss:// and https://; empty: no TLS"),
    ] = ""
    gateway_tls_key: Annotated[
        str, Meta(description="PEM file of the certificate's key; empty: it is in the certificate's file")
    ] = ""
    gateway_streams: Annotated[
        Annotated[int, Meta(ge=1)],
        Meta(description="streams that one connection may listen to; in Binance's dialect 1024 at most"),
    ] = 20_000  # all symbols of all markets in a few variants
    gateway_outbox: Annotated[
        Bytes,
        Meta(description="events and replies that may wait for one client that does not read; suffixes K, M, G"),
    ] = 1024**2
    gateway_gather: Annotated[
        Annotated[float, Meta(ge=0, le=1)],
        Meta(description="most seconds that messages wait under load, so that several go in one write; 0: never"),
    ] = 0.01
    gateway_tokens_file: Annotated[
        str, Meta(description="TOML file of access tokens, read again when it changes; empty: everybody may read")
    ] = ""
    gateway_connections: Annotated[
        Count, Meta(description="WebSocket connections that one gateway process takes; 0: as many as files may be open")
    ] = 0
    gateway_connections_per_address: Annotated[
        Count, Meta(description="WebSocket connections of one client address on one gateway process; 0: any number")
    ] = 0
    gateway_trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(description="addresses and networks (CIDR) of proxies whose X-Forwarded-For is believed"),
    ] = ()
    gateway_origins: Annotated[
        tuple[str, ...],
        Meta(description="origins (https://host) whose pages browsers may let connect; empty: all"),
    ] = ()
    gateway_message: Annotated[Bytes, Meta(description="longest message that a client may send; suffixes K, M, G")] = (
        64 * 1024
    )
    gateway_handshake_timeout: Annotated[
        Seconds,
        Meta(description="seconds in which a client must have sent its handshake (TLS and HTTP each)"),
    ] = 10.0
    gateway_idle_timeout: Annotated[
        Seconds, Meta(description="seconds that an HTTP connection is kept between two requests")
    ] = 5.0
    gateway_ping_every: Annotated[Seconds, Meta(description="seconds between two pings to a client")] = 20.0
    gateway_pong_within: Annotated[
        Seconds, Meta(description="seconds without a sign of life after which a client is closed")
    ] = 60.0
    gateway_logs: Annotated[
        Literal["local", "all", "off"],
        Meta(
            description="who may read /api/logs/today: local (programs of this machine), all or off; "
            "where tokens are asked for, unless it is off: those with logs = true"
        ),
    ] = "local"
    gateway_requests: Annotated[
        Annotated[float, Meta(gt=0)], Meta(description="requests a second that one connection may send")
    ] = 100.0
    metrics_host: Annotated[str, Meta(description="address that the supervisor's /metrics listens on")] = "127.0.0.1"
    metrics_port: Annotated[
        Port,
        Meta(
            description="port of the supervisor's /metrics, /healthz and /readyz; 0: none; "
            "where another program has it, a free one is taken, and the log says which"
        ),
    ] = 9190
    capture_rotate_size: Annotated[
        Bytes, Meta(description="size at which `fsnats capture` begins the next file; suffixes K, M, G")
    ] = 256 * 1024**2
    capture_rotate_every: Annotated[
        Seconds, Meta(description="seconds after which `fsnats capture` begins the next file")
    ] = 3600.0
    capture_flush: Annotated[
        Seconds, Meta(description="seconds between two writes of a capture: what a kill -9 may cost")
    ] = 1.0
    capture_buffer: Annotated[
        Bytes,
        Meta(description="bytes that a capture holds while the disk is full; suffixes K, M, G"),
    ] = 64 * 1024**2
    log_level: Annotated[Level, Meta(description="least important log lines to show")] = "info"
    log_repeats: Annotated[
        Count, Meta(description="log lines of one event and subject a minute; more are counted and told in one; 0: all")
    ] = 10
    log_files: Annotated[bool, Meta(description="write log files into state_dir/logs, too: true or false")] = True
    log_file_size: Annotated[
        Bytes, Meta(description="size at which a program begins its next log file; suffixes K, M, G")
    ] = 8 * 1024**2
    log_day_size: Annotated[
        Bytes, Meta(description="size of one program's log files of a day; the oldest are removed; suffixes K, M, G")
    ] = 32 * 1024**2
    log_days: Annotated[Annotated[int, Meta(ge=1, le=3650)], Meta(description="days for which log files are kept")] = 7
    store_url: Annotated[
        str,
        Meta(
            description="database of what is recorded: sqlite:///<absolute path> or "
            "postgresql://user:password@host/database; empty: fsnats.sqlite3 in state_dir"
        ),
    ] = ""
    state_dir: Annotated[str, Meta(description="directory for this machine's state; empty: ~/.local/state/fsnats")] = ""

    def ws_url(self, market: Market) -> str:
        """The base URL of a market's streams, without a trailing slash."""
        return str(getattr(self, f"{market}_ws_url"))

    def rest_url(self, market: Market) -> str:
        """The base URL of a market's REST, without a trailing slash."""
        return str(getattr(self, f"{market}_rest_url"))

    def environ(self) -> dict[str, str]:
        """This configuration as the environment of a child process: whatever differs from the defaults."""
        defaults = Config()
        return {
            PREFIX + name.upper(): as_text(getattr(self, name))
            for name in Config.__struct_fields__
            if getattr(self, name) != getattr(defaults, name)
        }


# By setting: its type, with bounds, unit and meaning.
HINTS = get_type_hints(Config, include_extras=True)


def description(field: str) -> str:
    """What a setting means, in a sentence."""
    return next(meta.description for meta in HINTS[field].__metadata__ if isinstance(meta, Meta) and meta.description)


def as_text(value: object) -> str:
    """A setting's value as the environment spells it."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
