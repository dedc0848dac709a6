"""A store from its URL."""

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from fsnats.binance.streams import Market
from fsnats.bus.memory import MemoryBus
from fsnats.catalogue import LISTINGS, key_subject
from fsnats.config import Config
from fsnats.errors import ConfigError, StoreUnavailable
from fsnats.store.opening import open_served, open_store
from fsnats.symbols import Listing


async def test_by_default_the_store_is_a_file_in_the_state_directory_which_is_made(tmp_path: Path) -> None:
    await (await open_store("", str(tmp_path / "a" / "b"))).close()
    assert (tmp_path / "a" / "b" / "fsnats.sqlite3").is_file()


async def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"FSNATS_STATE_DIR: '.*/file/state'"):
        await open_store("", str(tmp_path / "file" / "state"))


async def test_an_address_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigError, match=r"^FSNATS_STORE_URL: the URL begins") as caught:
        await open_store("mysql://me:s3cret@db/x", "/")
    assert "s3cret" not in str(caught.value)


def listed(market: Market, *, simulated: bool) -> MemoryBus:
    """A bus on which a market is listed."""
    bus = MemoryBus()
    listing = msgspec.json.encode(Listing(market, 0, simulated, []))
    subject = f"$JS.API.DIRECT.GET.KV_{LISTINGS}.{key_subject(LISTINGS, market)}"

    def answer(_subject: str, reply: str, _payload: bytes) -> None:
        bus.publish(reply, listing)

    bus.subscribe(subject, answer)
    return bus


async def test_simulated_data_never_goes_where_binances_is_nor_the_other_way_round(store_url: str) -> None:
    config = Config(markets=(Market.SPOT,), store_url=store_url)
    for _ in range(2):
        await (await open_served(config, listed(Market.SPOT, simulated=False))).close()
    with pytest.raises(ConfigError, match=r"holds Binance's own data, and what is served now is simulated data"):
        await open_served(config, listed(Market.SPOT, simulated=True))


async def test_while_nobody_says_whose_data_it_is_there_is_no_store(tmp_path: Path) -> None:
    config = Config(markets=(Market.SPOT,), state_dir=str(tmp_path))
    with pytest.raises(StoreUnavailable, match="whether data is simulated is not known"):
        await open_served(config, MemoryBus())
    assert not await asyncio.to_thread(os.listdir, tmp_path)
