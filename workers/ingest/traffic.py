"""What a worker counts of its connections since it started: they come and go, and take their own counts with them."""

import msgspec


class Traffic(msgspec.Struct):
    """Of all connections of one worker."""

    read_bytes: int = 0  # by those that are closed
    dials: dict[str, int] = msgspec.field(default_factory=dict)  # by outcome: `ok`, or the stage that failed
    lost: dict[str, int] = msgspec.field(default_factory=dict)  # by close code; 1006: cut
    rotations: int = 0
    controls: dict[str, int] = msgspec.field(default_factory=dict)  # sent: `subscribe`, `unsubscribe`, `list`
    refused: int = 0  # of these, by the exchange


def count(counts: dict[str, int], what: str) -> None:
    """One more."""
    counts[what] = counts.get(what, 0) + 1
