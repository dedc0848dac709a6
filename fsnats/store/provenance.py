"""Whose data a store keeps.  Pure."""

from fsnats.errors import ConfigError
from fsnats.store import Source
from fsnats.store.migrations import SETTING

_WORDS = {"binance": "Binance's own data", "simulated": "simulated data"}


def require(wanted: Source, kept: str, name: str) -> None:
    """Refuse to mix.  `name` is the store's, as it may be shown.  Raises ConfigError."""
    if kept != wanted:
        reason = f"{name} holds {_WORDS.get(kept, kept)}, and what is served now is {_WORDS[wanted]}"
        raise ConfigError(SETTING, f"{reason}: name another store")
