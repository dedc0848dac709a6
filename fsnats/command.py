"""Run a typer command line as a function: arguments in, exit status out, errors as one sentence."""

import sys
from typing import Any

import typer

from fsnats import log
from fsnats.errors import EXIT_USAGE, FsnatsError, ReaderGone, exit_status

_TYPER_USAGE = 2  # what typer exits with after it has explained a wrong argument


def run_command(app: typer.Typer, arguments: list[str] | None, name: str | None = None) -> int:
    """Run `app` and return its exit status: 64 for wrong usage, 78 for a setting that cannot be used."""
    command: Any = typer.main.get_command(app)
    try:
        command(args=arguments, prog_name=name)
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else 0
        return EXIT_USAGE if status == _TYPER_USAGE else status
    except FsnatsError as error:
        if not isinstance(error, ReaderGone):
            sys.stderr.write(f"fsnats: {log.redacted(str(error))}\n")
        return exit_status([error])
    return 0
