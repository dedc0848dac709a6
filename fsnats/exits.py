"""The exit: the way by which this machine's connections to Binance leave."""

from fsnats.config import Config


def proxy_of(config: Config) -> str | None:
    """The proxy's URL, or None for a direct connection."""
    return None if config.proxy in ("", "direct") else config.proxy
