"""The notice of a gap: what workers put into frames flagged GAP, and gateways tell to clients.  Pure."""

import msgspec

from fsnats.binance.streams import Stream

# Streams of changes to a book: without one of them, the book that a reader keeps is not the exchange's any more.
_CHANGES = frozenset({"depth", "rpiDepth"})

_encode = msgspec.json.Encoder().encode


def gap(stream: Stream, first: int, last: int, unit: str, reason: str, missed: int | None = None) -> bytes:
    """Messages of `stream` are missing: from `first` to `last`, which are `a`, `t` or `u` ids, or times in `ms`.

    `missed` is how many, where that is known.  For a reader that keeps a book, `resync` says that it has to begin again
    with a fresh snapshot.
    """
    notice: dict[str, object] = {
        "e": "gap",
        "stream": stream.name,
        "from": first,
        "to": last,
        "unit": unit,
        "reason": reason,
    }
    if missed is not None:
        notice["missed"] = missed
    if breaks_books(stream):
        notice["resync"] = True
    return _encode(notice)


def breaks_books(stream: Stream) -> bool:
    """Whether a reader that keeps a book of this stream has to begin again when one of its messages is missing."""
    return stream.kind in _CHANGES
