"""How far gateways are, for who sends faster than life and must lose nobody: a replay.

A question on `subjects.HEADWAY` is answered by every gateway behind all that it read from the bus before, and wrote.
"""

import asyncio
from collections.abc import Callable

import msgspec

from fsnats.bus import Bus
from fsnats.subjects import HEADWAY


class Headway(msgspec.Struct, frozen=True):
    """One gateway: how many messages it has delivered, and how many clients do not take what there is for them."""

    gateway: str
    delivered: int = 0
    slow_clients: int = 0


decode = msgspec.json.Decoder(Headway).decode


def respond(bus: Bus, headway: Callable[[], Headway]) -> None:
    """Answer every question with `headway()`."""

    def answer(reply: str) -> None:
        bus.publish(reply, msgspec.json.encode(headway()))

    def asked(_subject: str, reply: str, _payload: bytes) -> None:
        if reply:
            # What was read together with the question is written first.
            asyncio.get_running_loop().call_soon(answer, reply)

    bus.subscribe(HEADWAY, asked)
