"""The bus: the only thing between workers and gateways.

`Bus` is the seam; `fsnats.bus.nats.NatsBus` is the product's, `fsnats.bus.memory.MemoryBus` the one that tests and
single-process tools use.  Both pass the same contract suite.
"""

from collections.abc import Callable
from typing import Protocol

from fsnats.bus.answers import Answer

__all__ = ["Answer", "Bus", "Callback"]

Callback = Callable[[str, str, bytes], None]
"""What a subscriber gets: subject, reply subject ("" where none is wanted), payload.  It must not block or raise."""


class Bus(Protocol):
    """Publish and subscribe, at most once, in order per publisher.

    Publishing while the bus is down loses the message and returns False: market data is never sent late.  Subscriptions
    survive a reconnect.
    """

    @property
    def is_connected(self) -> bool: ...

    def on_connect(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back for each new connection from now on, until what is returned is called."""
        ...

    def publish(self, subject: str, payload: bytes, reply: str = "") -> bool:
        """Send one message soon: together with everything published in this turn of the loop."""
        ...

    def subscribe(self, subject: str, callback: Callback, queue: str = "") -> int:
        """Call back for each message on a subject (`*` and `>` are wildcards); returns what `unsubscribe` takes.

        Of all subscribers with the same non-empty `queue`, one gets each message.
        """
        ...

    def redirect(self, sid: int, callback: Callback) -> None:
        """Call this back from now on, without a message lost."""
        ...

    def unsubscribe(self, sid: int) -> None:
        """Stop calling back, at once."""
        ...

    async def request(self, subject: str, payload: bytes, timeout: float) -> bytes:
        """Publish and wait for the answer.  Raises BusUnavailable when nobody listens or nobody answers in time."""
        ...

    async def collect(self, subject: str, payload: bytes, timeout: float, most: int) -> list[Answer]:
        """Publish and wait for `most` answers, or for the first one with a status: that ends what JetStream sends.

        Raises BusUnavailable as `request` does; answers that came before are lost then.
        """
        ...

    async def flush(self) -> None:
        """Return when the server has everything that was published and subscribed before.  Raises BusUnavailable."""
        ...
