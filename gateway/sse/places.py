"""Where a reader of several streams is, as one short line: what browsers give back as `Last-Event-ID`.  Pure.

`<epoch>.<seq>` of each stream in their order, in base 36, separated by commas: a stream without a place has nothing,
and one with the epoch of the one before only its seq.
"""

from collections.abc import Sequence

Place = tuple[int, int]
"""Epoch and number within it, as in `fsnats.frames`."""

STREAMS_MOST = 200  # of one reader: with each message comes a line of about five bytes a stream
LINE_MOST = 8000  # bytes of a line that comes back: servers and proxies take no more of one header

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def written(places: Sequence[Place | None]) -> str:
    """The line that stands for these places."""
    parts = []
    before = -1
    for place in places:
        if place is None:
            parts.append("")
            continue
        epoch, seq = place
        parts.append(_base36(seq) if epoch == before else f"{_base36(epoch)}.{_base36(seq)}")
        before = epoch
    return ",".join(parts)


def read(line: str, count: int) -> list[Place | None] | None:
    """The places of so many streams; None for what was not written so."""
    parts = line.split(",") if len(line) <= LINE_MOST else []
    if len(parts) != count:
        return None
    places: list[Place | None] = []
    epoch = -1
    for part in parts:
        if not part:
            places.append(None)
            continue
        first, dot, second = part.rpartition(".")
        if not (second.isascii() and second.isalnum() and first.isascii() and (first.isalnum() or not dot)):
            return None
        epoch = int(first, 36) if dot else epoch
        if epoch < 0 or len(part) > 40:
            return None
        places.append((epoch, int(second, 36)))
    return places


def _base36(number: int) -> str:
    if number == 0:
        return "0"
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits
