"""The standard output of a command: whoever reads it may leave, what it is written to may be full, or there is none."""

import io
import os
import sys
from typing import TYPE_CHECKING

from fsnats.errors import OutputLost, ReaderGone

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STDOUT = 1


def prepare() -> None:
    """Make standard input, output and error something that can be used, and what goes wrong with the output known.

    Where one of them was closed (`>&-`) the next file or socket that is opened would get its number.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # Gets the number: it is the lowest one that is free.  For the programs that we start or become, too.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdin = sys.stdin or open(0)  # noqa: SIM115 - for as long as we live
    sys.stderr = sys.stderr or open(2, "w")  # noqa: SIM115
    if sys.stdout is None or (sys.stdout is sys.__stdout__ and _is_ours(sys.stdout)):
        old = sys.stdout
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(Output(_STDOUT, "wb", closefd=False)),
            encoding=old.encoding if old else None,
            line_buffering=os.isatty(_STDOUT),
        )
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show "✓" shows "?" instead of ending the command.
            stream.reconfigure(errors="replace")


def _is_ours(stream: object) -> bool:
    return isinstance(stream, io.TextIOWrapper) and stream.fileno() == _STDOUT


class Output(io.FileIO):
    """A file that says by its own errors when it takes nothing any more, once: what comes then goes nowhere."""

    _is_lost = False

    def write(self, data: "ReadableBuffer") -> int | None:  # type: ignore[override]
        """Raises ReaderGone, OutputLost."""
        if self._is_lost:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except (BrokenPipeError, ConnectionResetError) as error:  # a pipe, a socket
            self._is_lost = True
            raise ReaderGone("nobody reads the output any more") from error
        except OSError as error:
            self._is_lost = True
            raise OutputLost(f"the output cannot be written: {error.strerror}") from error
