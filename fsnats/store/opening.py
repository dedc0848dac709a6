"""Open the store that a URL names."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from fsnats import catalogue
from fsnats.bus import Bus
from fsnats.config import Config
from fsnats.errors import UNREADABLE, BusUnavailable, ConfigError, StoreUnavailable
from fsnats.rendezvous import store_url
from fsnats.store import OpenedStore, Source, Store
from fsnats.store.address import PostgresAddress, SqliteAddress, read_url
from fsnats.store.migrations import SETTING
from fsnats.store.sqlite import SqliteStore
from fsnats.symbols import Listing

if TYPE_CHECKING:
    from fsnats.store.postgres import PostgresStore


async def open_served(config: Config, bus: Bus) -> Store:
    """The store for what is served on this bus: Binance's data and simulated data are kept apart.

    Raises StoreUnavailable, too, while nobody has said which of them it is; ConfigError for a store of the other.
    """
    source: Source = "simulated" if await _is_simulated(config, bus) else "binance"
    return await open_store(store_url(config), config.state_dir, source)


async def _is_simulated(config: Config, bus: Bus) -> bool:
    for market in config.markets:
        try:
            listing = await catalogue.read(bus, catalogue.LISTINGS, market)
            if listing is not None:
                return msgspec.json.decode(listing, type=Listing).simulated
        except BusUnavailable as error:
            raise StoreUnavailable(f"whether data is simulated is not known: {error}") from error
        except UNREADABLE:
            continue  # written by another version
    raise StoreUnavailable("whether data is simulated is not known yet: there is no list of symbols")


async def open_store(url: str, state_dir: str, source: Source | None = None) -> OpenedStore:
    """The store at `sqlite:///<path>` or `postgresql://…`, its tables made; by default a file in the state directory.

    `source` is whose data it is to hold, where that matters to who asks.

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
        if source is not None:
            await store.claim(source)
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
