"""Where a reader of several streams is, as one short line: what browsers give back as `Last-Event-ID`.  Pure.

`<epoch>.<seq>` of each stream in their order, in base 36, separated by commas: a stream without a place has nothing,
and one with the epoch of the one before only its seq.
"""

from collections.abc import Sequence
from functools import lru_cache

Place = tuple[int, int]
"""Epoch and number within it, as in `fsnats.frames`."""

STREAMS_MOST = 200  # of one reader: with each message comes a line of about five bytes a stream
LINE_MOST = 8000  # bytes of a line that comes back: servers and proxies take no more of one header

_BEYOND = 2**63  # what the native protocol takes for neither half of a place
_PART_MOST = 40  # characters; two of the longest numbers are 27
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Line:
    """The places of one reader, which change one at a time, as a line each time."""

    __slots__ = ("_parts", "_places")

    def __init__(self, places: Sequence[Place | None]) -> None:
        self._places = list(places)
        self._parts: list[str] = []
        self._write()

    def put(self, at: int, place: Place) -> None:
        """The reader is there now in the stream of this number."""
        before, self._places[at] = self._places[at], place
        if before is not None and before[0] == place[0]:  # but for restarts of workers
            head, dot, _ = self._parts[at].rpartition(".")
            self._parts[at] = head + dot + _base36(place[1])
        else:
            self._write()

    def __str__(self) -> str:
        return ",".join(self._parts)

    def _write(self) -> None:
        parts = []
        before = -1
        for place in self._places:
            if place is None:
                parts.append("")
                continue
            epoch, seq = place
            parts.append(_base36(seq) if epoch == before else f"{_base36(epoch)}.{_base36(seq)}")
            before = epoch
        self._parts = parts


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
        written = second.isascii() and second.isalnum() and first.isascii() and (first.isalnum() or not dot)
        if not written or len(part) > _PART_MOST:
            return None
        epoch = int(first, 36) if dot else epoch
        seq = int(second, 36)
        if not (0 <= epoch < _BEYOND and seq < _BEYOND):
            return None
        places.append((epoch, seq))
    return places


@lru_cache(maxsize=1024)  # readers of the same streams are at the same places
def _base36(number: int) -> str:
    if number == 0:
        return "0"
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits
