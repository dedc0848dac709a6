"""What a stream yields: messages, and gaps where messages are missing.  Pure."""

from collections.abc import Callable
from typing import Any

import msgspec

from fsnats.binance.streams import Market, parse
from fsnats.normalised import values


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One message of a stream.

    `payload` is the JSON that Binance sent, byte for byte.  `epoch` and `seq` are its place in the stream, by which it
    can be resumed; 0 for what lies outside of the count.  `received_ms` is when it was received, in milliseconds since
    1970: by fsnats where that is told (of snapshots), else by this program; 0 for what came late, or is history.
    """

    market: Market
    stream: str
    payload: bytes
    epoch: int = 0
    seq: int = 0
    received_ms: int = 0
    is_snapshot: bool = False  # the newest value of a state, from before the subscription
    is_recovered: bool = False  # came late, and may be older than what came before it
    is_history: bool = False

    @property
    def data(self) -> Any:
        """The payload as Python's objects, Binance's names and strings; taken apart anew each time."""
        return msgspec.json.decode(self.payload)

    def normalised(self, number: Callable[[str], Any] = float) -> dict[str, Any] | list[dict[str, Any]]:
        """The payload with readable names and numbers (`fsnats.normalised`); `number` makes them: float, Decimal, str.

        `timestamp` is None where neither the payload nor `received_ms` tells it.  A list for streams of arrays.  Raises
        Unusable for streams that have no such form.
        """
        found = values(parse(self.market, self.stream), self.payload, self.received_ms, number)
        return found if self.payload.lstrip()[:1] == b"[" else found[0]


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of a stream are missing here.

    `first` and `last` are of what is missing, in `unit`: `a` and `t` (ids of trades), `u` (of a book), `ms` (times);
    both are 0 and the unit is empty where nobody knows.  With `resync`, whoever keeps a book begins anew.
    """

    market: Market
    stream: str
    reason: str
    first: int = 0
    last: int = 0
    unit: str = ""
    missed: int | None = None
    resync: bool = False
