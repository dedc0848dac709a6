"""Asking everybody at once, again and again: nobody knows how many there are, but who answered last time is known.

An answer is there as soon as all have answered who did so last time, and after `wait` seconds at the latest.  One that
comes later is lost, but its sender is waited for from then on.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from fsnats.bus import Bus
from fsnats.errors import UNREADABLE
from fsnats.subjects import STATUS_REQUEST

logger = logging.getLogger(__name__)

SOON = 0.1  # seconds in which also somebody new can answer
PATIENCE = 1.0  # seconds for those who are known


def answering(bus: Bus, subject: str, answer: Callable[[bytes], bytes]) -> int:
    """Answer every question on a subject, until the subscription that is returned ends; `answer` raises
    msgspec.DecodeError for what it cannot read."""

    def asked(_subject: str, reply: str, question: bytes) -> None:
        if not reply:
            return
        try:
            bus.publish(reply, answer(question))
        except UNREADABLE as error:
            logger.warning(
                "a question cannot be read",
                extra={"event": "bus.unreadable", "subject": subject, "error": str(error)},
            )

    return bus.subscribe(subject, asked)


class Answer(NamedTuple):
    """What a program said: one JSON object, with its name and process id in it."""

    program: str
    pid: int
    payload: bytes


class _Head(msgspec.Struct):
    program: str
    pid: int = 0


_head = msgspec.json.Decoder(_Head).decode


class RollCall:
    """Asks on one subject."""

    def __init__(self, bus: Bus, inbox: str, subject: str = STATUS_REQUEST) -> None:
        """`inbox` is a subject that nobody else listens to."""
        self._bus = bus
        self._inbox = inbox
        self._subject = subject
        self._known: set[tuple[str, int]] | None = None  # who answered last time
        self.absent: list[str] = []  # programs that answered the time before last, and did not last time
        self._number = 0
        self._asking = ""  # where answers are expected now
        self._answers: list[Answer] = []
        self._turn = asyncio.Lock()
        self._whole = asyncio.Event()
        self._sid = bus.subscribe(f"{inbox}.*", self._answered)

    async def call(self, question: bytes = b"", wait: float = PATIENCE) -> list[bytes]:
        """What everybody answered within `wait` seconds, by program name; nothing without a bus."""
        async with self._turn:
            self._number += 1
            self._asking, self._answers = f"{self._inbox}.{self._number}", []
            self._whole.clear()
            self._bus.publish(self._subject, question, self._asking)
            try:
                await self._wait(wait)
            finally:
                self._asking = ""
            answers = sorted(self._answers)
            here = {(answer.program, answer.pid) for answer in answers}
            self.absent = sorted({program for program, _ in self._known or ()} - {program for program, _ in here})
            self._known = here or None
            return [answer.payload for answer in answers]

    def close(self) -> None:
        """Listen no more."""
        self._bus.unsubscribe(self._sid)

    async def _wait(self, seconds: float) -> None:
        soon = min(SOON, seconds)
        await asyncio.sleep(soon)  # how many will answer is not known: time is the only end there is
        if self._known is None:
            await asyncio.sleep(seconds - soon)
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds - soon):
                    await self._whole.wait()

    def _answered(self, subject: str, _reply: str, payload: bytes) -> None:
        try:
            head = _head(payload)
        except UNREADABLE as error:
            logger.warning(
                "an answer cannot be read",
                extra={"event": "bus.unreadable", "subject": self._subject, "error": str(error)},
            )
            return
        if subject == self._asking:
            self._answers.append(Answer(head.program, head.pid, payload))
            if self._known is not None and self._known <= {(each.program, each.pid) for each in self._answers}:
                self._whole.set()
        elif self._known is not None:
            self._known.add((head.program, head.pid))
