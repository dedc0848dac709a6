"""How far something that takes long has come: a bar on a terminal, a line every now and then elsewhere."""

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

EVERY = 10.0  # seconds between two lines


class Progress:
    """Counts rows of `total`.  Use as a context manager; `advance` at each step, `look` every second or so."""

    def __init__(
        self, total: int, waiting: Callable[[], float], monotonic: Callable[[], float], what: str = "done"
    ) -> None:
        """`waiting` says for how many seconds nobody may ask the exchange, `what` what becomes of the rows."""
        self._total = total
        self._done = 0
        self._what = what
        self._waiting = waiting
        self._monotonic = monotonic
        self._told = monotonic()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> "Progress":
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bar = Progress(
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.description}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("", total=self._total)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, rows: int) -> None:
        """So many more are done."""
        self._done += rows
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, rows)

    def look(self) -> None:
        """Show where it stands, if it is time to."""
        wait = self._waiting()
        why = f"waits {wait:.0f} s for the exchange's weight" if wait >= 1 else ""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=why or self._what)
        elif self._monotonic() - self._told >= EVERY:
            self._told = self._monotonic()
            typer.echo(
                f"fsnats: {self._done:,} of {self._total:,} {self._what}" + (f"; {why}" if why else ""), err=True
            )
