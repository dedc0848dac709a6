"""Whether text gets colours."""

from collections.abc import Mapping
from typing import TextIO

_WITHOUT = frozenset({"dumb", "unknown"})  # kinds of terminals that show a colour's code instead


def are_shown(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether what is written there is on a terminal that has colours, and of somebody who wants them."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") not in _WITHOUT  # no-color.org
