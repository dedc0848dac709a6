"""What `fsnats status` shows of a connection to the exchange (docs/status.md).  Pure."""

from enum import StrEnum
from typing import Any

import msgspec


class State(StrEnum):
    """Where a strand is in its life."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSING = "closing"


class Record(msgspec.Struct):
    """What `fsnats status` shows of a strand and its connection.  Times are monotonic seconds."""

    id: str
    status: State
    exit: str | None
    streams: list[str]
    live: int
    joined: int
    message_count: int
    buffered: int
    dials: int
    rotations: int
    connected_since: float | None
    last_message: float | None
    last_error: str | None
    close_code: int | None
    first: int
    late_mean_ms: float
    late_max_ms: float

    def told(self, now: float) -> dict[str, Any]:
        """As the status has it, with ages instead of times."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        for field, age in AGES.items():
            since = fields.pop(field)
            fields[age] = None if since is None else round(now - since, 3)
        return fields


AGES = {"connected_since": "age", "last_message": "last_message_age"}
