"""`fsnats capture`: what streams bring, in files."""

import typer

from fsnats.cli.become import become
from fsnats.cli.settings import configured


def capture(context: typer.Context) -> None:
    """Write what streams bring to files, every byte.

    `fsnats capture --help` lists its options.
    """
    become("workers", ["capture", *context.args], configured(context))
