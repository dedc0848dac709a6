"""The configuration of one command: the usual sources, and `--set` on top of them."""

from collections.abc import Mapping

import typer

from fsnats.config import Config
from fsnats.settings import load
from fsnats.sources import Loaded


def loaded(context: typer.Context, options: Mapping[str, object] | None = None) -> Loaded:
    """What this command line configures, and from where.

    `options` are those of the command that stand for settings; those that are None were not given.  Raises
    ConfigError.
    """
    return load(context.obj, {name: str(value) for name, value in (options or {}).items() if value is not None})


def configured(context: typer.Context, options: Mapping[str, object] | None = None) -> Config:
    """What this command line configures.  Raises ConfigError."""
    return loaded(context, options).config
