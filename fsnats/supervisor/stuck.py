"""A NATS server whose disk was full stores nothing any more, also when there is room again, until it is started again
(2.15 answers no put and refuses every purge).  Ours is; workers hold what comes meanwhile.
"""

from collections.abc import Callable

from fsnats.clock import Clock

LOOK = 10.0  # seconds between two looks
PATIENCE = 90.0  # seconds with room on the disk: the catalogue was tried at least once since then
REST = 600.0  # seconds until it may be started once more for this: it may be something else


class StuckStore:
    """Has the server started again when that helps; `run` must be running."""

    def __init__(
        self, clock: Clock, is_stuck: Callable[[], bool], has_room: Callable[[], bool], restart: Callable[[], None]
    ) -> None:
        """`is_stuck`: the server is there and does not store what it is told to; `has_room`: though it could."""
        self._clock = clock
        self._is_stuck = is_stuck
        self._has_room = has_room
        self._restart = restart

    async def run(self) -> None:
        """Look, until cancelled."""
        since: float | None = None
        while True:
            await self._clock.sleep(LOOK)
            now = self._clock.monotonic()
            if not self._is_stuck() or not self._has_room():
                since = None
            elif since is None:
                since = now
            elif now - since >= PATIENCE:
                since = None
                self._restart()
                await self._clock.sleep(REST)
