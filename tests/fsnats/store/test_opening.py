"""A store from its URL."""

from pathlib import Path

import pytest

from fsnats.errors import ConfigError
from fsnats.store.opening import open_store


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
