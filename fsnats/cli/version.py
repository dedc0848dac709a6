"""`fsnats version`."""

import platform

import typer

from fsnats import __version__


def version() -> None:
    """Print the version."""
    typer.echo(f"fsnats {__version__} (Python {platform.python_version()}, {platform.system()} {platform.machine()})")
