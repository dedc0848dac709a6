"""Every setting: its name, type, default, bounds and meaning in one place, and how the sources are merged.

Sources from weak to strong: built-in default, `fsnats.toml`, `.env`, environment, flags.  The field `gateway_port` is
`gateway_port` in the file, `FSNATS_GATEWAY_PORT` in the environment and `--set gateway_port=…` as a flag.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_network
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from fsnats import patterns, recording
from fsnats.binance.streams import MARKETS, Market
from fsnats.errors import ConfigError, StreamNameError, Unusable
from fsnats.exits import tables
from fsnats.exits.address import read_pool
from fsnats.notify import PROGRAM
from fsnats.process import SUPERVISOR_PID
from fsnats.store.address import read_url

PREFIX = "FSNATS_"
FILE = "FSNATS_CONFIG"  # names the file; not a setting of its own
# Variables of ours that are not settings.
INTERNAL = frozenset({FILE, PROGRAM, SUPERVISOR_PID})

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
    gateway_requests: Annotated[
        Annotated[float, Meta(gt=0)], Meta(description="requests a second that one connection may send")
    ] = 100.0
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


class Value(msgspec.Struct, frozen=True):
    """One setting as one source gives it: `name` is how the user spelled it, `source` where it was found."""

    text: str
    name: str
    source: str


class Loaded(msgspec.Struct, frozen=True):
    """A configuration and, per field that a source set, which one."""

    config: Config
    origins: dict[str, Value]


_HINTS = get_type_hints(Config, include_extras=True)


def description(field: str) -> str:
    """What a setting means, in a sentence."""
    return next(meta.description for meta in _HINTS[field].__metadata__ if isinstance(meta, Meta) and meta.description)


def as_text(value: object) -> str:
    """A setting's value as the environment spells it."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def merge(
    *,
    file: Mapping[str, Any],
    file_name: str = "fsnats.toml",
    dotenv: Mapping[str, str],
    environ: Mapping[str, str],
    flags: Mapping[str, str],
    home: str = "~",
) -> Loaded:
    """Merge the sources into one checked configuration.

    `flags` maps field names to texts.  `home` is the directory under which the default state directory lies.  Raises
    ConfigError naming the setting as its source spells it.
    """
    values: dict[str, Value] = {}
    file = dict(file)
    for name, text in tables.taken_from(file, file_name):
        values["proxy"] = Value(text, name, file_name)
    for key, raw in file.items():
        if key not in Config.__struct_fields__:
            raise ConfigError(f"{key} in {file_name}", "no such setting")
        text = ",".join(map(str, raw)) if isinstance(raw, list) else str(raw)
        values[key] = Value(text, f"{key} in {file_name}", file_name)
    for source, variables in ((".env", dotenv), ("environment", environ)):
        values |= _from_variables(variables, source)
    for field, text in flags.items():
        if field not in Config.__struct_fields__:
            raise ConfigError(field, "no such setting")
        values[field] = Value(text, f"--{field.replace('_', '-')}", "flag")
    fields: dict[str, Any] = {field: _convert(field, value) for field, value in values.items()}
    if not fields.get("state_dir"):
        fields["state_dir"] = str(PurePosixPath(home) / ".local" / "state" / "fsnats")
    config = Config(**fields)
    _check(config, lambda field: values[field].name if field in values else field)
    return Loaded(config, values)


def _from_variables(variables: Mapping[str, str], source: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, text in tables.in_variables(variables):
        found["proxy"] = Value(text, name, source)
    for name, (field, translate) in ALIASES.items():
        if variables.get(name):
            found[field] = Value(translate(variables[name]), name, source)
    for name, text in variables.items():
        if not name.startswith(PREFIX) or name in INTERNAL:
            continue
        field = name.removeprefix(PREFIX).lower()
        if field not in Config.__struct_fields__ or name != name.upper():
            raise ConfigError(name, "no such setting; `fsnats config` lists them all")
        if text == "":
            continue  # an empty variable in a unit or a compose file means "not set"
        found[field] = Value(text, name, source)
    return found


def _old_level(text: str) -> str:
    # The old server's logger (winston) knows these; what is finer than ours is debug.
    return {"warn": "warning", "http": "debug", "verbose": "debug", "silly": "debug"}.get(text.lower(), text.lower())


def _old_futures(text: str) -> str:
    return "usdm" if text.lower() in ("true", "1", "yes") else "spot"


# The names in the `.env` of the Node server that fsnats replaces.
ALIASES: dict[str, tuple[str, Callable[[str], str]]] = {
    "NATS_URL": ("nats_url", str),
    "WS_PORT": ("gateway_port", str),
    "SYMBOLS_PER_WORKER": ("symbols_per_worker", str),
    "LOG_LEVEL": ("log_level", _old_level),
    "USE_FUTURES": ("markets", _old_futures),
}

_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


def _convert(field: str, value: Value) -> Any:
    hint, text = _HINTS[field], value.text.strip()
    raw: object = text
    if any(isinstance(meta, Meta) and meta.extra == {"unit": "bytes"} for meta in _metadata(hint)):
        match = re.fullmatch(r"(\d+)\s*([KMG]?)(i?B)?", text, re.IGNORECASE)
        if match is None:
            raise ConfigError(value.name, f"'{text}' is not a size such as 512M or 1G")
        raw = int(match[1]) * _UNITS[match[2].upper()]
    elif get_origin(_bare(hint)) is tuple:
        raw = [part.strip() for part in text.split(",") if part.strip()]
    elif field == "log_level":
        raw = text.lower()
    try:
        return msgspec.convert(raw, hint, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(value.name, f"'{text}': {str(error)[:1].lower()}{str(error)[1:]}") from error


def _metadata(hint: Any) -> Iterable[object]:
    while get_origin(hint) is Annotated:
        yield from hint.__metadata__
        hint = hint.__origin__


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


_MOMENT = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:00)?")  # with seconds as TOML wants its times
_ROUTES = ("public", "market", "private", "ws", "stream")


def _check(config: Config, named: Callable[[str], str]) -> None:
    """What types cannot say.  `named` gives a field's name as its source spells it."""
    if len(set(config.markets)) < len(config.markets):
        raise ConfigError(named("markets"), "the same market twice")
    for market in Market:
        _check_url(config.ws_url(market), ("ws", "wss"), named(f"{market}_ws_url"))
        _check_url(config.rest_url(market), ("http", "https"), named(f"{market}_rest_url"))
        last = urlsplit(config.ws_url(market)).path.rstrip("/").rpartition("/")[2]
        if last in _ROUTES:
            raise ConfigError(
                named(f"{market}_ws_url"),
                f"a base URL is wanted, without '/{last}': fsnats adds routes and paths itself",
            )
    for url in filter(None, config.nats_url.split(",")):
        _check_url(url.strip(), ("nats", "tls"), named("nats_url"), secret=True)
    try:
        read_pool(config.proxy)
    except ValueError as error:
        raise ConfigError(named("proxy"), str(error)) from None
    try:
        read_url(config.store_url, config.state_dir)
    except ValueError as error:
        raise ConfigError(named("store_url"), str(error)) from None
    if config.gateway_tls_key and not config.gateway_tls_cert:
        raise ConfigError(named("gateway_tls_key"), "a key without a certificate; set gateway_tls_cert too")
    _check_networks(config.gateway_trusted_proxies, named("gateway_trusted_proxies"))
    for origin in config.gateway_origins:
        if not re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/?#]+/?", origin, re.IGNORECASE) and origin != "null":
            raise ConfigError(named("gateway_origins"), f"'{origin}' is not an origin such as https://example.com")
    if config.gateway_pong_within <= config.gateway_ping_every:
        reason = "must be longer than gateway_ping_every, or clients are closed before they are asked"
        raise ConfigError(named("gateway_pong_within"), reason)
    for moment in config.rotate_at:
        if not _MOMENT.fullmatch(moment):
            raise ConfigError(named("rotate_at"), f"'{moment}' is not a time of day such as 04:17")
    for entry in config.always:
        prefix, colon, pattern = entry.partition(":")
        if not colon or prefix not in MARKETS:
            raise ConfigError(named("always"), f"'{entry}' is not <market>:<stream or pattern>")
        try:
            patterns.check(Market(prefix), pattern)
        except StreamNameError as error:
            raise ConfigError(named("always"), f"'{entry}': {error.reason}") from error
    for entry in config.record:
        try:
            market = recording.read(entry).market
        except Unusable as error:
            raise ConfigError(named("record"), f"'{entry}': {error}") from error
        if not config.replay_seconds:
            raise ConfigError(named("record"), "recording reads the replay window, and replay_seconds is 0")
        if market not in config.markets:
            raise ConfigError(named("record"), f"'{entry}': {market} is not carried; the setting markets names what is")
    for making in config.record_made:
        try:
            recording.read_making(making)
        except Unusable as error:
            raise ConfigError(named("record_made"), f"'{making}': {error}") from error


def _check_networks(networks: Iterable[str], name: str) -> None:
    for network in networks:
        try:
            ip_network(network, strict=False)
        except ValueError:
            raise ConfigError(name, f"'{network}' is neither an address nor a network such as 10.0.0.0/8") from None


def _check_url(url: str, schemes: tuple[str, ...], name: str, *, secret: bool = False) -> None:
    # A proxy's URL may hold a password: it is never repeated in an error.
    shown = "the URL" if secret else f"'{url}'"
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        raise ConfigError(name, f"{shown} is not a URL") from None
    if parts.scheme not in schemes:
        raise ConfigError(name, f"{shown} does not begin with {' or '.join(scheme + '://' for scheme in schemes)}")
    if not parts.hostname or not port_is_valid or parts.query or parts.fragment:
        raise ConfigError(name, f"{shown} is not a base URL (scheme, host, optional port and path)")
