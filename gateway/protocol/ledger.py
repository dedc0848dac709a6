"""Which streams one session listens to.  Subscriptions overlap; only the first and the last of a stream matter."""

from collections.abc import Iterator

from fsnats.binance.streams import Stream
from gateway.effects import Effect, Form, Leave, Listen


class Ledger:
    """Counts how many subscriptions of a session want each (stream, form)."""

    def __init__(self) -> None:
        self._wanted: dict[tuple[Stream, Form], int] = {}

    def __len__(self) -> int:
        return len(self._wanted)

    def __contains__(self, entry: tuple[Stream, Form]) -> bool:
        return entry in self._wanted

    def __iter__(self) -> Iterator[tuple[Stream, Form]]:
        return iter(self._wanted)

    def add(self, stream: Stream, form: Form) -> list[Effect]:
        """Count one more; the effect is a Listen when it is the first."""
        count = self._wanted.get((stream, form), 0)
        self._wanted[stream, form] = count + 1
        return [] if count else [Listen(stream, form)]

    def remove(self, stream: Stream, form: Form) -> list[Effect]:
        """Count one less; the effect is a Leave when it was the last.  What was never added is a KeyError."""
        count = self._wanted[stream, form] - 1
        if count:
            self._wanted[stream, form] = count
            return []
        del self._wanted[stream, form]
        return [Leave(stream, form)]

    def clear(self) -> list[Effect]:
        """Forget everything; the effects leave all that was listened to."""
        effects: list[Effect] = [Leave(stream, form) for stream, form in self._wanted]
        self._wanted.clear()
        return effects
