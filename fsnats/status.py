"""How programs tell their status: each answers on `subjects.STATUS_REQUEST` with a JSON object of its own.

Every object has `program` (its name), `kind` and `pid`; the rest is the program's.
"""

from collections.abc import Callable

import msgspec

from fsnats.bus import Bus
from fsnats.rollcall import RollCall, answering
from fsnats.subjects import STATUS_REQUEST

Status = dict[str, object]


def respond(bus: Bus, status: Callable[[], Status]) -> None:
    """Answer every request with `status()`."""
    answering(bus, STATUS_REQUEST, lambda _question: msgspec.json.encode(status()))


async def ask(bus: Bus, inbox: str, wait: float) -> list[Status]:
    """Everybody's status, from all that answer within `wait` seconds, by program name.

    `inbox` is a subject of the caller's own.
    """
    everybody = RollCall(bus, inbox)
    try:
        return [msgspec.json.decode(answer, type=Status) for answer in await everybody.call(wait=wait)]
    finally:
        everybody.close()
