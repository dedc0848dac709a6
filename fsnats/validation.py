"""What types cannot say of settings: whether URLs, names and times of day are some, and what fits together.  Pure."""

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_network
from urllib.parse import urlsplit

from fsnats import patterns, recording
from fsnats.binance.streams import MARKETS, Market
from fsnats.config import Config
from fsnats.errors import ConfigError, StreamNameError, Unusable
from fsnats.exits.address import read_pool
from fsnats.store.address import read_url

_MOMENT = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:00)?")  # with seconds as TOML wants its times
_ROUTES = ("public", "market", "private", "ws", "stream")


def check(config: Config, named: Callable[[str], str]) -> None:
    """Raise ConfigError for the first setting that cannot be used.  `named` gives its name as its source spells it."""
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
    if config.log_day_size < config.log_file_size:
        raise ConfigError(named("log_day_size"), "must not be less than log_file_size")
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
            made = recording.read_making(making)
        except Unusable as error:
            raise ConfigError(named("record_made"), f"'{making}': {error}") from error
        if config.record and not recording.has_parts(made, map(recording.read, config.record)):
            of = "aggregated trades (of spot or usdm)" if made.of_trades else "candles that are shorter"
            raise ConfigError(named("record_made"), f"'{making}' is made of {of}, and none are recorded")


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
