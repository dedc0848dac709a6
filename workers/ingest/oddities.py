"""What came in that should not have: counted by kind, and the first of each kind logged with a sample."""

import logging
from enum import StrEnum

import msgspec

logger = logging.getLogger(__name__)

LARGE_BYTES = (
    1_000_000  # the largest message of 2026, an all-market array, is about 200 kB; NATS takes no more than 1 MB
)
_SAMPLE_BYTES = 200  # how much of it is logged


class Kind(StrEnum):
    """Why something is odd."""

    BROKEN = "broken"  # no JSON
    HTML = "html"  # a page instead of JSON
    BINARY = "binary"  # not even text
    LARGE = "large"  # a megabyte and more that nobody asked for
    SHAPE = "shape"  # JSON, but not as the exchange's messages are
    STREAM = "stream"  # of a stream that nobody here ever asked for
    EVENT = "event"  # a type of event that is not documented; it passes
    FUTURE = "future"  # of an event time that has not come yet; it passes


_SAYS = {
    Kind.BROKEN: "a message is not JSON",
    Kind.HTML: "a message is HTML",
    Kind.BINARY: "a message is not text",
    Kind.LARGE: "a message is far too large",
    Kind.SHAPE: "a message has an unknown shape",
    Kind.STREAM: "a message is of a stream that nobody asked for",
    Kind.EVENT: "an event has an unknown type",
    Kind.FUTURE: "an event is from the future: is this machine's clock right?",
}


def kind_of(data: bytes, error: Exception) -> Kind:
    """The kind of a message that could not be read, and why not."""
    if len(data) >= LARGE_BYTES:
        return Kind.LARGE
    try:
        data.decode()
    except UnicodeDecodeError:
        return Kind.BINARY
    if data.lstrip()[:1] == b"<":
        return Kind.HTML
    return Kind.SHAPE if isinstance(error, msgspec.ValidationError) else Kind.BROKEN


class Oddities:
    """The counts of one worker."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def note(self, kind: Kind, data: bytes, error: Exception | None = None) -> None:
        """Count one."""
        self.counts[kind] = count = self.counts.get(kind, 0) + 1
        if count == 1:
            sample = data[:_SAMPLE_BYTES].decode(errors="backslashreplace")
            extra: dict[str, object] = {"kind": str(kind), "bytes": len(data), "sample": sample}
            if error is not None:
                extra["error"] = str(error)
            logger.warning(_SAYS[kind], extra={"event": "message.odd", **extra})
