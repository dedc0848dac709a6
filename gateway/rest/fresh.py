"""One answer for all who ask the same within half a second, so that what many look at is asked for once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

FRESH = 0.5  # seconds for which an answer holds: a program may be down for no more than one


class Fresh(Generic[K, V]):
    """Answers by question.  Questions go one after the other: who asks many different ones delays others who do."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._answers: dict[K, tuple[float, V]] = {}
        self._turn = asyncio.Lock()

    async def get(self, question: K, ask: Callable[[], Awaitable[V]]) -> V:
        """What `ask` says, or said to somebody FRESH seconds ago at most.  Raises what it raises."""
        async with self._turn:
            now = self._monotonic()
            self._answers = {key: kept for key, kept in self._answers.items() if now - kept[0] <= FRESH}
            if question not in self._answers:
                answer = await ask()
                self._answers[question] = self._monotonic(), answer
            return self._answers[question][1]
