"""fsnats.example.toml: every setting, as it is."""

import re
import tomllib

import msgspec

from fsnats.cli.config import example
from fsnats.config import Config, description
from fsnats.sources import merge
from tests.deploy.conftest import DEPLOY

TEXT = (DEPLOY / "fsnats.example.toml").read_text()


def test_it_is_what_the_command_prints() -> None:
    assert example() == TEXT, "fsnats config --example > deploy/fsnats.example.toml"


def test_it_sets_nothing() -> None:
    assert tomllib.loads(TEXT) == {}


def test_uncommented_it_loads_and_is_the_defaults() -> None:
    settings = tomllib.loads(re.sub(r"(?m)^#(?=\w+ = )", "", TEXT))
    assert list(settings) == list(Config.__struct_fields__)
    loaded = merge(file=settings, dotenv={}, environ={}, flags={})
    # An empty state directory means the one below home.
    config = msgspec.structs.replace(loaded.config, state_dir="")
    assert msgspec.to_builtins(config) == msgspec.to_builtins(Config())


def test_every_meaning_stands_above_its_setting() -> None:
    for field in Config.__struct_fields__:
        assert f"# {description(field)}\n#{field} = " in TEXT
