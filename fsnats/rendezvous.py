"""Where the bus and the store are: as configured, or as the supervisor says whose state directory this is."""

import contextlib
from pathlib import Path

from fsnats.config import Config
from fsnats.errors import ConfigError

URL_FILE = "nats.url"  # in the state directory; written by the supervisor, removed when it stops
METRICS_FILE = "metrics.url"  # likewise, where its /metrics is
STORE_FILE = "store.url"  # likewise, by a supervisor whose data are simulated: they are kept apart from real ones


def nats_urls(config: Config) -> list[str]:
    """The NATS servers to use.  Raises ConfigError when none is configured and no embedded one runs here."""
    if config.nats_url:
        return [url.strip() for url in config.nats_url.split(",") if url.strip()]
    file = Path(config.state_dir) / URL_FILE
    try:
        return [file.read_text().strip()]
    except OSError:
        raise ConfigError(
            "FSNATS_NATS_URL",
            f"not set, and no supervisor with an embedded NATS server runs with the state directory {config.state_dir}",
        ) from None


def store_url(config: Config) -> str:
    """The store to use, for programs that somebody starts beside a fleet; empty for the default one."""
    if not config.nats_url:  # else the fleet is another one
        with contextlib.suppress(OSError):
            return (Path(config.state_dir) / STORE_FILE).read_text().strip()
    return config.store_url
