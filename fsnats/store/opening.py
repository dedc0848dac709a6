"""Open the store that a URL names."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from fsnats.errors import ConfigError
from fsnats.store import Store
from fsnats.store.address import PostgresAddress, SqliteAddress, read_url
from fsnats.store.migrations import SETTING
from fsnats.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from fsnats.store.postgres import PostgresStore


async def open_store(url: str, state_dir: str) -> Store:
    """The store at `sqlite:///<path>` or `postgresql://…`, its tables made; by default a file in the state directory.

    Raises ConfigError for what waiting cannot heal (naming the setting, without a password), StoreUnavailable for a
    database that cannot be reached now: ask again.
    """
    try:
        address = read_url(url, state_dir)
    except ValueError as error:
        raise ConfigError(SETTING, str(error)) from None
    if not url:
        await asyncio.to_thread(_make, Path(state_dir))
    store = SqliteStore(address) if isinstance(address, SqliteAddress) else _postgres(address)
    try:
        await store.open()
    except BaseException:
        await store.close()
        raise
    return store


def _postgres(address: PostgresAddress) -> "PostgresStore":
    from fsnats.store.postgres import PostgresStore  # only here: its library takes a while to load

    return PostgresStore(address)


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError("FSNATS_STATE_DIR", f"'{directory}' cannot be made: {error.strerror}") from error
