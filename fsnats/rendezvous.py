"""Where the bus is: the configured servers, or the embedded one, whose address lies in the state directory."""

from pathlib import Path

from fsnats.config import Config
from fsnats.errors import ConfigError

URL_FILE = "nats.url"  # in the state directory; written by the supervisor, removed when it stops


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
